"""The traps that lie in the broker and its answers, one test each (numbers: the list of the broker study, §13).

Whatever is frozen or killed here is a Kafka of this module's own.
"""

from __future__ import annotations

import ast
import asyncio
import os
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from aiokafka.admin import NewPartitions
from aiokafka.errors import GroupCoordinatorNotAvailableError
from structlog.testing import capture_logs

from hub import clock, embedded
from hub.embedded import Addresses, processes
from hub.errors import Misconfigured, Reject, Retry
from hub.runtime.processes import only_one
from hub.settings import Kafka
from hub.storage.offsets import PostgresStore
from hub.storage.pool import Pool
from hub.streams import batches, clients
from hub.streams.batches import BatchLoop, consume
from hub.streams.clients import admin, consumer, started
from hub.streams.clients import servers as server_list
from hub.streams.publish import Message, open_publisher
from hub.streams.topics import create_topics
from schemas.topics import PROFILES, Topic
from tests.support.lanes import TOPIC, Bench, Counted, a_bench
from tests.support.line import read_all, running, until
from tests.support.source import PACKAGES, at, called, files, parsed

pytestmark = pytest.mark.integration
FEW, MORE = [b"%03d" % number for number in range(30)], [b"more %03d" % number for number in range(30)]


class Fragile:
    """A Kafka that may be frozen and killed."""

    def __init__(self, state: Path) -> None:
        self._state = state
        self.addresses = self.start()

    def start(self) -> Addresses:
        """Start it, or adopt it where it runs; on the same port as before."""
        return embedded.start(self._state, postgres=False, redis=False)

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        (pid,) = [one.pid for one in embedded.status(self._state) if one.name == "kafka"]
        assert pid
        os.kill(pid, number)
        while number == signal.SIGKILL and processes.birth(pid):
            processes.pause(0.01)

    def stop(self) -> None:
        """End it in order."""
        embedded.stop(self._state)


@pytest.fixture(scope="module")
def fragile() -> Iterator[Fragile]:
    state = Path(tempfile.mkdtemp(prefix="hub-traps-"))
    one = Fragile(state)
    yield one
    one.stop()
    shutil.rmtree(state)


@asynccontextmanager
async def frozen(broker: Fragile, *, at_once: bool = True) -> AsyncIterator[Callable[[], None]]:
    """It holds its connections and answers nothing, from now on or from when the block says so."""
    if at_once:
        broker.signal(signal.SIGSTOP)
    try:
        yield lambda: broker.signal(signal.SIGSTOP)
    finally:
        broker.signal(signal.SIGCONT)
        await asyncio.to_thread(broker.start)


async def has(bench: Bench, values: list[bytes]) -> bool:
    """Whether the effects are exactly these."""
    return await bench.effects() == sorted(values)


# 9, 11, 12: the broker is away


async def test_9_after_a_kill_of_the_broker_everything_acknowledged_has_its_effect_once(
    fragile: Fragile, pool: Pool
) -> None:
    bench = await a_bench(fragile.addresses, pool, partitions=2)
    sent: list[bytes] = []
    async with bench.lane(Counted()):
        await bench.send(FEW)
        sent += FEW
        await until(lambda: has(bench, sent), "everything is done")
        fragile.signal(signal.SIGKILL)
        assert await asyncio.to_thread(fragile.start) == fragile.addresses
        began = clock.monotonic()
        await bench.send(MORE)
        await until(lambda: has(bench, [*sent, *MORE]), "it goes on by itself", within=10)
        assert clock.monotonic() - began < 10


async def test_11_while_the_broker_is_frozen_a_batch_ends_its_hint_is_given_up_and_later_all_goes_on(
    fragile: Fragile, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "BOUND_SECONDS", 1.0)
    bench = await a_bench(fragile.addresses, pool, partitions=1)
    gate, held = asyncio.Event(), asyncio.Event()

    async def hold() -> None:
        held.set()
        await gate.wait()

    await bench.send(FEW)
    with capture_logs() as logs:
        async with bench.lane(Counted(hold)):
            await held.wait()
            async with frozen(fragile):
                gate.set()
                await until(lambda: has(bench, FEW), "the batch ends")
                given_up = lambda: [line for line in logs if line["event"] == "offset_hint_lost"]  # noqa: E731
                await until(given_up, "the commit is given up", within=5)
            await bench.send(MORE)
            await until(lambda: has(bench, [*FEW, *MORE]), "and all goes on")


async def test_11_while_the_broker_is_frozen_a_lane_stops_within_its_bound(
    fragile: Fragile, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "BOUND_SECONDS", 1.0)
    monkeypatch.setattr(clients, "START_SECONDS", 1.0)
    bench = await a_bench(fragile.addresses, pool, partitions=1)
    await bench.send(FEW)
    stop = asyncio.Event()
    async with running(BatchLoop(bench.kafka, PostgresStore(pool), Counted()).run(stop)) as (lane,):
        await until(lambda: has(bench, FEW), "everything is done")
        async with frozen(fragile):
            stop.set()
            await asyncio.wait_for(lane, 10)


