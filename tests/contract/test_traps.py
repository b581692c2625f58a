"""The traps of Kafka and its client, one test each, on the real broker: what loses, doubles or hides records by default.

Numbers in names are those of the list that the measurements of the broker ended with.
"""

from __future__ import annotations

import asyncio
import builtins
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
import pytest_asyncio
from aiokafka import TopicPartition
from aiokafka.admin import NewPartitions
from confluent_kafka import Producer
from structlog.testing import capture_logs

from hub.components import Positions
from hub.embedded import Addresses
from hub.errors import Misconfigured, Reject, Retry
from hub.runtime.processes import only_one
from hub.settings import Kafka
from hub.storage.offsets import PostgresStore
from hub.storage.pool import Pool
from hub.streams import batches
from hub.streams.batches import BatchLoop, Stalled, consume
from hub.streams.clients import admin, started
from hub.streams.limits import IN_A_ROW
from hub.streams.publish import Message, open_publisher
from hub.streams.topics import create_topics
from schemas.topics import PROFILES, TOPICS, Topic
from tests.support.line import Tally, read_all, running, topics, until

pytestmark = pytest.mark.integration
TOPIC = Tally.topics[0]


@pytest_asyncio.fixture
async def kafka(servers: Addresses) -> AsyncIterator[Kafka]:
    async with topics(servers.kafka) as made:
        yield made


@pytest_asyncio.fixture
async def tally(pool: Pool) -> Tally:
    return await Tally.on(pool)


async def send(kafka: Kafka, values: Sequence[bytes], partition: int | None = None) -> None:
    """Put these on the topic: on one partition in order, or spread over all of them."""
    async with open_publisher(kafka) as publisher:
        if partition is not None:
            await publisher.send_together([Message(TOPIC, None, one) for one in values], partition=partition, within=10)
        else:
            await publisher.send_bulk([Message(TOPIC, one, one) for one in values], within=10)


def numbered(count: int, word: bytes = b"") -> list[bytes]:
    return [b"%s%d" % (word, number) for number in range(count)]


async def stored(pool: Pool, kafka: Kafka) -> dict[int, int]:
    """Partition → the next offset, as the store has it."""
    rows = await pool.fetch("SELECT part, next_offset FROM stored_offset WHERE grp = $1", kafka.prefix + Tally.group)
    return {row["part"]: row["next_offset"] for row in rows}


async def committed(kafka: Kafka, partition: int) -> int | None:
    client = admin(kafka)
    async with started(client):
        found = await client.list_consumer_group_offsets(kafka.prefix + Tally.group)
    at = found.get(TopicPartition(kafka.prefix + TOPIC, partition))
    return at.offset if at else None


def said(logs: Sequence[Any], event: str) -> list[Any]:
    return [line for line in logs if line["event"] == event]


# 1: an exception of our own


async def test_1_a_record_that_our_code_fails_on_becomes_a_dead_letter_alone_with_its_bytes(
    kafka: Kafka, pool: Pool, tally: Tally
) -> None:
    values = [*numbered(40, b"a"), b"poison", *numbered(40, b"b")]
    await send(kafka, values, partition=0)
    async with running(BatchLoop(kafka, PostgresStore(pool), tally).run(asyncio.Event())):
        await until(lambda: tally.has(80), "everything but the culprit is done")
    assert await tally.values() == Counter(one for one in values if one != b"poison")
    (letter,) = await pool.fetch("SELECT body, stage, error, next_offset FROM dead_letter")
    assert tuple(letter) == (b"poison", "write", "ValueError", 41)
    assert await stored(pool, kafka) == {0: 81}
    assert await committed(kafka, 0) == 81


