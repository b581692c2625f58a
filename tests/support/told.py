"""The house from the topic `profiles` to the tools: profiles are put in by hand, sync and dispatcher are real."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import orjson

from consumers.dispatcher import run
from consumers.instances import instances
from consumers.sync import Sync
from consumers.tools import Tool
from hub.cache import LocalHints
from hub.components import Record
from hub.identity.ids import as_text, hash_id
from hub.identity.survivorship import redirect, versioned
from hub.settings import check
from hub.storage import traces
from hub.storage.deliveries import get, page
from hub.storage.pool import Pool, reading, transaction

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def a_tool(name: str, url: str, **own: Any) -> Tool:
    """A webhook destination; quick to try again unless told otherwise."""
    table = {"kind": "webhook", "url": url, "secret": SECRET, "allow_private": True, "retry_seconds": [0.02] * 80} | own
    return instances(check({"destinations": {name: table}}))[name]


def a_chat(url: str) -> Tool:
    """A channel of a chat, by the name `chat`."""
    table = {"kind": "slack", "url": url, "allow_private": True, "retry_seconds": [0.02] * 80}
    return instances(check({"destinations": {"chat": table}}))["chat"]


def an_id(name: str) -> bytes:
    """The profile id of a person in a test."""
    return hash_id("test", name)


def a_line(profile: bytes, **more: Any) -> bytes:
    """A profile's line, as far as a tool sees one."""
    return orjson.dumps({"activities": 1, "fields": {}, "profile_id": as_text(profile), **more})


class House:
    """Profiles in PostgreSQL, and the tools that follow them."""

    def __init__(self, pool: Pool, *tools: Tool) -> None:
        self.pool = pool
        self.tools = {tool.name: tool for tool in tools}
        self.hints = LocalHints()
        self._works = [Sync(tool, self.hints) for tool in tools]

    async def puts(self, *states: tuple[bytes, int], **more: Any) -> None:
        """These profiles are alive, each in this version; sync hears of it at once, in one batch."""
        await self.stores(*states, **more)
        await self.hears(*states)

    async def hears(self, *states: tuple[bytes, int]) -> None:
        """The topic says so once more; the profiles are what they are."""
        await self.syncs(*((profile, versioned(a_line(profile), version)) for profile, version in states))

    async def stores(self, *states: tuple[bytes, int], **more: Any) -> None:
        """These profiles are alive, each in this version; the relay is behind."""
        async with transaction(self.pool) as connection:
            await connection.executemany(
                """
                INSERT INTO source_record (record_id, group_id, profile_id, source, kind, key_namespace, key)
                VALUES ($1, $1, $1, 'test', 'account', '', 'x') ON CONFLICT (record_id) DO UPDATE SET profile_id = $1
                """,
                [(profile,) for profile, _ in states],
            )
            await connection.executemany(
                """
                INSERT INTO profile (profile_id, group_id, version, line) VALUES ($1, $1, $2, $3)
                ON CONFLICT (profile_id) DO UPDATE SET version = $2, line = $3
                """,
                [(profile, version, a_line(profile, **more).decode()) for profile, version in states],
            )

    async def merges(self, absorbed: bytes, survivor: bytes, version: int) -> None:
        """One profile goes up in another, as the profiles consumer writes it; sync hears of both."""
        await self.stores((survivor, version))
        async with transaction(self.pool) as connection:
            await connection.execute("DELETE FROM profile WHERE profile_id = $1", absorbed)
            await connection.execute(
                "UPDATE source_record SET profile_id = $2 WHERE record_id = $1 OR profile_id = $1", absorbed, survivor
            )
        await self.syncs((survivor, versioned(a_line(survivor), version)), (absorbed, redirect(survivor, version)))

    async def erases(self, profile: bytes) -> None:
        """Nobody is behind an id any more, as the slow lane writes it; sync hears of it."""
        async with transaction(self.pool) as connection:
            await connection.execute("DELETE FROM profile WHERE profile_id = $1", profile)
            await connection.execute("DELETE FROM source_record WHERE record_id = $1", profile)
            await traces.empty_deliveries(connection, [profile])
        await self.syncs((profile, None))

    async def syncs(self, *messages: tuple[bytes, bytes | None]) -> None:
        """A batch of the topic `profiles` in every group."""
        records = [Record("profiles", 0, 0, 0, as_text(key).encode(), value, ()) for key, value in messages]
        for work in self._works:
            async with transaction(self.pool) as connection:
                await work.write(connection, [work.read(record) for record in records])
            work.committed()

    @asynccontextmanager
    async def dispatching(self) -> AsyncIterator[None]:
        """The dispatcher runs for as long as the block lasts, and ends properly."""
        stop = asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(run(self.pool, self.tools, self.hints, stop))
            try:
                yield
            finally:
                stop.set()
                self.hints.wake("deliveries")

    async def states(self) -> list[str]:
        """The states of all deliveries, oldest first."""
        async with reading(self.pool) as connection:
            return [row[0] for row in await connection.fetch("SELECT state FROM delivery ORDER BY created_at, version")]

    async def deliveries(self) -> list[dict[str, Any]]:
        """All deliveries as `hub deliveries show --json` prints them, oldest first."""
        listed = (await page(self.pool, destination=None, state=None, limit=1000))["deliveries"]
        return [whole for one in reversed(listed) if (whole := await get(self.pool, one["id"]))]

    async def quiet(self) -> bool:
        """Whether nothing is open."""
        return not {"pending", "sending", "retry"} & set(await self.states())
