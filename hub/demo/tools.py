"""The departments' tools: small web servers that believe a webhook's signature and keep the last state of each person.

One of them is out for a while, so that somebody watching sees the hub come back to it.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from base64 import b64encode
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, MutableMapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from secrets import token_bytes
from typing import Any

import orjson
import uvicorn
from standardwebhooks import Webhook, WebhookVerificationError

from hub import clock

LOOPBACK = "127.0.0.1"
NAMES = ("sales", "service", "marketing")
OUT = "marketing"
"""The tool that is out for a while."""
DEPARTMENTS = {"contact-form": "form", "offer-form": "form", "inbox": "mail", "desk": "ticket", "shop": "order"}
"""Through which department each source speaks."""
GOODBYE_SECONDS = 2
KEPT_NEWS, KEPT_IDS = 40, 100_000

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Outage:
    """When a tool answers 503, in seconds after the start: from `begins` for `lasts`, again after each `every`."""

    begins: float
    lasts: float
    every: float

    def covers(self, seconds: float) -> bool:
        """Whether it is out at this moment."""
        return seconds >= self.begins and (seconds - self.begins) % self.every < self.lasts


@dataclass(slots=True)
class Tool:
    """What a tool knows: the last state it was told of each person, and how it was spoken to."""

    name: str
    secret: str = field(default_factory=lambda: f"whsec_{b64encode(token_bytes(24)).decode()}")
    outage: Outage | None = None
    began: float | None = None
    told: int = 0
    repeats: int = 0
    turned_away: int = 0
    unproved: int = 0
    disorder: int = 0
    last: int | None = None
    people: dict[str, dict[str, Any]] = field(default_factory=dict)
    news: deque[str] = field(default_factory=lambda: deque(maxlen=KEPT_NEWS))
    _ids: dict[str, None] = field(default_factory=dict)

    def start(self) -> None:
        """From now on its outages are counted."""
        self.began = clock.monotonic()

    @property
    def is_out(self) -> bool:
        """Whether it answers nobody now."""
        return bool(self.outage and self.began is not None and self.outage.covers(clock.monotonic() - self.began))

    def hear(self, headers: dict[str, str], body: bytes) -> int:
        """Take a webhook in and give the status of the answer."""
        self.last = self._hear(headers, body)
        return self.last

    def _hear(self, headers: dict[str, str], body: bytes) -> int:
        if self.is_out:
            self.turned_away += 1
            return 503
        try:
            Webhook(self.secret).verify(body, headers)
            told = orjson.loads(body)
        except (WebhookVerificationError, orjson.JSONDecodeError):
            self.unproved += 1
            return 401
        if headers["webhook-id"] in self._ids:
            self.repeats += 1
            return 200
        self._remember(headers["webhook-id"])
        self._learn(told["data"])
        return 204

    def _remember(self, identity: str) -> None:
        self.told += 1
        self._ids[identity] = None
        if len(self._ids) > KEPT_IDS:
            del self._ids[next(iter(self._ids))]

    def _learn(self, data: dict[str, Any]) -> None:
        profile = data["profile"]
        identity, known = profile["profile_id"], self.people.get(profile["profile_id"])
        if known and known["version"] > profile["version"]:
            self.disorder += 1
            return
        if data.get("erased"):
            self.people.pop(identity, None)
            return
        self.people[identity] = profile
        absorbed = [self.people.pop(one, None) for one in data.get("absorbed", ()) if one != identity]
        if sentence := _sentence(profile, known, len(absorbed)):
            self.news.append(sentence)


def _sentence(profile: dict[str, Any], known: dict[str, Any] | None, absorbed: int) -> str:
    """What is new of somebody, for people; empty where they only did one thing more."""
    name = called(profile)
    if _has_met_all(profile) and not (known and _has_met_all(known)):
        return f"{name}: form, mail, ticket and order are one story now"
    if absorbed:
        return f"{name}: {absorbed + 1} profiles are one now, out of {len(profile['records'])} records"
    if known is None:
        return f"{name} is new, from {profile['records'][0]['source']}"
    changed = [
        f"{word} {profile['fields'][word]['value']}"
        for word in ("email", "phone", "company")
        if _value(profile, word) not in {"", _value(known, word)}
    ]
    return f"{name}: {', '.join(changed)}" if changed else ""


def _has_met_all(profile: dict[str, Any]) -> bool:
    return {*DEPARTMENTS.values()} <= {DEPARTMENTS.get(record["source"]) for record in profile["records"]}


def _value(profile: dict[str, Any], word: str) -> str:
    return str(profile["fields"].get(word, {}).get("value", ""))


def called(profile: dict[str, Any]) -> str:
    """What to call somebody."""
    both = f"{_value(profile, 'given_name')} {_value(profile, 'family_name')}".strip()
    return both or next(filter(None, (_value(profile, word) for word in ("name", "email", "phone"))), "somebody")


class Application:
    """A tool's web server (ASGI 3): every post is a webhook."""

    def __init__(self, tool: Tool) -> None:
        self._tool = tool

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """One request."""
        body, more = b"", True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body, more = body + message.get("body", b""), message.get("more_body", False)
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        status = self._tool.hear(headers, body) if scope["method"] == "POST" else 405
        await send({"type": "http.response.start", "status": status, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})


class _Server(uvicorn.Server):
    """A server that leaves signals to the process it runs in."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def doors() -> dict[str, socket.socket]:
    """An open port for every tool."""
    return {name: door() for name in NAMES}


def door() -> socket.socket:
    """An open port."""
    return socket.create_server((LOOPBACK, 0))


def place(open_door: socket.socket) -> str:
    """Where it is: host:port."""
    return f"{LOOPBACK}:{open_door.getsockname()[1]}"


def address(open_door: socket.socket) -> str:
    """Where a tool is told."""
    return f"http://{place(open_door)}/hub"


@asynccontextmanager
async def serving(tools: dict[str, Tool], open_doors: dict[str, socket.socket]) -> AsyncIterator[None]:
    """Every tool serves at its door for as long as the block lasts."""
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
    servers = {name: _Server(_configuration(Application(tool))) for name, tool in tools.items()}
    async with asyncio.TaskGroup() as tasks:
        for name, server in servers.items():
            tasks.create_task(server.serve([open_doors[name]]))
        try:
            yield
        finally:
            for server in servers.values():
                server.should_exit = True


def _configuration(application: Application) -> uvicorn.Config:
    return uvicorn.Config(
        application,
        lifespan="off",
        ws="none",
        access_log=False,
        log_config=None,
        timeout_graceful_shutdown=GOODBYE_SECONDS,
    )
