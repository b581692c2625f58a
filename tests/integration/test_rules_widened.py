"""A version that looks at more than the one before it: what it never looked at before is past."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from hub.automation.plan import Change
from hub.storage import rules
from hub.storage.pool import reading, transaction
from tests.support.acting import House, a_rule, explained, happens, hour
from tests.support.line import batch_connections
from tests.support.memory import record
from tests.support.segments import BUYERS

pytestmark = pytest.mark.integration
LATE = "2030-01-01T00:00:00.000Z"
BOTH = {"event": ["order.placed", "ticket.opened"]}


@pytest_asyncio.fixture
async def house(database_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[House]:
    for name, value in {
        "POSTGRES__URL": database_url, "KAFKA__SERVERS": "127.0.0.1:1", "REDIS__URL": "redis://127.0.0.1:1/0"
    }.items():  # fmt: skip
        monkeypatch.setenv(f"HUB_{name}", value)
    async with batch_connections(database_url) as connections:
        yield House(connections)


def ticket(at: str, who: str = "ann") -> Any:
    return happens("ticket.opened", who, at)


async def test_a_new_trigger_leaves_what_arrived_before_it_alone_also_in_a_replay(house: House) -> None:
    await house.rules(a_rule())
    await house.live(ticket(hour(0)))
    await house.rules(a_rule(version=2, when=BOTH))
    await house.hear(house.heard)
    assert (await house.verdicts(), await house.done()) == ([], [])
    await house.rules(a_rule(version=3, when=BOTH, steps=[{"add_tag": {"tag": "x"}}]))
    await house.hear(house.heard)
    assert await house.verdicts() == []
    await house.live(ticket(LATE))
    assert await house.verdicts() == [("some", 3, "fired")]


async def test_what_both_versions_look_at_is_not_lost_on_its_way(house: House) -> None:
    await house.rules(a_rule())
    records = await house.happen(happens("order.placed"))
    await house.rules(a_rule(version=2, when=BOTH))
    await house.hear(records)
    assert await house.verdicts() == [("some", 2, "fired")]


async def test_a_trigger_that_was_away_for_a_version_begins_anew(house: House) -> None:
    await house.rules(a_rule(when=BOTH))
    await house.rules(a_rule(version=2))
    await house.live(ticket(hour(0)))
    await house.rules(a_rule(version=3, when=BOTH))
    await house.hear(house.heard)
    assert await house.verdicts() == []


async def test_what_a_version_on_trial_looked_at_alone_is_past_for_a_live_one_behind_it(house: House) -> None:
    await house.rules(a_rule())
    await house.rules(a_rule(version=2, when=BOTH, mode="trial"))
    await house.live(ticket(hour(0)))
    await house.rules(a_rule(version=3, when=BOTH))
    await house.hear(house.heard)
    assert (await house.verdicts(), await house.done()) == ([("some", 2, "trial")], [])


async def test_a_new_segment_as_trigger_leaves_who_came_in_before_alone(house: House) -> None:
    await house.rules(BUYERS, a_rule())
    await house.look()
    await house.live(*(happens("order.placed", at=hour(at)) for at in (0, 1)))
    await house.told()
    before = await house.done()
    await house.rules(a_rule(version=2, when={"enters": "buyers"}))
    await house.hear(house.heard)
    assert await house.done() == before
    await house.live(*(happens("order.placed", "bob", LATE.replace("00Z", f"0{n}Z")) for n in (0, 1)))
    await house.told()
    assert (await house.verdicts())[-1] == ("some", 2, "fired")


async def test_a_rule_that_was_retired_looks_at_everything_from_when_it_comes_again(house: House) -> None:
    await house.rules(a_rule())
    await house.rules(a_rule(version=2, when=BOTH))
    async with transaction(house.pool) as connection:
        await rules.write(connection, [Change("some", "retired", None, None)], [""], "a test")
    await house.rules(a_rule(version=2, when=BOTH))
    async with reading(house.pool) as connection:
        (one,) = await rules.in_force(connection)
    assert one.looks_since("order.placed") == one.since == one.looks_since("ticket.opened")


async def test_explain_says_from_when_it_looks_at_such_events(house: House) -> None:
    await house.rules(a_rule())
    one = ticket(hour(0))
    await house.live(one)
    await house.rules(a_rule(version=2, when=BOTH))
    (told,) = (await explained(one, record(one)))["rules"]
    assert (told["verdict"], told["reason"][:34]) == ("not asked", "it looks at what arrives after 202")
    assert not told["reason"].startswith("it looks at what arrives after 2020")


async def test_a_paused_rule_that_was_retired_can_let_those_who_wait_go_on_and_a_retired_one_be_paused(
    house: House,
) -> None:
    await house.rules(a_rule(steps=[{"wait": {"for": "2d"}}, {"add_tag": {"tag": "x"}}]))
    await house.live(happens("order.placed"))
    async with transaction(house.pool) as connection:
        assert await rules.pause(connection, "some", "a test", paused=True)
        await rules.write(connection, [Change("some", "retired", None, None)], [""], "a test")
    assert await house.walk() == 0
    async with transaction(house.pool) as connection:
        assert await rules.pause(connection, "some", "a test", paused=False)
        assert await rules.pause(connection, "some", "a test", paused=True)
        assert await rules.pause(connection, "some", "a test", paused=False)
    await house.walk()
    assert await house.journeys() == ["done"]
    async with transaction(house.pool) as connection:
        assert await rules.pause(connection, "some", "a test", paused=True) is None
