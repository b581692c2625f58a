"""Merged by hand, lived on, unmerged: profiles, timelines and tools are those of a hub where nobody ever merged."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pytest
import pytest_asyncio

from hub.embedded import Addresses
from tests.support.databases import named, order
from tests.support.hub import KEY, Hub, caller
from tests.support.tools import FakeTool

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]
AUTHORIZATION = {"authorization": f"Bearer {KEY}"}
NAMES = ("sales", "service", "marketing")


@dataclass
class World:
    """A hub with its three tools."""

    hub: Hub
    tools: dict[str, FakeTool]

    async def say(self, person: str, number: int) -> None:
        """An event about Ann or Zed, always the same one for the same number."""
        email = f"{person}@firm.example"
        contact = {"id": f"{person}-{number % 2}", "email": email, "given_name": person.title()}
        kind = ("note.added", "consent.given", "note.added", "consent.withdrawn")[number % 4]
        event = {
            "specversion": "1.0", "id": f"{person} {number}", "source": f"/tools/{number % 2}", "type": kind,
            "time": f"2026-11-01T08:{number:02d}:00Z", "data": {"contact": contact, "text": f"event {number}"},
        }  # fmt: skip
        content = {"content-type": "application/cloudevents+json"}
        async with caller(headers=AUTHORIZATION | content) as client:
            answer = await client.post(f"{self.hub.gateway}/events", content=orjson.dumps(event))
        assert answer.status_code == 202, answer.text

    async def ask(self, method: str, path: str, **more: Any) -> Any:
        """An answer of the console's listener."""
        async with caller(base_url=self.hub.console, headers=AUTHORIZATION, follow_redirects=True) as client:
            answer = await client.request(method, path, **more)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def id_of(self, person: str) -> str:
        """The profile behind an address."""
        found: str = (await self.ask("GET", f"/api/profiles/lookup?email={person}@firm.example"))["profile_id"]
        return found

    async def timelines(self) -> list[list[str]]:
        """What happened to Ann and to Zed, as ids."""
        pages = [await self.ask("GET", f"/api/profiles/{await self.id_of(one)}/timeline") for one in ("ann", "zed")]
        return [[entry["id"] for entry in page["entries"]] for page in pages]

    def known_to(self, tool: str) -> dict[str, Any]:
        """What a tool holds of each profile id: what it was told last, without the version."""
        held: dict[str, Any] = {}
        for got in self.tools[tool].got:
            profile = dict(got.profile)
            profile.pop("version")
            held[profile["profile_id"]] = profile
        return held


@pytest_asyncio.fixture
async def worlds(tmp_path: Path, servers: Addresses) -> AsyncIterator[list[World]]:
    async with AsyncExitStack() as stack:
        found = []
        for name in ("merged", "never"):
            tools = {tool: FakeTool() for tool in NAMES}
            for tool in tools.values():
                await stack.enter_async_context(tool.serving())
            database = f"unmerge_{name}_{os.getpid()}"
            await order(servers.postgres, f"CREATE DATABASE {database}")
            urls = {tool: one.url for tool, one in tools.items()}
            hub = Hub(tmp_path / name, servers, named(servers.postgres, database), urls)
            await hub.start()
            found.append(World(hub, tools))
        yield found
        for world in found:
            assert await world.hub.stop() == 0, world.hub.log
        for name in ("merged", "never"):
            await order(servers.postgres, f"DROP DATABASE unmerge_{name}_{os.getpid()} WITH (FORCE)")


async def lived(worlds: list[World], numbers: range) -> None:
    """These events about both, in both worlds, told to everybody."""
    for world in worlds:
        for number in numbers:
            await world.say("ann", number)
            await world.say("zed", number)
    for world in worlds:
        await world.hub.until_quiet()


async def parted(world: World, profile: str) -> None:
    """Undo the merge by its operation: shown first, done once however often it is asked for."""
    explained = await world.ask("GET", f"/api/profiles/{profile}/why")
    operation = next(one for one in explained["operations"] if one["cause_type"] == "records.merged")
    path, asked = f"/api/profiles/{profile}/split", {"operation": operation["operation"], "reason": "two people"}
    shown = await world.ask("POST", path, json=asked | {"dry_run": True})
    assert shown["state"] == "dry run"
    assert await world.id_of("ann") == await world.id_of("zed")
    done, again = [await world.ask("POST", path, json=asked, headers={"idempotency-key": "once"}) for _ in range(2)]
    assert (done["state"], done["splits"]) == ("done", shown["splits"])
    assert again["decisions"][0]["id"] == done["decisions"][0]["id"]


async def test_after_merge_life_and_unmerge_everything_is_as_if_nobody_had_merged(worlds: list[World]) -> None:
    merged, never = worlds
    await lived(worlds, range(4))
    ann, zed = await merged.id_of("ann"), await merged.id_of("zed")
    status, printed = await merged.hub.command("profiles", "merge", ann, zed, "--reason", "a mistake", "--json")
    assert (status, orjson.loads(printed)["state"]) == (0, "done")
    await merged.hub.until_quiet()
    assert await merged.id_of("ann") == await merged.id_of("zed")
    await lived(worlds, range(4, 10))
    await parted(merged, ann)
    await lived(worlds, range(10, 11))

    export = await merged.hub.command("profiles", "export")
    assert export == await never.hub.command("profiles", "export")
    assert export[1].count(b'"consent.marketing.') == len(("ann", "zed"))
    assert await merged.timelines() == await never.timelines()
    for tool in NAMES:
        assert merged.known_to(tool) == never.known_to(tool)
        types = [got.json["type"] for got in merged.tools[tool].got]
        assert (types.count("profile.merged"), types.count("profile.split")) == (1, 1)
    status, printed = await merged.hub.command("profiles", "explain", ann)
    assert status == 0
    assert b"records.parted" in printed
