"""Timers of segments: they are counted, and whoever waits for silence waits for them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio

from consumers.journeys import Walker
from consumers.looks import Looks
from consumers.tide import Tide
from hub import clock
from hub.automation.plan import changed, plan
from hub.storage import queues, rules, segment_checks
from hub.storage.pool import transaction
from tests.support.acting import House, a_rule, a_segment, happens, hour
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


async def test_who_waits_hears_that_they_left_a_segment_before_however_many_timers_are_late(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The hub was off: more timers are due than one worker takes, and the journey is due as well."""
    monkeypatch.setattr(segment_checks, "MOST_TAKEN", 1)
    waits = [{"wait": {"for": "4d"}}, {"add_tag": {"tag": "still"}}]
    await house.rules(BUYERS, a_rule("follow", when={"enters": "buyers"}, exits=[{"leaves": "buyers"}], steps=waits))
    await house.look()
    people = [f"p{number}" for number in range(3)]
    await house.live(*(happens("order.placed", who, hour(at)) for at in (0, 1) for who in people))
    await house.told()
    past = Tide()
    past.past = datetime(2030, 1, 1, tzinfo=UTC)
    await Looks(house.pool, past).turn()
    await house.walk()
    assert "done" not in await house.journeys()
    await house.look()
    await house.walk()
    assert await house.journeys() == ["left at segment.left"] * 3


async def test_timers_of_segments_that_were_retired_are_nobodys_and_hold_nobody_up(house: House) -> None:
    waits = [{"wait": {"event": "ticket.opened", "timeout": "9d"}}, {"add_tag": {"tag": "silent"}}]
    await house.rules(BUYERS, a_rule("follow", when={"event": "call.logged"}, steps=waits))
    await house.look()
    await house.live(*(happens("order.placed", at=hour(at)) for at in (0, 1)), happens("call.logged", at=hour(2)))
    await house.pool.execute(
        "UPDATE rule_state SET live = NULL, live_since = NULL, changed_at = clock_timestamp() WHERE name = 'buyers'"
    )
    while await Looks(house.pool, Tide()).turn():
        pass
    assert (await queues.waiting(house.pool))["timers"]["pending"] == 1
    await house.walk()
    assert await house.journeys() == ["done"]


async def test_a_new_segment_makes_nobody_leave_another_one_while_what_they_did_may_be_on_its_way(house: House) -> None:
    """The hub was off, and comes back with a changed folder of rules."""
    await house.rules(BUYERS, a_rule("miss", when={"leaves": "buyers"}))
    await house.look()
    now = clock.now()
    orders = [happens("order.placed", at=clock.text(now - timedelta(hours=ago))) for ago in (60, 59, 20, 19)]
    await house.live(*orders[:2])
    async with transaction(house.pool) as connection:
        changes = changed(plan([a_segment("any", {"count": "order.placed", "at_least": 1})], {}))
        await rules.write(connection, changes, [""], "a test")
    behind = Tide()
    behind.past = now - timedelta(hours=30)
    looks = Looks(house.pool, behind)
    while await looks.turn():
        pass
    assert await looks.is_held_up()
    await house.live(*orders[2:])
    assert await house.look() > 0
    await house.told()
    assert await house.members() == {"buyers": {"ann"}, "any": {"ann"}}
    assert [change[:2] for change in await house.changes() if change[1] == "buyers"] == [("entered", "buyers")]
    assert await house.verdicts() == []


async def test_before_the_tide_rose_for_the_first_time_who_was_roused_is_looked_at_and_waits(house: House) -> None:
    waits = [{"wait": {"event": "ticket.opened", "timeout": "9d"}}, {"add_tag": {"tag": "silent"}}]
    await house.rules(a_rule(steps=waits))
    await house.live(happens("order.placed"))
    assert await Walker(house.pool, house.manner, Tide()).turn() == 0, "nothing was heard that it missed"
    await house.pool.execute("UPDATE journey SET roused = true, due_at = now()")
    assert await Walker(house.pool, house.manner, Tide()).turn() == 1
    assert await house.journeys() == ["waiting"]
