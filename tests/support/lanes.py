"""A consumer whose effects can be counted: every record is a row, written in the batch's own transaction."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import pytest_asyncio
from aiokafka import TopicPartition

from hub.components import Positions, Record
from hub.embedded import Addresses
from hub.errors import Retry, Unreadable
from hub.settings import Kafka
from hub.storage.offsets import PostgresStore
from hub.storage.pool import Connection, Pool
from hub.streams.batches import BatchLoop
from hub.streams.clients import consumer, started
from hub.streams.publish import Message, open_publisher
from hub.streams.topics import create_topics
from schemas.topics import Topic

TOPIC = Topic("traps", "What a test sends.", "any")
MALFORMED, BROKEN = b"malformed", b"broken"


class Counted:
    """A `hub.components.Work`: one row per record; `BROKEN` makes our own code fail, `MALFORMED` cannot be read."""

    group = "counted"
    topics: tuple[str, ...] = (TOPIC.name,)

    def __init__(self, during: Callable[[], Awaitable[None]] | None = None) -> None:
        self._during = during
        self.batches: list[list[bytes]] = []

    def read(self, record: Record) -> bytes:
        """The value."""
        if record.value == MALFORMED:
            raise Unreadable("no such thing", "value")
        return record.value or b""

    async def write(self, transaction: Connection, items: Sequence[bytes]) -> None:
        """A row each."""
        self.batches.append(list(items))
        if self._during:
            await self._during()
        if any(item.startswith(BROKEN) for item in items):
            raise ZeroDivisionError("a bug of ours")
        await transaction.executemany("INSERT INTO effect VALUES ($1)", [(item,) for item in items])

    def committed(self) -> None:
        """Nobody is to be woken."""


class LateStore(PostgresStore):
    """A store that takes its time, or is away, when it is asked for positions."""

    def __init__(self, pool: Pool, *, seconds: float = 0.0, failures: int = 0) -> None:
        super().__init__(pool)
        self._seconds = seconds
        self.failures = failures

    async def positions(self, group: str, partitions: Sequence[tuple[str, int]]) -> Positions:
        """As the real one, later."""
        await asyncio.sleep(self._seconds)
        if self.failures:
            self.failures -= 1
            raise Retry("the store is away")
        return await super().positions(group, partitions)


class Bench:
    """A topic of its own, a table of effects, and lanes on them."""

    def __init__(self, kafka: Kafka, pool: Pool) -> None:
        self.kafka = kafka
        self.pool = pool
        self.group = kafka.prefix + Counted.group
        self.topic = kafka.prefix + TOPIC.name

    async def send(self, values: Sequence[bytes], key: bytes | None = None) -> None:
        """Publish, spread over the partitions by key."""
        async with open_publisher(self.kafka) as publisher:
            await publisher.send([Message(TOPIC.name, key or value, value) for value in values], within=30)

    @asynccontextmanager
    async def lane(self, work: Counted, store: PostgresStore | None = None) -> AsyncIterator[BatchLoop]:
        """One lane for as long as the block lasts."""
        stop = asyncio.Event()
        loop = BatchLoop(self.kafka, store or PostgresStore(self.pool), work)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(loop.run(stop))
            try:
                yield loop
            finally:
                stop.set()

    async def effects(self) -> list[bytes]:
        """Every row, in order."""
        return [row[0] for row in await self.pool.fetch("SELECT value FROM effect ORDER BY value")]

    async def stored(self) -> dict[int, int]:
        """Partition → stored offset."""
        rows = await self.pool.fetch("SELECT part, next_offset FROM stored_offset WHERE grp = $1", self.group)
        return {row[0]: row[1] for row in rows}

    async def letters(self) -> list[Any]:
        """The dead letters: stage, error, body, field."""
        rows = await self.pool.fetch("SELECT stage, error, body, field FROM dead_letter ORDER BY letter_id")
        return [tuple(row) for row in rows]

    async def commit(self, offsets: dict[int, int]) -> None:
        """Set the group's offsets in Kafka, as somebody with other tools may."""
        client = consumer(self.kafka, self.group)
        async with started(client):
            places = {TopicPartition(self.topic, part): offset for part, offset in offsets.items()}
            client.assign(list(places))
            await client.commit(places)


@pytest_asyncio.fixture
async def bench(servers: Addresses, pool: Pool) -> Bench:
    """One partition, so that offsets are easy to foresee."""
    return await a_bench(servers, pool, partitions=1)


async def a_bench(servers: Addresses, pool: Pool, partitions: int) -> Bench:
    """As the fixture, with as many partitions as wanted."""
    kafka = Kafka(servers=servers.kafka, prefix=f"t{uuid4().hex[:8]}.", partitions=partitions)
    await create_topics(kafka, [TOPIC])
    await pool.execute("CREATE TABLE IF NOT EXISTS effect (value bytea NOT NULL)")
    return Bench(kafka, pool)
