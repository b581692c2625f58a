"""The line to the broker: tried again while it is away, replaced when it stays silent, never unready for good."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from hub import clock
from hub.errors import Retry
from hub.settings import Kafka
from hub.streams.publish import Message
from producers.gateway import line as line_module
from producers.gateway.line import AWAY, Line

POST = [Message("inbound.forms", b"k", b"v")]


class Broker:
    """A broker that is away for so many tries, and silent when it is told to be."""

    def __init__(self, away: int = 0) -> None:
        self.away = away
        self.silent = False
        self.opened = 0

    @asynccontextmanager
    async def open(self, _kafka: Kafka) -> AsyncIterator[Broker]:
        self.away -= 1
        if self.away >= 0:
            raise Retry(AWAY)
        self.opened += 1
        yield self

    async def partitions(self, topic: str) -> int:
        return 1

    async def send(self, messages: Sequence[Message], *, within: float) -> None:
        if self.silent:
            raise Retry("silence")

    async def send_together(self, messages: Sequence[Message], *, partition: int, within: float) -> None:
        await self.send(messages, within=within)


@asynccontextmanager
async def a_line(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Line]:
    monkeypatch.setattr(line_module, "open_publisher", broker.open)
    monkeypatch.setattr(line_module, "FIRST_PAUSE", 0.001)
    line, stop = Line(), asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(line.keep(Kafka(servers=("nowhere:1",)), stop))
        yield line
        stop.set()


async def until_safe(line: Line) -> None:
    """Post until it is safe."""
    async with asyncio.timeout(5):
        while True:
            try:
                return await line.send(POST, within=1)
            except Retry:
                await asyncio.wait([asyncio.get_running_loop().create_future()], timeout=0.001)


async def test_a_broker_that_is_away_is_tried_again_until_it_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    broker = Broker(away=4)
    async with a_line(broker, monkeypatch) as line:
        assert await line.problems() == [AWAY]
        await until_safe(line)
        assert await line.problems() == []
    assert broker.opened == 1
    assert await line.problems() == [AWAY]


async def test_silence_makes_unready_for_a_while_and_an_answer_ready_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    broker = Broker()
    async with a_line(broker, monkeypatch) as line:
        await until_safe(line)
        broker.silent = True
        with pytest.raises(Retry):
            await line.send(POST, within=1)
        assert await line.problems() == [AWAY]
        later = clock.monotonic() + line_module.LATELY_SECONDS
        with monkeypatch.context() as then:
            then.setattr(clock, "monotonic", lambda: later)
            assert await line.problems() == []
        broker.silent = False
        await line.send(POST, within=1)
        assert await line.problems() == []


async def test_long_silence_replaces_the_client(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line_module, "SILENCE_SECONDS", -1.0)
    broker = Broker()
    async with a_line(broker, monkeypatch) as line:
        await until_safe(line)
        broker.silent = True
        for _ in range(2):
            with pytest.raises(Retry):
                await line.send(POST, within=1)
        broker.silent = False
        await until_safe(line)
    assert broker.opened == 2
