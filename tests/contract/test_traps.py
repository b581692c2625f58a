"""The traps of the Kafka client that a consumer meets, one test each (numbers: the list of the broker study, §13)."""

from __future__ import annotations

import asyncio
import builtins
import os
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiokafka.partitioner import DefaultPartitioner
from confluent_kafka import Producer
from structlog.testing import capture_logs

from hub.embedded import Addresses
from hub.storage.pool import Pool
from hub.streams import batches
from hub.streams.batches import Stalled
from hub.streams.clients import admin, started
from hub.streams.limits import IN_A_ROW
from hub.streams.topics import create_topics
from tests.support import zombies
from tests.support.lanes import BROKEN, MALFORMED, TOPIC, Bench, Counted, LateStore, a_bench
from tests.support.line import read_all, running, until

pytestmark = pytest.mark.integration


def numbered(count: int, word: bytes = b"") -> list[bytes]:
    return [b"%s%04d" % (word, number) for number in range(count)]


async def has(bench: Bench, values: Sequence[bytes]) -> bool:
    """Whether the effects are exactly these."""
    return await bench.effects() == sorted(values)


def said(logs: Sequence[Any], event: str) -> list[Any]:
    return [line for line in logs if line["event"] == event]


# 1: an exception of our own


async def test_1_an_exception_of_ours_ends_in_a_dead_letter_and_takes_nobody_along(bench: Bench) -> None:
    good = numbered(40)
    await bench.send([*good[:20], BROKEN, *good[20:]], key=b"k")
    async with bench.lane(Counted()):
        await until(lambda: has(bench, good), "everything but the culprit is done")
    assert await bench.letters() == [("write", "ZeroDivisionError", BROKEN, None)]
    assert await bench.stored() == {0: 41}


