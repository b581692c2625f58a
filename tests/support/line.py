"""The straight line in pieces: batches into PostgreSQL without Kafka, topics of a test's own, rooms run until quiet."""

from __future__ import annotations

import asyncio
import inspect
import random
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from aiokafka import TopicPartition

from consumers.profiles import Profiles
from hub.cache import LocalHints
from hub.components import Record
from hub.errors import Retry
from hub.identity.evidence import Fact
from hub.settings import Kafka
from hub.storage import export, profiles
from hub.storage.pool import Connection, Pool, open_pool, transaction
from hub.streams.clients import admin, consumer, started
from hub.streams.topics import create_topics
from schemas.topics import TOPICS, Topic

PHASES = (
    "groups_of",
    "identified",
    "insert_identifiers",
    "insert_records",
    "lock_groups",
    "load",
    "mark",
    "write",
)
"""What `consumers.profiles` asks of `hub.storage.profiles`, in the order of the lock protocol."""


@asynccontextmanager
async def batch_connections(url: str, *, size: int = 10) -> AsyncIterator[Pool]:
    """Connections as the batch path opens them."""
    connections = await open_pool(url, size, name="hub-tests-batches", point_lookups=True)
    try:
        yield connections
    finally:
        await connections.close()


async def write(pool: Pool, facts: Sequence[Fact], *, tries: int = 1) -> list[BaseException]:
    """One batch in its transaction, as the batch loop does it; gives the errors that asked for another try."""
    room, causes = Profiles(LocalHints(), {}), []
    for left in reversed(range(tries)):
        try:
            async with transaction(pool) as connection:
                await room.write(connection, facts)
        except Retry as error:
            causes.append(error.__cause__ or error)
            if not left:
                raise
        else:
            break
    return causes


async def lines(pool: Pool, *, facts: bool = False) -> tuple[bytes, ...]:
    """The export, a line per profile; with `facts` without what rules set."""
    blocks = [block async for block in export.lines(pool, facts=facts)]
    return tuple(b"".join(blocks).splitlines())


async def versions(pool: Pool) -> dict[bytes, int]:
    """The version of every profile."""
    return {row[0]: row[1] for row in await pool.fetch("SELECT profile_id, version FROM profile")}


async def untouched(pool: Pool) -> dict[str, list[Any]]:
    """Where every row of the line lies and who wrote it: the same again means that nobody wrote anything."""
    tables = ("source_record", "identifier", "claim", "link_group", "profile", "identity_op", "membership_log",
              "activity", "outbox", "dead_letter", "link_decision")  # fmt: skip
    return {
        table: [tuple(row) for row in await pool.fetch(f"SELECT ctid::text, xmin::text FROM {table} ORDER BY ctid")]
        for table in tables
    }


PROMISES = {
    "a record's group is a lock row": """
        SELECT record_id FROM source_record r WHERE NOT EXISTS
        (SELECT FROM link_group g WHERE g.group_id = r.group_id)""",
    "a linking identifier leads to a group": """
        SELECT value FROM identifier i WHERE state = 'link' AND NOT EXISTS
        (SELECT FROM link_group g WHERE g.group_id = i.group_id)""",
    "an identifier is claimed": """
        SELECT value FROM identifier i WHERE NOT EXISTS
        (SELECT FROM claim c WHERE c.identifier_id = i.identifier_id)""",
    "who links by an identifier is in its group": """
        SELECT i.value FROM identifier i JOIN claim c USING (identifier_id) JOIN source_record r USING (record_id)
        WHERE i.state = 'link' AND i.group_id <> r.group_id
          AND (c.trusted OR i.namespace = 'device' OR (r.key_namespace, r.key) = (i.namespace, i.value))""",
    "a group holds a record": """
        SELECT group_id FROM link_group g WHERE NOT EXISTS
        (SELECT FROM source_record r WHERE r.group_id = g.group_id)""",
    "a record is in a profile": """
        SELECT record_id FROM source_record r WHERE kind <> '' AND NOT EXISTS
        (SELECT FROM profile p WHERE p.profile_id = r.profile_id)""",
    "history ends where the record is": """
        SELECT r.record_id FROM source_record r WHERE kind <> '' AND r.profile_id <> coalesce((
            SELECT to_profile FROM membership_log m WHERE m.record_id = r.record_id ORDER BY op_id DESC LIMIT 1
        ), r.record_id)""",
    "a profile bears the id of one of its records": """
        SELECT p.profile_id FROM profile p LEFT JOIN source_record r ON r.record_id = p.profile_id
        WHERE r.profile_id IS DISTINCT FROM p.profile_id""",
    "a line counts the activities": """
        SELECT p.profile_id FROM profile p WHERE (p.line->>'activities')::int <> (SELECT count(*)
        FROM activity a JOIN source_record r USING (record_id) WHERE r.profile_id = p.profile_id
          AND NOT (a.source = 'hub' AND (a.type LIKE 'task.%' OR a.type LIKE 'segment.%'
               OR a.type IN ('owner.assigned', 'stage.set', 'tag.added', 'tag.removed'))))""",
}
"""What foreign keys would see to, and what they could not: each promise with a query for whatever breaks it."""