async def test_1_more_failures_in_a_row_than_the_limit_stop_the_partition_loudly_and_lose_nothing(
    kafka: Kafka, pool: Pool, tally: Tally
) -> None:
    poison = [b"poison"] * (IN_A_ROW + 3)
    await send(kafka, [*numbered(5, b"a"), *poison, *numbered(5, b"b")], partition=0)
    await send(kafka, numbered(20, b"c"), partition=1)
    with capture_logs() as logs:
        async with running(BatchLoop(kafka, PostgresStore(pool), tally).run(asyncio.Event())):
            await until(lambda: tally.has(25), "the other partition goes on")
            await until(lambda: said(logs, "partition_stopped"), "somebody says so")
            await send(kafka, numbered(5, b"d"), partition=1)
            await until(lambda: tally.has(30), "and on")
    assert await pool.fetchval("SELECT count(*) FROM dead_letter") == IN_A_ROW
    assert (await stored(pool, kafka))[0] == 5 + IN_A_ROW
    tally.heal()
    async with running(BatchLoop(kafka, PostgresStore(pool), tally).run(asyncio.Event())):
        await until(lambda: tally.has(30 + 3 + 5), "with the code mended it goes on where it stopped")
    assert max((await tally.values() - Counter({b"poison": 3})).values()) == 1


async def test_1_events_that_cannot_be_read_fill_the_dead_letters_and_stop_nobody(
    kafka: Kafka, pool: Pool, tally: Tally
) -> None:
    await send(kafka, [*numbered(300, b"bad "), *numbered(10, b"a")], partition=0)
    async with running(BatchLoop(kafka, PostgresStore(pool), tally).run(asyncio.Event())):
        await until(lambda: tally.has(10), "those behind are done")
    rows = await pool.fetch("SELECT stage, error, field FROM dead_letter")
    assert {tuple(row) for row in rows} == {("read", "Unreadable", "value")}
    assert len(rows) == 300


async def test_1_a_record_with_a_header_of_no_value_is_kept_as_it_is(kafka: Kafka, pool: Pool, tally: Tally) -> None:
    other = Producer({"bootstrap.servers": ",".join(kafka.servers)})
    for value in (b"bad header", b"poison", b"a"):
        other.produce(kafka.prefix + TOPIC, value, headers=[("ce_id", None), ("x", b"\xff")], partition=0)
    other.flush(10)
    async with running(BatchLoop(kafka, PostgresStore(pool), tally).run(asyncio.Event())):
        await until(lambda: tally.has(1), "the one behind is done")
    assert await pool.fetchval("SELECT count(*) FROM dead_letter") == 2


# 2, 3: somebody joins or leaves


async def test_2_a_member_that_joins_and_leaves_under_load_costs_no_record_and_doubles_none(
    kafka: Kafka, pool: Pool, tally: Tally
) -> None:
    count, stop = 0, asyncio.Event()

    async def load() -> None:
        nonlocal count
        async with open_publisher(kafka) as publisher:
            while not stop.is_set():
                values = numbered(50, b"%d " % count)
                await publisher.send_bulk([Message(TOPIC, one, one) for one in values], within=10)
                count += 50

    def loop() -> BatchLoop:
        return BatchLoop(kafka, PostgresStore(pool), tally)

    with capture_logs() as logs:
        async with running(loop().run(asyncio.Event()), load()) as (_, loading):
            for _ in range(3):
                leave, second = asyncio.Event(), loop()
                async with running(second.run(leave)) as (member,):
                    await until(lambda one=second: one._next, "the second member has a place")
                    before = count
                    await until(lambda than=before: count > than + 200, "work goes on")
                    leave.set()
                    await asyncio.wait_for(member, 20)
            stop.set()
            await loading
            await until(lambda: tally.has(count), "everything is done")
    assert set((await tally.values()).values()) == {1}
    assert not said(logs, "offset_hint_lost")
    assert not said(logs, "drain_bound")


async def test_3_a_batch_that_outlasts_a_rebalance_is_done_once_and_its_commit_asks_for_nothing_that_is_not_ours(
    kafka: Kafka, pool: Pool, tally: Tally, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "BOUND_SECONDS", 1.0)
    await send(kafka, numbered(100))
    tally.hold()
    first, second = (BatchLoop(kafka, PostgresStore(pool), tally) for _ in range(2))
    with capture_logs() as logs:
        async with running(first.run(asyncio.Event())) as (slow,):
            await until(lambda: tally.held, "the first member is in the middle of a batch")
            async with running(second.run(asyncio.Event())):
                await until(lambda: said(logs, "drain_bound"), "the drain gave up waiting")
                await until(lambda: second._next, "the second member has a place")
                tally.release()
                await until(lambda: tally.has(100), "everything is done")
                await send(kafka, numbered(100, b"more "))
                await until(lambda: tally.has(200), "and goes on")
            assert not slow.done()
    assert set((await tally.values()).values()) == {1}
    assert not said(logs, "consumer_retry")