async def test_1_a_bad_deploy_stops_its_partition_loudly_and_the_next_one_goes_on_there(
    servers: Addresses, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = await a_bench(servers, pool, partitions=2)
    first, other = key_of(0), key_of(1)
    broken = [b"%s%d" % (BROKEN, number) for number in range(IN_A_ROW + 3)]
    await bench.send([*numbered(5, b"a"), *broken, *numbered(5, b"b")], key=first)
    await bench.send(numbered(20, b"c"), key=other)
    before = [*numbered(5, b"a"), *numbered(20, b"c"), *numbered(5, b"d")]
    with capture_logs() as logs:
        async with bench.lane(Counted()):
            await until(lambda: said(logs, "partition_stopped"), "somebody says so")
            await bench.send(numbered(5, b"d"), key=other)
            await until(lambda: has(bench, before), "the other partition goes on")
    assert len(await bench.letters()) == IN_A_ROW
    assert (await bench.stored())[0] == 5 + IN_A_ROW
    monkeypatch.setattr("tests.support.lanes.BROKEN", b"nothing is broken any more")
    async with bench.lane(Counted()):
        after = [*before, *broken[IN_A_ROW:], *numbered(5, b"b")]
        await until(lambda: has(bench, after), "with the code mended it goes on where it stopped")


def key_of(partition: int) -> bytes:
    """A key that goes to this partition of two."""
    choose = DefaultPartitioner()
    return next(key for key in numbered(50, b"key") if choose(key, [0, 1], [0, 1]) == partition)


async def test_1_what_cannot_be_read_is_a_dead_letter_and_never_counts_against_the_partition(bench: Bench) -> None:
    await bench.send([MALFORMED] * 300 + [b"good"], key=b"k")
    async with bench.lane(Counted()) as loop:
        await until(lambda: has(bench, [b"good"]), "the one behind is done")
        assert not loop.parked
    assert await bench.letters() == [("read", "Unreadable", MALFORMED, "value")] * 300


async def test_1_a_letter_keeps_headers_without_a_value_and_of_any_bytes(bench: Bench) -> None:
    """Other clients write a null where ours would not: what cannot be kept would come again for ever."""
    other = Producer({"bootstrap.servers": ",".join(bench.kafka.servers)})
    for value in (MALFORMED, BROKEN, b"good"):
        other.produce(bench.topic, value, headers=[("ce_id", None), ("x", b"\xff\x00")], partition=0)
    assert other.flush(10) == 0
    async with bench.lane(Counted()):
        await until(lambda: has(bench, [b"good"]), "the one behind is done")
    assert len(await bench.letters()) == 2


async def test_what_gathers_while_a_sip_is_written_is_the_next_batch(servers: Addresses, pool: Pool) -> None:
    """Fetching ahead would bring the first of them alone, and the others a turn later."""
    bench = await a_bench(servers, pool, partitions=4)

    async def others_come() -> None:
        if len(work.batches) == 1:
            for value in numbered(20):
                await bench.send([value])

    work = Counted(others_come)
    await bench.send([b"first"])
    async with bench.lane(work):
        await until(lambda: has(bench, [b"first", *numbered(20)]), "everything is done")
    assert [len(batch) for batch in work.batches] == [1, 20]


# 2, 3: somebody joins or leaves


async def test_2_a_member_that_joins_and_leaves_under_load_makes_nothing_twice(servers: Addresses, pool: Pool) -> None:
    bench = await a_bench(servers, pool, partitions=4)
    sent: list[bytes] = []
    done = asyncio.Event()

    async def load() -> None:
        while not done.is_set():
            values = numbered(100, b"%d." % len(sent))
            await bench.send(values)
            sent.extend(values)

    with capture_logs() as logs:
        async with bench.lane(Counted()), running(load()) as (loading,):
            for _ in range(3):
                async with bench.lane(Counted()) as other:
                    await until(lambda one=other: one.positions, "the second member has a place")  # type: ignore[misc]
            done.set()
            await loading
            await until(lambda: has(bench, sent), "everything is done once", within=60)
    assert not said(logs, "offset_hint_lost")
    assert not said(logs, "drain_bound")


async def test_3_a_batch_that_outlasts_a_rebalance_has_its_effect_once_and_ends_nobody(
    servers: Addresses, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "BOUND_SECONDS", 1.0)
    bench = await a_bench(servers, pool, partitions=2)
    gate, held = asyncio.Event(), asyncio.Event()

    async def hold() -> None:
        held.set()
        await gate.wait()

    await bench.send(numbered(50))
    with capture_logs() as logs:
        async with bench.lane(Counted(hold)):
            await held.wait()
            async with bench.lane(Counted()) as other:
                await until(lambda: said(logs, "drain_bound"), "nobody waits for the batch any longer")
                await until(lambda: other.positions, "the second member has a place")
                gate.set()
                await until(lambda: has(bench, numbered(50)), "it is done once")
                await bench.send(numbered(50, b"more "))
                everything = [*numbered(50), *numbered(50, b"more ")]
                await until(lambda: has(bench, everything), "and both go on")
    assert not said(logs, "consumer_retry")


# 4, 5, 8: the store's word


async def test_4_a_store_behind_kafka_and_slow_to_answer_loses_no_record(bench: Bench) -> None:
    sent = numbered(400)
    await bench.send(sent, key=b"k")
    await bench.commit({0: 300})
    work = Counted()
    async with bench.lane(work, LateStore(bench.pool, seconds=0.3)):
        await until(lambda: has(bench, sent), "everything is done once")
    assert work.batches[0][0] == sent[0]


async def test_5_nothing_is_handled_before_the_store_has_said_where(bench: Bench) -> None:
    await bench.send([b"a", b"b"], key=b"k")
    store = LateStore(bench.pool, failures=3)
    work = Counted()
    async with bench.lane(work, store):
        await until(lambda: work.batches, "something is handled")
        assert store.failures == 0
        await until(lambda: has(bench, [b"a", b"b"]), "everything is done once")


async def test_5_a_store_that_never_says_where_ends_the_process(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "range", lambda _: builtins.range(3), raising=False)
    await bench.send([b"a", b"b"], key=b"k")
    loop = batches.BatchLoop(bench.kafka, LateStore(bench.pool, failures=1000), Counted())
    with pytest.raises(Stalled):
        await asyncio.wait_for(loop.run(asyncio.Event()), 20)
    assert await bench.effects() == []


async def made_anew(bench: Bench) -> None:
    """The same topic again, with ten records, as somebody does who cleans up."""
    client = admin(bench.kafka)
    async with started(client):
        await client.delete_topics([bench.topic])

        async def is_gone() -> bool:
            return bench.topic not in await client.list_topics()

        await until(is_gone, "the topic is gone")
    await until(lambda: create_topics(bench.kafka, [TOPIC]), "the topic is there again")
    await bench.send(numbered(10, b"new "), key=b"k")


@pytest.mark.parametrize("meanwhile", ["the consumer is away", "the consumer reads"])
async def test_8_a_topic_made_anew_under_a_stored_offset_stops_loudly_and_drops_nothing(
    bench: Bench, meanwhile: str
) -> None:
    await bench.send(numbered(30), key=b"k")
    with capture_logs() as logs:
        async with bench.lane(Counted()):
            await until(lambda: has(bench, numbered(30)), "everything is done")
            if meanwhile == "the consumer reads":
                await made_anew(bench)
                await until(lambda: said(logs, "partition_stopped"), "somebody says so")
        if meanwhile == "the consumer is away":
            await made_anew(bench)
            async with bench.lane(Counted()):
                await until(lambda: said(logs, "partition_stopped"), "somebody says so")
    assert await has(bench, numbered(30))
    assert await bench.stored() == {0: 30}
    assert len(await read_all(bench.kafka, TOPIC.name)) == 10


# 6, 7: a member that the group gave up and that does not know


@asynccontextmanager
async def a_zombie(bench: Bench, url: str, where: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """A lane of another process, standing still with a batch in its hands."""
    words = (",".join(bench.kafka.servers), bench.kafka.prefix, url, where)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.support.zombies",
        *words,
        stdout=asyncio.subprocess.DEVNULL,
        cwd=Path(__file__).parents[2],
    )
    try:
        state = Path(f"/proc/{process.pid}/stat")
        await until(lambda: state.read_text().rpartition(")")[2].split()[0] == "T", "it stands still")
        yield process
    finally:
        process.kill()
        await process.wait()


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks at processes as Linux shows them")
@pytest.mark.parametrize("where", [zombies.BEFORE, zombies.WITHIN])
async def test_6_and_7_a_member_that_wakes_up_after_its_session_does_nothing_twice(
    bench: Bench, database_url: str, where: str
) -> None:
    """Within its transaction it even holds the fence: PostgreSQL cuts it off, so that the new owner can go on."""
    sent = [*numbered(20), zombies.STOP, *numbered(20, b"later ")]
    await bench.send(sent, key=b"k")
    async with a_zombie(bench, database_url, where) as zombie, bench.lane(Counted()) as heir:
        await until(lambda: has(bench, sent), "the heir has done everything", within=20)
        os.kill(zombie.pid, signal.SIGCONT)
        await until(lambda: _members(bench, 2), "the zombie is a member again")
        await bench.send(numbered(20, b"last "), key=b"k")
        await until(lambda: has(bench, [*sent, *numbered(20, b"last ")]), "and nothing was done twice")
        assert not heir.parked
        assert zombie.returncode is None


async def _members(bench: Bench, count: int) -> bool:
    client = admin(bench.kafka)
    async with started(client):
        (answer,) = await client.describe_consumer_groups([bench.group])
    _, _, state, _, _, members, *_ = answer.groups[0]
    return state == "Stable" and len(members) == count