async def test_11_a_publisher_that_is_given_up_says_nothing_any_more(
    fragile: Fragile, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it could not send must not come hours later, behind what its successor has sent."""
    monkeypatch.setattr(clients, "START_SECONDS", 1.0)
    bench = await a_bench(fragile.addresses, pool, partitions=1)
    tasks = asyncio.all_tasks()
    async with frozen(fragile, at_once=False) as freeze:
        async with open_publisher(bench.kafka) as publisher:
            await publisher.send([Message(TOPIC.name, b"k", b"before")], within=5)
            freeze()
            for value in (b"in flight", b"kept back"):
                with pytest.raises(Retry):
                    await publisher.send([Message(TOPIC.name, b"k", value)], within=0.3)
        await until(lambda: asyncio.all_tasks() <= tasks, "nobody is left who could send")
    async with open_publisher(bench.kafka) as publisher:
        await publisher.send([Message(TOPIC.name, b"k", b"after")], within=10)
    values = [record.value for record in await read_all(bench.kafka, TOPIC.name)]
    assert (values[0], values[-1]) == (b"before", b"after")
    assert b"kept back" not in values


async def test_12_a_lane_that_starts_before_its_broker_comes_up_by_itself(fragile: Fragile, pool: Pool) -> None:
    bench = await a_bench(fragile.addresses, pool, partitions=1)
    await bench.send(FEW)
    await asyncio.to_thread(fragile.stop)
    with capture_logs() as logs:
        async with bench.lane(Counted()):
            await until(lambda: [line for line in logs if line["event"] == "consumer_retry"], "it tries again")
            with pytest.raises(Retry):
                async with open_publisher(bench.kafka):
                    pass
            await asyncio.to_thread(fragile.start)
            await until(lambda: has(bench, FEW), "everything is done")


# 15, 22: topics and lanes


async def test_15_records_on_a_new_partition_are_all_read(bench: Bench) -> None:
    async with bench.lane(Counted()):
        await bench.send(FEW)
        await until(lambda: has(bench, FEW), "everything is done")
        client = admin(bench.kafka)
        async with started(client):
            await client.create_partitions({bench.topic: NewPartitions(total_count=3)})
        async with open_publisher(bench.kafka) as publisher:
            messages = [Message(TOPIC.name, None, value) for value in MORE]
            await until(lambda: publisher.partitions(TOPIC.name), "a publisher knows the topic")
            await until(lambda: _sent(bench, messages), "the new partition takes records")
        await until(lambda: has(bench, [*FEW, *MORE]), "they are read once", within=15)


async def _sent(bench: Bench, messages: list[Message]) -> bool:
    try:
        async with open_publisher(bench.kafka) as publisher:
            await publisher.send_together(messages, partition=2, within=5)
    except Retry:
        return False
    return True


async def test_22_four_lanes_share_the_work_within_three_seconds(servers: Addresses, pool: Pool) -> None:
    bench = await a_bench(servers, pool, partitions=4)
    await bench.send(FEW)
    works = [Counted() for _ in range(4)]
    async with running(consume(bench.kafka, PostgresStore(pool), works, asyncio.Event())):
        client = admin(bench.kafka)
        async with started(client):

            async def share() -> bool:
                with suppress(GroupCoordinatorNotAvailableError):  # the first group that this broker ever had
                    (answer,) = await client.describe_consumer_groups([bench.group])
                    return answer.groups[0][2] == "Stable" and len(answer.groups[0][5]) == 4
                return False

            await until(share, "four members", within=3)
        await until(lambda: has(bench, FEW), "everything is done once")


async def test_22_a_missing_topic_ends_the_start_within_its_bound(bench: Bench) -> None:
    client = consumer(bench.kafka, "nobody")
    client.subscribe([bench.kafka.prefix + "missing"])
    with pytest.raises(Retry, match="Kafka does not answer"):
        async with started(client, 1.0):
            pass


# 16, 17, 20, 21: what the broker answers though nobody raises it


class Odd(Topic):
    """A topic with a setting that no broker takes."""

    def configuration(self, replication: int) -> dict[str, str]:
        """Wrong."""
        return {"cleanup.policy": "sometimes"}


async def test_16_what_the_broker_refuses_is_raised_by_name_and_what_is_there_is_fine(bench: Bench) -> None:
    assert await create_topics(bench.kafka, [TOPIC]) == []
    greedy = bench.kafka.model_copy(update={"replication": 9})
    with pytest.raises(Misconfigured, match="greedy: InvalidReplicationFactor"):
        await create_topics(greedy, [Topic("greedy", "", "")])
    with pytest.raises(Misconfigured, match="odd: InvalidConfig"):
        await create_topics(bench.kafka, [TOPIC, Odd("odd", "", "")])


def test_17_nothing_alters_the_settings_of_a_topic() -> None:
    """The call replaces all of them: changing one would make a compacted topic forget."""
    found = [
        at(path, node)
        for path in files(*PACKAGES)
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Call) and called(node) == "alter_configs"
    ]
    assert found == []


@pytest.mark.parametrize("bulk", [False, True])
async def test_20_a_state_without_a_key_is_refused_in_words(bench: Bench, bulk: bool) -> None:
    await create_topics(bench.kafka, [PROFILES])
    async with open_publisher(bench.kafka, bulk=bulk) as publisher:
        send = publisher.send_bulk if bulk else publisher.send
        with pytest.raises(Reject, match="needs a key"):
            await send([Message(PROFILES.name, None, b"{}")], within=5)


async def test_21_more_than_a_batch_holds_is_split_and_stays_in_order(bench: Bench) -> None:
    values = [b"%04d" % number + bytes(9000) for number in range(400)]
    async with open_publisher(bench.kafka, bulk=True) as publisher:
        await publisher.send_bulk([Message(TOPIC.name, b"k", value) for value in values], within=30)
    assert [record.value for record in await read_all(bench.kafka, TOPIC.name)] == values


# 23, 24: one address each, one name each


def test_23_servers_are_a_list() -> None:
    assert server_list(Kafka(servers=("a:1", "b:2"))) == ["a:1", "b:2"]


def test_24_a_second_hub_on_a_state_folder_is_refused_before_it_reaches_kafka(tmp_path: Path) -> None:
    with only_one(tmp_path), pytest.raises(Misconfigured, match="another hub serves this folder"), only_one(tmp_path):
        pass
    with only_one(tmp_path):
        pass
