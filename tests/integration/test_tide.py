"""Silence is believed up to the tide: it rises only when everything that had arrived was heard of."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import pytest_asyncio

from consumers.journeys import Walker
from consumers.tide import Tide
from hub.clock import now
from hub.embedded import Addresses
from hub.streams.ends import open_ends
from hub.streams.publish import Message, open_publisher
from tests.support.acting import House
from tests.support.line import batch_connections, topics

pytestmark = pytest.mark.integration


@pytest_asyncio.fixture
async def house(database_url: str) -> AsyncIterator[House]:
    async with batch_connections(database_url) as connections:
        yield House(connections)


class _Logs:
    """Logs that end where a test says."""

    def __init__(self) -> None:
        self.ends: dict[str, int] = {"inbound.forms": 0, "activities": 0}

    async def of(self, topics: list[str]) -> dict[tuple[str, int], tuple[int, int]]:
        return {(topic, 0): (0, self.ends[topic]) for topic in topics if topic in self.ends}


async def past(house: House, group: str, topic: str, offset: int) -> None:
    """A group is so far."""
    await house.pool.execute(
        "INSERT INTO stored_offset VALUES ($1, $2, 0, $3)"
        " ON CONFLICT (grp, topic, part) DO UPDATE SET next_offset = $3",
        group, topic, offset,
    )  # fmt: skip


async def test_the_tide_rises_only_behind_everything_that_arrived(house: House) -> None:
    logs, tide = _Logs(), Tide()
    walker = Walker(house.pool, house.manner, tide)
    begin = now()
    assert await walker.follow(logs), "nothing is on the way"
    assert begin - timedelta(seconds=11) < tide.past < begin
    first, logs.ends["inbound.forms"] = tide.past, 3
    assert not await walker.follow(logs), "three events are not read yet"
    await past(house, "profiles", "inbound.forms", 2)
    assert not await walker.follow(logs), "one is not"
    await house.pool.execute("INSERT INTO outbox (shard, messages, body) VALUES (0, 1, '[]')")
    await past(house, "profiles", "inbound.forms", 3)
    assert not await walker.follow(logs), "they are not told yet"
    await house.pool.execute("DELETE FROM outbox")
    logs.ends["activities"] = 3
    assert not await walker.follow(logs), "they are not heard yet"
    assert tide.past == first
    logs.ends |= {"inbound.forms": 9, "activities": 9}
    await past(house, "automation", "activities", 3)
    assert await walker.follow(logs), "what came later is not waited for"
    assert tide.past > first


async def test_what_lies_on_a_real_topic_unread_holds_the_tide(house: House, servers: Addresses) -> None:
    async with topics(servers.kafka) as kafka, open_ends(kafka) as logs:
        tide = Tide(kafka.prefix)
        walker = Walker(house.pool, house.manner, tide)
        assert await walker.follow(logs)
        first = tide.past
        async with open_publisher(kafka) as publisher:
            await publisher.send([Message("inbound.forms", b"k", b"{}", [])], within=10.0)
        (place,) = [place for place, (begin, end) in (await logs.of(["inbound.forms"])).items() if end > begin]
        assert not await walker.follow(logs)
        assert tide.past == first
        await house.pool.execute(
            "INSERT INTO stored_offset VALUES ($1, $2, $3, 1)", f"{kafka.prefix}profiles", place[0], place[1]
        )
        assert await walker.follow(logs)
        assert tide.past > first
