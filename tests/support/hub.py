"""A whole hub as a process of its own: `hub serve` on the session's servers, with a database and topics of its own."""

from __future__ import annotations

import asyncio
import signal
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import orjson

from hub.embedded import Addresses
from hub.embedded.ports import keep_or_choose
from hub.settings import environment

KEY = "s3cret-of-the-tests"
READY_SECONDS, QUIET_SECONDS = 90.0, 120.0
QUIET_LOOKS = 2
SCOPES = '["events:write", "profiles:read", "profiles:write", "profiles:erase", "operations:read"]'
HUB = (sys.executable, "-m", "hub")


def caller(**settings: Any) -> httpx.AsyncClient:
    """A client for plain HTTP: to read the certificates of the world takes longer than what it is made for."""
    return httpx.AsyncClient(verify=False, **settings)


@dataclass
class Hub:
    """`hub serve` with one form and one key; `tools` are destinations by name and address.

    `sources` are further tables of hub.toml, by the source's name: the lines of each.
    """

    folder: Path
    servers: Addresses
    database_url: str
    tools: dict[str, str] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)
    ports: tuple[int, int] = (0, 0)
    process: asyncio.subprocess.Process | None = None
    prefix: str = field(default_factory=lambda: f"hub-{uuid4().hex[:8]}.")
    """Of its topics and groups: another hub of the same run reads nothing of them."""

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.ports = (int(keep_or_choose(None)), int(keep_or_choose(None)))
        (self.folder / "hub.toml").write_text(self._toml(), encoding="utf-8")

    def _toml(self) -> str:
        tables = [
            f'state = "{self.folder / "state"}"',
            f'[gateway]\nlisten = "127.0.0.1:{self.ports[0]}"',
            f'[console]\nlisten = "127.0.0.1:{self.ports[1]}"',
            f'[keys.crm]\nsecret = "{KEY}"\nscopes = {SCOPES}',
            '[sources.web-eu]\nkind = "web_form"\nkeys = ["pk_web_eu"]\nregion = "DE"',
        ]
        tables += [
            f'[destinations.{name}]\nkind = "webhook"\nurl = "{url}"\nallow_private = true\n'
            'secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"\nretry_seconds = [0.1, 0.2, 0.5, 1, 1, 1, 1, 1]'
            for name, url in self.tools.items()
        ]
        tables += [f"[sources.{name}]\n{lines}" for name, lines in self.sources.items()]
        return "\n".join(tables) + "\n"

    @property
    def gateway(self) -> str:
        """Where events go."""
        return f"http://127.0.0.1:{self.ports[0]}"

    @property
    def console(self) -> str:
        """Where answers come from."""
        return f"http://127.0.0.1:{self.ports[1]}"

    def environment(self, **more: str) -> dict[str, str]:
        """What `hub` needs in its environment to be this one."""
        return (
            environment()
            | {
                "HUB_CONFIG": str(self.folder / "hub.toml"),
                "HUB_KAFKA__SERVERS": ",".join(self.servers.kafka),
                "HUB_KAFKA__PREFIX": self.prefix,
                "HUB_KAFKA__PARTITIONS": "4",
                "HUB_POSTGRES__URL": self.database_url,
                "HUB_REDIS__URL": self.servers.redis,
            }
            | more
        )

    async def start(self, **more: str) -> None:
        """Start `hub serve` and wait until it takes events."""
        with (self.folder / "serve.log").open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                *HUB, "serve", stdout=log, stderr=log, env=self.environment(**more), cwd=self.folder
            )
        async with asyncio.timeout(READY_SECONDS), caller() as client:
            # The front door opens first, the rooms when rules were taken over: what comes before is their past.
            doors = [self.gateway, *([self.console] if (self.folder / "rules").is_dir() else [])]
            for door in doors:
                while not await _is_ready(client, f"{door}/readyz"):
                    await asyncio.sleep(0.05)

    @property
    def log(self) -> str:
        """What it has said."""
        return (self.folder / "serve.log").read_text(encoding="utf-8", errors="replace")

    async def kill(self) -> None:
        """End `hub serve` as kill -9 does; comes back when its children are gone as well."""
        assert self.process
        children = _children(self.process.pid)
        self.process.kill()
        await self.process.wait()
        async with asyncio.timeout(10):
            while any(Path(f"/proc/{child}").exists() for child in children):
                await asyncio.sleep(0.02)

    async def stop(self) -> int:
        """Ask it to stop, as an operator would; gives the exit status."""
        assert self.process
        if self.process.returncode is None:
            self.process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(40):
            return await self.process.wait()

    async def command(self, *words: str) -> tuple[int, bytes]:
        """Run `hub …` beside it; gives the exit status and what it printed."""
        process = await asyncio.create_subprocess_exec(
            *HUB, *words, stdout=asyncio.subprocess.PIPE, env=self.environment(), cwd=self.folder
        )
        printed, _ = await process.communicate()
        return process.returncode or 0, printed

    async def lag(self) -> dict[str, Any]:
        """`/api/lag`, decoded; empty where nobody answers."""
        async with caller(headers={"authorization": f"Bearer {KEY}"}) as client:
            try:
                answer = await client.get(f"{self.console}/api/lag", timeout=10)
            except httpx.HTTPError:
                return {}
        decoded: dict[str, Any] = orjson.loads(answer.content) if answer.is_success else {}
        return decoded

    async def until_quiet(self) -> dict[str, Any]:
        """Wait until nothing waits anywhere: every group, the outbox, the deliveries.

        A report looks at one place after the other: what moves on meanwhile may be in none of them, once, not twice.
        """
        quiet = 0
        async with asyncio.timeout(QUIET_SECONDS):
            while (quiet := quiet + 1 if is_quiet(report := await self.lag()) else 0) < QUIET_LOOKS:
                await asyncio.sleep(0.2)
        return report


def is_quiet(report: dict[str, Any]) -> bool:
    """Whether a report of `/api/lag` says that nothing waits."""
    if not report or report["outbox"]["pending"]:
        return False
    waiting = sum(report["deliveries"][state] for state in ("pending", "sending", "retry"))
    return waiting == 0 and all(row["messages"] == 0 for row in report["groups"])


async def _is_ready(client: httpx.AsyncClient, address: str) -> bool:
    try:
        return (await client.get(address, timeout=2)).is_success
    except httpx.HTTPError:
        return False


def _children(parent: int) -> list[int]:
    listed = Path(f"/proc/{parent}/task/{parent}/children").read_text(encoding="ascii").split()
    return [int(child) for child in listed]
