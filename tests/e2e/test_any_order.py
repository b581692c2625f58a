"""The same thousands of events in three orders, batchings and spreads over partitions: the same people, to the byte.

The real role on a real Kafka and PostgreSQL, as processes and within this one, held against one look at the whole set
in memory.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import uuid4

import pytest

from bench.identity.population import REGIONS, Population, population
from consumers.profiles import Profiles
from hub.cache import LocalHints
from hub.embedded import Addresses
from hub.settings import Kafka, environment
from hub.storage.offsets import PostgresStore
from hub.storage.pool import Pool
from hub.streams import batches
from hub.streams.publish import Message, open_publisher
from tests.support.databases import named, order
from tests.support.hub import HUB
from tests.support.line import audit, batch_connections, running, topics, until
from tests.support.memory import whole

pytestmark = [pytest.mark.integration, pytest.mark.e2e]
SEED, EVENTS_EACH = 11, 6.5
"""A person sends that many on average, at the least."""
CHUNK = 5_000
WITHIN_SECONDS = 90.0
Keys = Callable[[Message, random.Random], bytes | None]


def as_the_gateway(made: Message, _: random.Random) -> bytes | None:
    """A person's events mostly share a partition."""
    return made.key


def anywhere(_: Message, chance: random.Random) -> bytes:
    """Nothing shares a partition on purpose."""
    return chance.randbytes(8)


def together(_made: Message, _chance: random.Random) -> bytes:
    """All on one partition of each topic."""
    return b"one"


@dataclass(frozen=True)
class Way:
    """How the events come: `seed` None is the order of their arrival. `processes` 0 is a lane in this process."""

    name: str
    seed: int | None
    keys: Keys
    processes: int
    most_records: int


WAYS = (
    Way("as they arrived, one process", None, as_the_gateway, 1, batches.MOST_RECORDS),
    Way("any order, any partition, two processes", 1, anywhere, 2, batches.MOST_RECORDS),
    Way("another order, one partition, small batches", 2, together, 0, 90),
)


@dataclass(frozen=True)
class Place:
    """Topics and a database of one run."""

    kafka: Kafka
    url: str
    pool: Pool
    around: dict[str, str]


@asynccontextmanager
async def place(servers: Addresses, template: str, folder: Path) -> AsyncIterator[Place]:
    """Gone at the end."""
    database = f"test_{uuid4().hex[:12]}"
    await order(servers.postgres, f"CREATE DATABASE {database} TEMPLATE {template}")
    url = named(servers.postgres, database)
    written = folder / f"{database}.toml"
    written.write_text(f'region = "{REGIONS[""]}"\n', encoding="utf-8")
    try:
        async with topics(servers.kafka) as kafka, batch_connections(url) as pool:
            around = environment() | {
                "HUB_CONFIG": str(written),
                "HUB_KAFKA__SERVERS": ",".join(kafka.servers),
                "HUB_KAFKA__PREFIX": kafka.prefix,
                "HUB_KAFKA__PARTITIONS": str(kafka.partitions),
                "HUB_POSTGRES__URL": url,
                "HUB_REDIS__URL": servers.redis,
            }
            yield Place(kafka, url, pool, around)
    finally:
        await order(servers.postgres, f"DROP DATABASE {database} WITH (FORCE)")


def ordered(messages: Sequence[Message], way: Way) -> list[Message]:
    """The messages as this way puts them on the topics."""
    chance = random.Random(way.seed)
    mixed = list(messages)
    if way.seed is not None:
        chance.shuffle(mixed)
    return [replace(made, key=way.keys(made, chance)) for made in mixed]


async def publish(kafka: Kafka, messages: Sequence[Message]) -> None:
    """Straight onto the topics."""
    async with open_publisher(kafka, bulk=True) as publisher:
        for start in range(0, len(messages), CHUNK):
            await publisher.send_bulk(messages[start : start + CHUNK], within=30)


@asynccontextmanager
async def role(here: Place, way: Way) -> AsyncIterator[None]:
    """The role `profiles`, as `hub serve` runs it, or its loop here where batches are to be small."""
    if not way.processes:
        stop, work = asyncio.Event(), Profiles(LocalHints(), REGIONS, here.kafka.prefix)
        async with running(batches.consume(here.kafka, PostgresStore(here.pool), [work], stop)):
            yield
            stop.set()
        return
    words = (*HUB, "serve", "--child", "profiles")
    started = [
        await asyncio.create_subprocess_exec(*words, stdin=asyncio.subprocess.PIPE, env=here.around)
        for _ in range(way.processes)
    ]
    try:
        yield
        assert [one.returncode for one in started] == [None] * way.processes
    finally:
        for one in started:
            one.kill()
        for one in started:
            await one.communicate()


async def exported(here: Place) -> bytes:
    """What `hub profiles export --facts` prints."""
    process = await asyncio.create_subprocess_exec(
        *HUB, "profiles", "export", "--facts", stdout=asyncio.subprocess.PIPE, env=here.around
    )
    printed, _ = await process.communicate()
    assert process.returncode == 0
    return printed


async def outcome(here: Place, messages: Sequence[Message], way: Way) -> bytes:
    """Everything published and written: the export."""

    async def is_written() -> bool:
        done = await here.pool.fetchval("SELECT coalesce(sum(next_offset), 0) FROM stored_offset")
        return bool(done >= len(messages))

    await publish(here.kafka, ordered(messages, way))
    async with role(here, way):
        await until(is_written, f"{way.name}: every event is written", within=WITHIN_SECONDS)
    assert await here.pool.fetchval("SELECT count(*) FROM dead_letter") == 0
    await audit(here.pool)
    return await exported(here)


def town(events: int) -> Population:
    """People who send so many events, the first that arrive."""
    everybody = population(int(events / EVENTS_EACH), SEED)
    assert len(everybody.said) >= events
    return replace(everybody, said=everybody.said[:events])


@pytest.mark.parametrize(
    "events",
    [3_000, pytest.param(10_000, marks=[pytest.mark.nightly, pytest.mark.timeout(600)])],
)
async def test_events_in_any_order_are_the_same_people_to_the_byte(
    servers: Addresses, template_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, events: int
) -> None:
    people = town(events)
    messages = [one.what for one in people.messages()]
    expected = whole([one.what for one in people.facts()])
    assert expected.shared
    for way in WAYS:
        monkeypatch.setattr(batches, "MOST_RECORDS", way.most_records)
        async with place(servers, template_database, tmp_path) as here:
            found = await outcome(here, messages, way)
            shared = await here.pool.fetch("SELECT identifier_id FROM identifier WHERE state = 'shared'")
        assert found == b"".join(line + b"\n" for line in expected.lines), way.name
        assert {row[0] for row in shared} == expected.shared, way.name
