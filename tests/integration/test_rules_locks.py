"""Consumers and workers who want the same people at once: nobody waits in a circle, and nobody acts twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from consumers.ways import Manner
from hub.identity.evidence import Words
from hub.storage import automation, journeys
from hub.tables import Budget
from tests.support.acting import TEAMS, House, a_rule, a_segment, happens, hour
from tests.support.line import batch_connections
from tests.support.meeting import Meeting
from tests.support.memory import fact
from tests.support.segments import BUYERS

pytestmark = pytest.mark.integration
WRITE = {"send_email": {"template": "hello", "source": "subject: Hello\n---\nDear you.\n"}}


@pytest_asyncio.fixture
async def house(database_url: str) -> AsyncIterator[House]:
    async with batch_connections(database_url) as connections:
        yield House(connections, Manner(TEAMS, mails=Budget(4, "7d")))


async def test_a_batch_that_rouses_a_journey_and_who_walks_on_with_it_do_not_wait_for_each_other(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    wait = {"wait": {"event": "ticket.opened", "timeout": "9d"}}
    await house.rules(BUYERS, a_rule(steps=[wait, WRITE]))
    await house.look()
    await house.live(happens("order.placed", at=hour(0)), happens("ticket.opened", at=hour(1)))
    records = await house.happen(happens("ticket.opened", at=hour(2)))
    meeting = Meeting(house, 2)
    monkeypatch.setattr(journeys, "rouse", meeting.before(journeys.rouse))
    monkeypatch.setattr(journeys, "load", meeting.before(journeys.load))
    await asyncio.gather(house.hear(records), house.walk())
    assert await house.journeys() == ["done"]


async def test_two_batches_with_the_same_people_in_other_places_do_not_wait_for_each_other(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    await house.rules(BUYERS, a_rule("welcome", when={"enters": "buyers"}, again="once"))
    await house.look()
    people = ("ann", "bob")
    await house.hear(await house.happen(*(happens("order.placed", who, hour(at)) for who in people for at in (0, 1))))
    one, other = sorted(await house.relay(), key=lambda told: str(told.key))
    calls = [await house.happen(happens("call.logged", who, hour(2))) for who in people]
    if calls[0][0].key == one.key:
        calls.reverse()
    meeting = Meeting(house, 2)
    monkeypatch.setattr(automation, "decided", meeting.before(automation.decided))
    await asyncio.gather(house.hear([one, *calls[0]]), house.hear([other, *calls[1]]))
    assert [verdict for _, _, verdict in await house.verdicts()] == ["fired", "fired"]


async def test_who_becomes_somebody_else_while_a_batch_waits_for_them_gets_it_once(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    await house.rules(a_rule(again="once"))
    await house.live(happens("order.placed", "ann", hour(0)))
    eve = await house.happen(fact("desk", Words("e", "eve@customers.org"), hour(1))._replace(type="order.placed"))
    real = automation.one_by_one

    async def waits(*words: Any) -> None:
        monkeypatch.undo()
        await house.happen(*(fact("crm", Words("k", f"{name}@customers.org"), hour(2)) for name in ("ann", "eve")))
        await real(*words)

    monkeypatch.setattr(automation, "one_by_one", waits)
    await house.hear(eve)
    assert await house.pool.fetchval("SELECT count(*) FROM profile") == 1
    assert [verdict for _, _, verdict in await house.verdicts()] == ["fired", "again"]


async def test_who_was_looked_at_by_a_newer_segment_while_a_batch_waits_for_them_stays_in_it(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    await house.rules(a_segment("some", {"count": "order.placed", "at_least": 2}))
    await house.look()
    await house.live(happens("order.placed"))
    call = await house.happen(happens("call.logged", at=hour(1)))
    real = automation.one_by_one

    async def waits(*words: Any) -> None:
        monkeypatch.undo()
        await house.rules(a_segment("some", {"count": "order.placed", "at_least": 1}, version=2))
        await house.look()
        await real(*words)

    monkeypatch.setattr(automation, "one_by_one", waits)
    await house.hear(call)
    assert await house.members() == {"some": {"ann"}}


WAITS = {"wait": {"event": "ticket.solved", "timeout": "9d"}}


@pytest.mark.parametrize("is_heard_first", [True, False], ids=["heard, then one", "one, then heard"])
async def test_who_waits_is_roused_by_what_the_other_half_said_whenever_the_two_become_one(
    house: House, *, is_heard_first: bool
) -> None:
    await house.rules(a_rule(steps=[WAITS, {"add_tag": {"tag": "solved"}}]))
    await house.live(happens("order.placed"))
    await house.walk(tide="2024-01-01")
    solved = await house.happen(fact("desk", Words("e", "eve@customers.org"), hour(1))._replace(type="ticket.solved"))
    if is_heard_first:
        await house.hear(solved)
    one = await house.happen(*(fact("crm", Words("k", f"{name}@customers.org"), hour(2)) for name in ("ann", "eve")))
    await house.hear(one if is_heard_first else solved)
    await house.walk(tide="2024-01-01")
    assert await house.journeys() == ["done"]