async def unkept(pool: Pool) -> list[str]:
    """The promises that a database breaks."""
    return [promise for promise, query in PROMISES.items() if await pool.fetch(query)]


async def audit(pool: Pool) -> None:
    """Nothing hangs in the air."""
    assert await unkept(pool) == []


async def deadlocks(url: str) -> int:
    """How many this database has seen. Call it when the connections in question are closed: so they have told."""
    connection = await asyncpg.connect(url)
    try:
        found: int = await connection.fetchval(
            "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
        )
    finally:
        await connection.close()
    return found


def cut(facts: Iterable[Fact], chance: random.Random, most: int) -> Iterator[list[Fact]]:
    """The facts in some order, in batches of up to `most`."""
    mixed = list(facts)
    chance.shuffle(mixed)
    while mixed:
        size = chance.randint(1, most)
        yield mixed[:size]
        mixed = mixed[size:]


def jitter(monkeypatch: pytest.MonkeyPatch, chance: random.Random, most_seconds: float = 0.004) -> None:
    """Let writers pause between any two statements of the lock protocol, so that they meet where it hurts."""

    def slowed(phase: Any) -> Any:
        async def pausing(connection: Connection, *words: Any) -> Any:
            await connection.execute("SELECT pg_sleep($1)", chance.random() ** 3 * most_seconds)
            return await phase(connection, *words)

        return pausing

    for name in PHASES:
        monkeypatch.setattr(profiles, name, slowed(getattr(profiles, name)))


@asynccontextmanager
async def topics(servers: Sequence[str], made: Sequence[Topic] = TOPICS) -> AsyncIterator[Kafka]:
    """The hub's topics under a prefix of the test's own; deleted at the end, so that a broker of tests stays quick."""
    kafka = Kafka(servers=tuple(servers), prefix=f"test-{uuid4().hex[:10]}.", partitions=4)
    await create_topics(kafka, made)
    try:
        yield kafka
    finally:
        client = admin(kafka)
        async with started(client):
            await client.delete_topics([name for name in await client.list_topics() if name.startswith(kafka.prefix)])


async def read_all(kafka: Kafka, topic: str) -> list[Record]:
    """Every record of a topic (without its prefix), in order per partition."""
    client = consumer(kafka, None)
    async with started(client):
        places = [TopicPartition(kafka.prefix + topic, number) for number in range(kafka.partitions)]
        client.assign(places)
        await client.seek_to_beginning(*places)
        ends = await client.end_offsets(places)
        found: list[Record] = []
        while any([await client.position(place) < end for place, end in ends.items()]):
            for records in (await client.getmany(timeout_ms=200)).values():
                found += records
    return found


async def until(is_so: Callable[[], Any], what: str, *, within: float = 30.0) -> None:
    """Wait for a condition, awaitable or not."""
    try:
        async with asyncio.timeout(within):
            while True:
                answer = is_so()
                if await answer if inspect.isawaitable(answer) else answer:
                    return
                await asyncio.sleep(0.02)
    except TimeoutError as error:
        raise AssertionError(f"not within {within:.0f} s: {what}") from error


@asynccontextmanager
async def running(*coroutines: Coroutine[Any, Any, Any]) -> AsyncIterator[list[asyncio.Task[Any]]]:
    """These run while the block does; what one of them raises is raised at the end, unless the block looked at it."""
    tasks = [asyncio.get_running_loop().create_task(one) for one in coroutines]
    try:
        yield tasks
    finally:
        ended = [task for task in tasks if task.done()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in ended:
        task.result()
