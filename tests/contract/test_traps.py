"""The traps of the Kafka client that this hub meets, one test each (numbers: the list of the broker study, §13)."""

from __future__ import annotations

import asyncio
from functools import partial

import pytest
from aiokafka.admin import NewPartitions

from hub.embedded import Addresses
from hub.errors import Misconfigured, Reject, Retry
from hub.settings import Kafka
from hub.storage.offsets import PostgresStore
from hub.storage.pool import Pool
from hub.streams import batches
from hub.streams.clients import admin, consumer, started
from hub.streams.clients import servers as server_list
from hub.streams.publish import Message, open_publisher
from hub.streams.topics import create_topics
from schemas.topics import PROFILES
from tests.support.lanes import BROKEN, MALFORMED, TOPIC, Bench, Counted, LateStore, a_bench
from tests.support.tools import until

pytestmark = pytest.mark.integration


async def has(bench: Bench, values: list[bytes]) -> bool:
    """Whether the effects are exactly these."""
    return await bench.effects() == sorted(values)


async def test_1_an_exception_of_ours_ends_in_a_dead_letter_and_takes_nobody_along(bench: Bench) -> None:
    good = [b"%03d" % number for number in range(40)]
    await bench.send([*good[:20], BROKEN, *good[20:]], key=b"k")
    async with bench.lane(Counted()):
        await until(lambda: has(bench, good))
    assert await bench.letters() == [("write", "ZeroDivisionError", BROKEN, None)]
    assert await bench.stored() == {0: 41}


async def test_1_a_bad_deploy_stops_its_partition_instead_of_pouring_it_into_the_dead_letters(bench: Bench) -> None:
    await bench.send([BROKEN + b"%d" % number for number in range(30)], key=b"k")
    async with bench.lane(Counted()) as loop:
        await until(lambda: _is_parked(loop))
    assert len(await bench.letters()) == 5
    assert await bench.stored() == {0: 5}


async def _is_parked(loop: batches.BatchLoop) -> bool:
    return bool(loop.parked)


async def test_1_what_cannot_be_read_is_a_dead_letter_and_never_counts_against_the_partition(bench: Bench) -> None:
    await bench.send([MALFORMED] * 60 + [b"good"], key=b"k")
    async with bench.lane(Counted()) as loop:
        await until(lambda: has(bench, [b"good"]))
        assert not loop.parked
    assert await bench.letters() == [("read", "Unreadable", MALFORMED, "value")] * 60


async def test_2_a_member_that_joins_and_leaves_under_load_makes_nothing_twice(servers: Addresses, pool: Pool) -> None:
    bench = await a_bench(servers, pool, partitions=4)
    sent = [b"%05d" % number for number in range(3000)]
    async with asyncio.TaskGroup() as tasks, bench.lane(Counted()):
        tasks.create_task(_send_slowly(bench, sent))
        for _ in range(3):
            async with bench.lane(Counted()) as other:
                await until(partial(_is_placed, other))
        await until(lambda: has(bench, sent), within=60)


async def _is_placed(loop: batches.BatchLoop) -> bool:
    return bool(loop.positions)


async def _worked(work: Counted) -> bool:
    return bool(work.batches)


async def _send_slowly(bench: Bench, sent: list[bytes]) -> None:
    for start in range(0, len(sent), 100):
        await bench.send(sent[start : start + 100])


async def test_3_a_batch_held_over_a_rebalance_has_its_effect_once(servers: Addresses, pool: Pool) -> None:
    bench = await a_bench(servers, pool, partitions=2)
    gate, held = asyncio.Event(), asyncio.Event()

    async def hold() -> None:
        held.set()
        await gate.wait()

    sent = [b"%03d" % number for number in range(50)]
    await bench.send(sent)
    async with bench.lane(Counted(hold)):
        await held.wait()
        async with bench.lane(Counted()):
            gate.set()
            await until(lambda: has(bench, sent))


