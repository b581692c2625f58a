"""Segments when somebody is erased, a worker is killed, or several look at once."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
import pytest_asyncio

from consumers import slow_lane
from consumers.profiles import Profiles
from hub.cache import LocalHints
from hub.identity.evidence import Words
from hub.storage import segment_checks
from hub.storage.pool import transaction
from tests.support.acting import House, a_rule, a_segment, happens, hour
from tests.support.line import batch_connections
from tests.support.memory import erased, fact, record
from tests.support.segments import BUYERS, TABLES, desk, one_person, twins

pytestmark = pytest.mark.integration


@pytest_asyncio.fixture
async def house(database_url: str) -> AsyncIterator[House]:
    async with batch_connections(database_url) as connections:
        yield House(connections)


async def test_of_who_is_erased_nothing_is_left_in_any_segment(house: House) -> None:
    await house.rules(BUYERS)
    await house.look()
    orders = [happens("order.placed", who, hour(at)) for who in ("ann", "bob") for at in (0, 1)]
    await house.live(*orders)
    await house.told()
    gone = erased([record(orders[0])], at=hour(2))
    await house.happen(gone)
    while await slow_lane.once(house.pool, Profiles(LocalHints(), {})):
        pass
    assert await house.members() == {"buyers": {"bob"}}
    assert await house.pool.fetchval("SELECT count(*) FROM segment_check") == 1
    rows = await house.pool.fetch("SELECT record_id, data::text FROM activity WHERE type LIKE 'segment.%'")
    assert sorted(row[0] or b"" for row in rows) == [b"", record(orders[2])]
    before = await house.untouched(TABLES)
    await house.hear(house.heard)
    assert await house.untouched(TABLES) == before


async def test_whoever_is_left_of_somebody_who_was_erased_in_part_is_looked_at_anew(house: House) -> None:
    await house.rules(BUYERS, a_rule("gone", when={"leaves": "buyers"}))
    await house.look()
    await house.live(*twins(0), *twins(0.5))
    await one_person(house, 1)
    await house.told()
    crm = fact("crm", Words("k"), hour(1))
    lee = desk(hour(0))
    await house.happen(erased([record(crm), record(lee)], at=hour(2)))
    while await slow_lane.once(house.pool, Profiles(LocalHints(), {})):
        pass
    assert await house.look(hour(1)) == 0
    await house.hear(await house.relay())
    await house.look()
    assert await house.members() == {}
    assert "event" not in {one["data"]["because"] for one in await house.told()}
    assert await house.pool.fetchval("SELECT count(*) FROM segment_check") == 1


async def test_a_kill_between_taking_a_timer_and_its_look_changes_nothing(house: House) -> None:
    await house.rules(BUYERS)
    await house.look()
    await house.live(happens("order.placed", at=hour(0)), happens("order.placed", at=hour(5)))
    async with transaction(house.pool) as connection:
        (lease,) = await segment_checks.take(connection, datetime(2030, 1, 1, tzinfo=UTC), 60)
    assert await house.look() == 0
    await house.live(happens("order.placed", at=hour(6)))
    async with transaction(house.pool) as connection:
        assert await segment_checks.LEASES.hold(connection, [lease]) == set()
    async with transaction(house.pool) as connection:
        assert await segment_checks.take(connection, datetime(2030, 1, 1, tzinfo=UTC), 0)
    assert await house.look() == 1
    assert [change[::2] for change in await house.changes()] == [("entered", "event"), ("left", "time")]


async def test_two_workers_and_a_batch_at_once_look_as_one(house: House) -> None:
    await house.rules(a_segment("some", {"count": "order.placed", "at_least": 1}))
    records = await house.happen(*(happens("order.placed", f"p{number}", hour(number)) for number in range(40)))
    chance = random.Random(5)
    chance.shuffle(records)
    await asyncio.gather(house.look(), house.look(), house.hear(records[:20]), house.hear(records[10:]))
    assert len((await house.members())["some"]) == 40
    assert len(await house.changes()) == 40