# 4, 5, 8: the store's word


class SlowStore(PostgresStore):
    """A store that takes its time to tell a position."""

    async def positions(self, group: str, partitions: Sequence[tuple[str, int]]) -> Positions:
        found = await super().positions(group, partitions)
        async with self._pool.acquire() as connection:
            await connection.execute("SELECT pg_sleep(0.3)")
        return found


class SilentStore(PostgresStore):
    """A store that never tells a position."""

    async def positions(self, group: str, partitions: Sequence[tuple[str, int]]) -> Positions:
        raise Retry("away")


async def test_4_a_store_behind_kafka_is_believed_and_nothing_is_read_before_it_has_spoken(
    kafka: Kafka, pool: Pool, tally: Tally
) -> None:
    for partition in range(4):
        await send(kafka, numbered(100, b"%d: " % partition), partition=partition)
    async with running(BatchLoop(kafka, PostgresStore(pool), tally).run(asyncio.Event())):
        await until(lambda: tally.has(400), "everything is done")
        await until(lambda: committed(kafka, 3), "Kafka knows")
    await pool.execute("UPDATE stored_offset SET next_offset = 20")
    await tally.forget(beyond=20)
    async with running(BatchLoop(kafka, SlowStore(pool), tally).run(asyncio.Event())):
        await until(lambda: tally.has(400), "everything is done again from 20 on")
    assert set((await tally.values()).values()) == {1}


async def test_5_without_the_stores_word_no_record_is_touched_and_the_process_ends(
    kafka: Kafka, pool: Pool, tally: Tally, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "range", lambda _: builtins.range(3), raising=False)
    await send(kafka, numbered(20))
    with pytest.raises(Stalled):
        await asyncio.wait_for(BatchLoop(kafka, SilentStore(pool), tally).run(asyncio.Event()), 30)
    assert await tally.values() == Counter()


async def recreate(kafka: Kafka) -> None:
    client = admin(kafka)
    async with started(client):
        await client.delete_topics([kafka.prefix + TOPIC])

        async def is_gone() -> bool:
            return kafka.prefix + TOPIC not in await client.list_topics()

        await until(is_gone, "the topic is gone")
    (topic,) = [one for one in TOPICS if one.name == TOPIC]
    await until(lambda: _made(kafka, topic), "the topic is there again")


async def _made(kafka: Kafka, topic: Topic) -> bool:
    return bool(await create_topics(kafka, [topic]))


@pytest.mark.parametrize("running_meanwhile", [False, True])
async def test_8_a_topic_made_anew_under_a_stored_offset_stops_loudly_and_drops_no_record(
    kafka: Kafka, pool: Pool, tally: Tally, running_meanwhile: bool
) -> None:
    await send(kafka, numbered(30), partition=0)
    loop = BatchLoop(kafka, PostgresStore(pool), tally)
    with capture_logs() as logs:
        async with running(loop.run(asyncio.Event())):
            await until(lambda: tally.has(30), "everything is done")
            if running_meanwhile:
                await recreate(kafka)
                await send(kafka, numbered(10, b"new "), partition=0)
                await until(lambda: said(logs, "partition_stopped"), "somebody says so")
        if not running_meanwhile:
            await recreate(kafka)
            await send(kafka, numbered(10, b"new "), partition=0)
            async with running(loop.run(asyncio.Event())):
                await until(lambda: said(logs, "partition_stopped"), "somebody says so")
    assert await stored(pool, kafka) == {0: 30}
    assert len(await read_all(kafka, TOPIC)) == 10


# 15, 22: topics and lanes