async def test_4_a_store_behind_kafka_and_slow_to_answer_loses_no_record(bench: Bench) -> None:
    sent = [b"%04d" % number for number in range(400)]
    await bench.send(sent, key=b"k")
    await bench.commit({0: 300})
    work = Counted()
    async with bench.lane(work, LateStore(bench.pool, seconds=0.3)):
        await until(lambda: has(bench, sent))
    assert work.batches[0][0] == sent[0]


async def test_5_nothing_is_handled_before_the_store_has_said_where(bench: Bench) -> None:
    await bench.send([b"a", b"b"], key=b"k")
    store = LateStore(bench.pool, failures=3)
    work = Counted()
    async with bench.lane(work, store):
        await until(lambda: _worked(work))
        assert store.failures == 0
        await until(lambda: has(bench, [b"a", b"b"]))


async def test_8_a_topic_that_was_made_anew_stops_loudly_and_drops_nothing(bench: Bench) -> None:
    async with bench.pool.acquire() as connection, connection.transaction():
        store = PostgresStore(bench.pool)
        await store.fence(connection, bench.group, [(bench.topic, 0)])
        await store.advance(connection, bench.group, {(bench.topic, 0): 300})
    await bench.send([b"new"], key=b"k")
    work = Counted()
    async with bench.lane(work) as loop:
        await until(lambda: _is_parked(loop))
    assert not work.batches
    assert await bench.stored() == {0: 300}


async def test_12_a_broker_that_is_away_is_waited_for(pool: Pool) -> None:
    nowhere = Kafka(servers=("127.0.0.1:9",))
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(batches.BatchLoop(nowhere, PostgresStore(pool), Counted()).run(stop))
        with pytest.raises(Retry):
            async with open_publisher(nowhere):
                pass
        assert not task.done()
        stop.set()


async def test_15_records_on_a_new_partition_are_all_read(bench: Bench) -> None:
    async with bench.lane(Counted()):
        await bench.send([b"first"], key=b"k")
        await until(lambda: has(bench, [b"first"]))
        client = admin(bench.kafka)
        async with started(client):
            await client.create_partitions({bench.topic: NewPartitions(total_count=3)})
        later = [b"%02d" % number for number in range(30)]
        await bench.send(later)
        await until(lambda: has(bench, [*later, b"first"]), within=30)


async def test_16_what_the_broker_refuses_is_raised_and_what_is_there_is_fine(servers: Addresses, bench: Bench) -> None:
    assert await create_topics(bench.kafka, [TOPIC]) == []
    greedy = bench.kafka.model_copy(update={"replication": 9, "prefix": bench.kafka.prefix + "x"})
    with pytest.raises(Misconfigured, match="traps"):
        await create_topics(greedy, [TOPIC])


async def test_20_a_state_without_a_key_is_refused_in_words(bench: Bench) -> None:
    async with open_publisher(bench.kafka) as publisher:
        with pytest.raises(Reject, match="needs a key"):
            await publisher.send([Message(PROFILES.name, None, b"{}")], within=5)


async def test_21_more_than_a_batch_holds_is_split_and_stays_in_order(bench: Bench) -> None:
    values = [b"%04d" % number + bytes(9000) for number in range(400)]
    async with open_publisher(bench.kafka, bulk=True) as publisher:
        await publisher.send_bulk([Message(TOPIC.name, b"k", value) for value in values], within=30)
    work = Counted()
    async with bench.lane(work):
        await until(lambda: has(bench, values))
    assert [value for batch in work.batches for value in batch] == values


async def test_22_a_missing_topic_ends_the_start_within_its_bound(bench: Bench) -> None:
    client = consumer(bench.kafka, "nobody")
    client.subscribe([bench.kafka.prefix + "missing"])
    with pytest.raises(Retry, match="Kafka does not answer"):
        async with started(client, 1.0):
            pass


def test_23_servers_are_a_list() -> None:
    assert server_list(Kafka(servers=("a:1", "b:2"))) == ["a:1", "b:2"]
