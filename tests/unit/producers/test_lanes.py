"""Lanes: whoever comes while a batch is on its way travels with the next one, and nobody waits past the bound."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from hub import clock
from hub.errors import Retry
from hub.streams.publish import Message, partition_of
from producers.gateway.lanes import SMALL_BYTES, Lanes


class Slow:
    """A publisher whose batches end when they are told to."""

    def __init__(self) -> None:
        self.batches: list[tuple[int, list[bytes | None], float]] = []
        self.alone: list[Message] = []
        self.gate = asyncio.Semaphore(0)
        self.wrong: Exception | None = None
        self.count = asyncio.get_running_loop().create_future()

    async def partitions(self, topic: str) -> int:
        return int(await self.count)

    async def send(self, messages: Sequence[Message], *, within: float) -> None:
        self.alone += messages

    async def send_together(self, messages: Sequence[Message], *, partition: int, within: float) -> None:
        self.batches.append((partition, [message.value for message in messages], within))
        await self.gate.acquire()
        if self.wrong:
            raise self.wrong


@pytest.fixture
async def slow() -> Slow:
    publisher = Slow()
    publisher.count.set_result(2)
    return publisher


KEYS = {partition_of(b"%d" % number, 2): b"%d" % number for number in range(10)}


def a_message(number: int, partition: int = 0) -> Message:
    return Message("inbound.forms", KEYS[partition], b"%d" % number)


async def settle() -> None:
    """Let every task go as far as it can."""
    for _ in range(10):
        await asyncio.wait([asyncio.get_running_loop().create_future()], timeout=0)


async def test_what_comes_while_a_batch_is_on_its_way_is_the_next_batch(slow: Slow) -> None:
    async with Lanes(slow) as lanes, asyncio.TaskGroup() as posts:
        posts.create_task(lanes.send([a_message(0)], within=2))
        await settle()
        later = [posts.create_task(lanes.send([a_message(number)], within=2)) for number in (1, 2, 3)]
        await settle()
        assert [values for _, values, _ in slow.batches] == [[b"0"]]
        slow.gate.release()
        await settle()
        assert [values for _, values, _ in slow.batches] == [[b"0"], [b"1", b"2", b"3"]]
        assert not any(one.done() for one in later)
        slow.gate.release()


async def test_what_comes_at_once_travels_at_once(slow: Slow) -> None:
    slow.gate.release()
    async with Lanes(slow) as lanes:
        await asyncio.gather(*(lanes.send([a_message(number)], within=2) for number in range(5)))
    assert [len(values) for _, values, _ in slow.batches] == [5]


async def test_a_lane_that_stands_holds_up_no_other(slow: Slow) -> None:
    async with Lanes(slow) as lanes, asyncio.TaskGroup() as posts:
        posts.create_task(lanes.send([a_message(0, partition=0)], within=2))
        posts.create_task(lanes.send([a_message(1, partition=1)], within=2))
        await settle()
        assert sorted(partition for partition, _, _ in slow.batches) == [0, 1]
        slow.gate.release()
        slow.gate.release()


async def test_whoever_waited_longest_sets_the_bound(slow: Slow, monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter([0.0, 0.0, 1.5, 1.9, 1.9])
    monkeypatch.setattr(clock, "monotonic", lambda: next(times))
    async with Lanes(slow) as lanes, asyncio.TaskGroup() as posts:
        posts.create_task(lanes.send([a_message(0)], within=2))
        await settle()
        posts.create_task(lanes.send([a_message(1)], within=2))
        await settle()
        slow.gate.release()
        await settle()
        slow.gate.release()
    assert [round(within, 3) for _, _, within in slow.batches] == [2.0, 1.6]


async def test_everybody_in_a_batch_is_told_what_went_wrong(slow: Slow) -> None:
    slow.wrong = Retry("away", after=2)
    slow.gate.release()
    async with Lanes(slow) as lanes:
        posts = (lanes.send([a_message(number)], within=2) for number in range(3))
        told = await asyncio.gather(*posts, return_exceptions=True)
        assert [str(one) for one in told] == ["away"] * 3
        assert len({id(one) for one in told}) == 3
        slow.wrong = None
        slow.gate.release()
        await lanes.send([a_message(9)], within=2)


async def test_whoever_waits_at_the_end_is_told(slow: Slow) -> None:
    told: list[type[BaseException]] = []

    async def post(lanes: Lanes, number: int) -> None:
        with pytest.raises(Retry) as wrong:
            await lanes.send([a_message(number)], within=2)
        told.append(wrong.type)

    async with asyncio.TaskGroup() as posts, Lanes(slow) as lanes:
        for number in range(2):
            posts.create_task(post(lanes, number))
            await settle()
    assert told == [Retry, Retry]


async def test_large_and_many_messages_travel_alone(slow: Slow) -> None:
    large = Message("inbound.forms", b"k", b"x" * (SMALL_BYTES + 1))
    async with Lanes(slow) as lanes:
        await lanes.send([large], within=2)
        await lanes.send([a_message(1), a_message(2)], within=2)
    assert len(slow.alone) == 3
    assert slow.batches == []


async def test_a_topic_that_nobody_knows_is_waited_for_within_the_bound() -> None:
    async with Lanes(Slow()) as lanes:
        with pytest.raises(Retry):
            await lanes.send([a_message(1)], within=0.01)