async def test_15_a_partition_that_is_added_is_read_from_its_first_record(
    kafka: Kafka, pool: Pool, tally: Tally
) -> None:
    await send(kafka, numbered(40))
    async with running(BatchLoop(kafka, PostgresStore(pool), tally).run(asyncio.Event())):
        await until(lambda: tally.has(40), "everything is done")
        client = admin(kafka)
        async with started(client):
            await client.create_partitions({kafka.prefix + TOPIC: NewPartitions(6)})
        await until(lambda: _sent(kafka, partition=5), "the new partition takes records")
        await until(lambda: tally.has(60), "they are read", within=12)
    assert set((await tally.values()).values()) == {1}


async def _sent(kafka: Kafka, partition: int) -> bool:
    try:
        await send(kafka, numbered(20, b"new "), partition=partition)
    except Retry:
        return False
    return True


async def test_22_four_lanes_share_the_work_within_three_seconds(kafka: Kafka, pool: Pool, tally: Tally) -> None:
    await send(kafka, numbered(200))
    async with running(consume(kafka, PostgresStore(pool), [tally] * 4, asyncio.Event())):
        client = admin(kafka)
        async with started(client):

            async def members() -> bool:
                (answer,) = await client.describe_consumer_groups([kafka.prefix + Tally.group])
                _, _, state, _, _, found, *_ = answer.groups[0]
                return state == "Stable" and len(found) == 4

            await until(members, "four members share the partitions", within=3)
        await until(lambda: tally.has(200), "everything is done")
    assert set((await tally.values()).values()) == {1}


async def test_22_a_topic_that_is_not_there_yet_is_read_from_its_first_record_once_it_is(
    servers: Addresses, pool: Pool, tally: Tally
) -> None:
    async with topics(servers.kafka, made=[]) as kafka:
        async with running(BatchLoop(kafka, PostgresStore(pool), tally).run(asyncio.Event())):
            await create_topics(kafka, [one for one in TOPICS if one.name == TOPIC])
            await until(lambda: _sent(kafka, partition=0), "the topic takes records")
            await until(lambda: tally.has(20), "they are read", within=15)


# 16, 17, 20, 21: what the broker answers, and nobody raises


async def test_16_a_topic_that_the_broker_refuses_is_an_error_with_its_name(kafka: Kafka) -> None:
    with pytest.raises(Misconfigured, match=r"new-topic: InvalidReplicationFactor"):
        await create_topics(kafka.model_copy(update={"replication": 3}), [Topic("new-topic", "", "")])

    class Odd(Topic):
        def configuration(self, replication: int) -> dict[str, str]:
            return {"cleanup.policy": "sometimes"}

    with pytest.raises(Misconfigured, match=r"odd-topic: InvalidConfig"):
        await create_topics(kafka, [Odd("odd-topic", "", "")])


async def test_16_a_topic_that_is_there_already_is_fine(kafka: Kafka) -> None:
    assert await create_topics(kafka) == []


@pytest.mark.parametrize("bulk", [False, True])
async def test_20_a_record_without_a_key_on_a_compacted_topic_is_refused_by_name(kafka: Kafka, bulk: bool) -> None:
    async with open_publisher(kafka, bulk=bulk) as publisher:
        send = publisher.send_bulk if bulk else publisher.send
        with pytest.raises(Reject) as refused:
            await send([Message(PROFILES.name, None, b"{}")], within=5)
    assert refused.value.field == "key"


async def test_21_more_than_a_batch_holds_is_split_in_order(kafka: Kafka) -> None:
    values = [b"%d %s" % (number, b"x" * 300_000) for number in range(20)]
    async with open_publisher(kafka, bulk=True) as publisher:
        await publisher.send_bulk([Message(TOPIC, b"key", value) for value in values], within=10)
    assert [record.value for record in await read_all(kafka, TOPIC)] == values


# 24: two that go by one name


def test_24_a_second_hub_on_a_state_folder_is_refused_before_it_reaches_kafka(tmp_path: Any) -> None:
    with only_one(tmp_path), pytest.raises(Misconfigured, match="another hub serves this folder"), only_one(tmp_path):
        pass
    with only_one(tmp_path):
        pass
