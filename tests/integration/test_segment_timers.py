"""Timers of segments: they are counted, and whoever waits for silence waits for them."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from hub.storage import queues
from tests.support.acting import House, happens, hour
from tests.support.line import batch_connections
from tests.support.segments import BUYERS

pytestmark = pytest.mark.integration


@pytest_asyncio.fixture
async def house(database_url: str) -> AsyncIterator[House]:
    async with batch_connections(database_url) as connections:
        yield House(connections)


async def test_lag_counts_who_comes_or_goes_by_time_alone(house: House) -> None:
    await house.rules(BUYERS)
    await house.look()
    await house.live(*(happens("order.placed", at=hour(at)) for at in (0, 1)))
    timers = (await queues.waiting(house.pool))["timers"]
    assert (timers["pending"], timers["oldest_seconds"] > 86_400) == (1, True)
    await house.look()
    assert (await queues.waiting(house.pool))["timers"] == {"pending": 0, "oldest_seconds": None}
