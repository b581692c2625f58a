"""The traps that want three brokers, or minutes (numbers: the list of the broker study, §13)."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from uuid import uuid4

import pytest
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from hub import clock
from hub.embedded import Addresses, processes
from hub.embedded.cluster import Cluster
from hub.errors import Retry
from hub.settings import Kafka
from hub.storage.pool import Pool
from hub.streams.clients import admin, started
from hub.streams.publish import Message, Publisher, open_publisher
from hub.streams.topics import create_topics
from schemas.topics import Topic
from tests.support.lanes import TOPIC, Bench, Counted
from tests.support.line import read_all, running, until

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]
STATES = Topic("states", "What a test keeps.", "any", retention_ms=-1, compacted=True)
AWAY_SECONDS = 65
"""Longer than the session of a member, and than the time after which a group forgets it."""


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    folder = Path(tempfile.mkdtemp(prefix="hub-cluster-"))
    three = Cluster.of(folder)
    three.start()
    yield three
    three.stop()
    shutil.rmtree(folder)


@pytest.fixture
async def wide(cluster: Cluster, pool: Pool) -> Bench:
    """A topic in three copies, on as many brokers."""
    kafka = Kafka(servers=cluster.servers, prefix=f"t{uuid4().hex[:8]}.", partitions=3, replication=3)
    await create_topics(kafka, [TOPIC])
    await pool.execute("CREATE TABLE IF NOT EXISTS effect (value bytea NOT NULL)")
    return Bench(kafka, pool)


@asynccontextmanager
async def steady(bench: Bench, accepted: list[bytes]) -> AsyncIterator[None]:
    """Somebody publishes record after record for as long as the block lasts, and notes what was acknowledged.

    Like relay and gateway, it begins anew with a connection that failed.
    """

    async def publish() -> None:
        while True:
            with suppress(Retry):
                async with open_publisher(bench.kafka) as publisher:
                    await publish_on(publisher)

    async def publish_on(publisher: Publisher) -> None:
        while True:
            value = uuid4().bytes
            await publisher.send([Message(TOPIC.name, value, value)], within=2)
            accepted.append(value)

    async with running(publish()):
        yield


async def grown(accepted: list[bytes], by: int) -> None:
    before = len(accepted)
    await until(lambda: len(accepted) > before + by, "more was accepted", within=60)


async def has_all(bench: Bench, accepted: list[bytes]) -> bool:
    return {*accepted} <= {*await bench.effects()}


@pytest.mark.nightly
async def test_13_leaders_that_are_killed_lose_nothing_and_do_nothing_twice(cluster: Cluster, wide: Bench) -> None:
    accepted: list[bytes] = []
    async with wide.lane(Counted()):
        async with steady(wide, accepted):
            for number, broker in enumerate(cluster.status(), 1):
                await grown(accepted, 100)
                assert broker.pid
                os.kill(broker.pid, signal.SIGKILL)
                await until(lambda pid=broker.pid: not processes.birth(pid), "it is dead")  # type: ignore[misc]
                await grown(accepted, 100)
                await asyncio.to_thread(cluster.start, number)
        await until(lambda: has_all(wide, accepted), "everything accepted is done", within=60)
    effects = await wide.effects()
    assert len(effects) == len({*effects})


@pytest.mark.nightly
async def test_14_after_all_brokers_were_away_everything_goes_on_by_itself(cluster: Cluster, wide: Bench) -> None:
    accepted: list[bytes] = []
    async with wide.lane(Counted()), steady(wide, accepted):
        await grown(accepted, 100)
        await asyncio.to_thread(cluster.stop)
        until_then = clock.monotonic() + AWAY_SECONDS
        await until(lambda: clock.monotonic() > until_then, "they were away for long", within=2 * AWAY_SECONDS)
        await asyncio.to_thread(cluster.start)
        await grown(accepted, 100)
        await until(lambda: has_all(wide, accepted[:]), "everything accepted is done", within=60)
    effects = await wide.effects()
    assert len(effects) == len({*effects})


async def test_19_what_compaction_leaves_is_the_newest_state_of_each_key(servers: Addresses) -> None:
    """And a key that was taken back is not there."""
    kafka = Kafka(servers=servers.kafka, prefix=f"t{uuid4().hex[:8]}.", partitions=1)
    await create_topics(kafka, [STATES])
    quick = {"segment.ms": "100", "min.cleanable.dirty.ratio": "0.01", "delete.retention.ms": "100"}
    client = admin(kafka)
    async with started(client), open_publisher(kafka) as publisher:
        topic = ConfigResource(
            ConfigResourceType.TOPIC, kafka.prefix + STATES.name, configs=STATES.configuration(1) | quick
        )
        await client.alter_configs([topic])
        for version in range(5):
            states = [Message(STATES.name, b"k%d" % key, b"%d" % version) for key in range(20)]
            await publisher.send(states, within=10)
        await publisher.send([Message(STATES.name, b"k7", None)], within=10)

        async def compacted() -> bool:
            await publisher.send([Message(STATES.name, b"latest", b"x")], within=10)
            return [record.key for record in await read_all(kafka, STATES.name)].count(b"k3") == 1

        await until(compacted, "the log was compacted", within=120)
    state: dict[bytes | None, bytes | None] = {}
    for record in await read_all(kafka, STATES.name):
        state[record.key] = record.value
    assert {key: value for key, value in state.items() if value is not None} == {
        b"latest": b"x",
        **{b"k%d" % key: b"4" for key in range(20) if key != 7},
    }
