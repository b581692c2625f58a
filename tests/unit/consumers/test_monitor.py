"""The monitor outlives what it looks at: a broker that goes away is looked for again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from consumers import monitor
from consumers.monitor import Monitor, every
from hub.errors import Retry
from hub.settings import Settings
from hub.storage import queues


class Broker:
    """A line to Kafka that breaks when it is told to; counts what is opened and closed."""

    def __init__(self) -> None:
        self.broken = False
        self.opened = self.closed = 0

    @asynccontextmanager
    async def open(self, _: Any) -> AsyncIterator[Broker]:
        self.opened += 1
        try:
            yield self
        finally:
            self.closed += 1

    async def read(self, _: Sequence[Any]) -> list[Any]:
        if self.broken:
            raise Retry("Kafka: gone")
        return []


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> Broker:
    """What every Monitor of the test talks to; the database holds nothing."""

    async def nothing(*_: Any) -> dict[str, Any]:
        return {}

    async def nobody(*_: Any) -> tuple[int, float]:
        return 0, 0.0

    found = Broker()
    monkeypatch.setattr(monitor, "open_lag_reader", found.open)
    monkeypatch.setattr(queues, "waiting", nothing)
    monkeypatch.setattr(queues, "slow_lane", nobody)
    return found


async def test_the_line_is_kept_while_it_works_and_made_anew_after_it_broke(broker: Broker) -> None:
    pool: Any = None
    async with Monitor(Settings(), pool) as looking:
        assert await looking.report() == {"groups": []}
        await looking.report()
        assert (broker.opened, broker.closed) == (1, 0)
        broker.broken = True
        with pytest.raises(Retry):
            await looking.report()
        assert broker.closed == 1
        broker.broken = False
        assert await looking.report() == {"groups": []}
        assert broker.opened == 2
    assert broker.closed == 2


async def test_looks_at_the_same_time_take_turns(broker: Broker) -> None:
    pool: Any = None
    async with Monitor(Settings(), pool) as looking:
        await asyncio.gather(*(looking.report() for _ in range(5)))
    assert (broker.opened, broker.closed) == (1, 1)


async def test_a_turn_that_is_told_to_stop_is_the_last() -> None:
    stop, turns = asyncio.Event(), 0

    async def turn() -> None:
        nonlocal turns
        turns += 1
        if turns == 3:
            stop.set()

    await every(0, stop, turn)
    assert turns == 3
