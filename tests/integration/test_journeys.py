"""Who waits in a rule, on a real PostgreSQL: what ends a wait, each deed once, whoever is killed or comes late."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import orjson
import pytest
import pytest_asyncio

from consumers.profiles import Profiles
from hub.cache import LocalHints
from hub.clock import now
from hub.identity.evidence import Words
from hub.storage import journeys
from hub.storage.pool import transaction
from tests.support.acting import TABLES, House, a_rule, happens, hour
from tests.support.line import batch_connections
from tests.support.memory import erased, fact, record

pytestmark = pytest.mark.integration
TAG = [{"add_tag": {"tag": name}} for name in ("one", "two", "three")]
UNTIL_SOLVED: dict[str, Any] = {"wait": {"event": "ticket.solved", "timeout": "2d"}}


@pytest_asyncio.fixture
async def house(database_url: str) -> AsyncIterator[House]:
    async with batch_connections(database_url) as connections:
        yield House(connections)


async def steps(house: House) -> list[str]:
    """The steps that were done, in the order of the triggers."""
    rows = await house.pool.fetch("SELECT step FROM ledger JOIN activity USING (event_id) ORDER BY received_at, step")
    return [row[0] for row in rows]


async def test_a_wait_ends_after_its_time_and_what_follows_bears_the_time_at_which_it_was_due(house: House) -> None:
    await house.rules(a_rule(steps=[TAG[0], {"wait": {"for": "2d"}}, TAG[1], {"wait": {"for": "1d"}}, TAG[2]]))
    await house.live(happens("order.placed"))
    assert (await steps(house), await house.journeys()) == (["1"], ["waiting"])
    await house.walk()
    assert (await steps(house), await house.journeys()) == (["1", "3", "5"], ["done"])
    await house.relay()
    assert [one.at for one in house.said] == [hour(0), hour(48), hour(72)]


async def test_who_is_not_due_waits(house: House) -> None:
    await house.rules(a_rule(steps=[{"wait": {"for": "2d"}}, TAG[0]]))
    await house.live(happens("order.placed", at=f"{now() - timedelta(days=1):%Y-%m-%dT%H:%M:%S.000Z}"))
    assert await house.walk() == 0
    assert await house.journeys() == ["waiting"]


@pytest.mark.parametrize("late", [False, True], ids=["heard at once", "heard of before the trigger was"])
@pytest.mark.parametrize(
    ("at", "then", "done", "ended"),
    [
        (1, "go_on", ["2"], "done"),
        (1, "end", [], "ended by ticket.solved"),
        (47, "end", [], "ended by ticket.solved"),
        (49, "end", ["2"], "done"),
        (-1, "end", ["2"], "done"),
    ],
)
async def test_a_wait_for_an_event_is_met_by_what_arrived_while_it_lasted_whenever_it_was_heard_of(
    house: House, at: int, then: str, done: list[str], ended: str, *, late: bool
) -> None:
    await house.rules(a_rule(steps=[{"wait": {**UNTIL_SOLVED["wait"], "then": then}}, TAG[0]]))
    order, solved = happens("order.placed"), happens("ticket.solved", at=hour(at))
    await house.live(*((solved, order) if late else (order, solved)))
    await house.walk()
    assert (await steps(house), await house.journeys()) == (done, [ended])


async def test_what_is_met_goes_on_from_there_and_not_from_the_timeout(house: House) -> None:
    await house.rules(a_rule(steps=[UNTIL_SOLVED, TAG[0], {"wait": {"for": "1d"}}, TAG[1]]))
    await house.live(happens("order.placed"), happens("ticket.solved", at=hour(5)))
    await house.walk()
    await house.relay()
    assert [one.at for one in house.said] == [hour(5), hour(29)]


async def test_a_timeout_waits_for_what_may_still_be_on_the_way_and_a_plain_wait_does_not(house: House) -> None:
    await house.rules(
        a_rule(steps=[UNTIL_SOLVED, TAG[0]]),
        a_rule("plain", steps=[{"wait": {"for": "2d"}}, TAG[0]]),
    )
    await house.live(happens("order.placed"))
    await house.walk(tide=hour(47))
    assert await house.journeys() == ["done", "waiting"]
    await house.live(happens("ticket.solved", at=hour(47.5)))
    await house.walk(tide=hour(47))
    assert await house.journeys() == ["done", "done"]
    await house.relay()
    assert [one.at for one in house.said] == [hour(48), hour(47.5)]


async def test_an_exit_ends_the_journey_where_its_condition_holds(house: House) -> None:
    leaving = [{"event": "order.paid", "if": {"event": "total", "at_least": 5}}, {"event": "order.cancelled"}]
    await house.rules(a_rule(exits=leaving, steps=[{"wait": {"for": "2d"}}, TAG[0], {"wait": {"for": "2d"}}, TAG[1]]))
    await house.live(
        happens("order.placed", "ann"), happens("order.paid", "ann", hour(1), {"total": 4}),
        happens("order.placed", "bob", hour(2)), happens("order.paid", "bob", hour(3), {"total": 5}),
        happens("order.placed", "cy", hour(4)), happens("order.cancelled", "cy", hour(60)),
    )  # fmt: skip
    await house.walk()
    assert await house.journeys() == ["done", "left at order.paid", "left at order.cancelled"]
    assert await steps(house) == ["2", "4", "2"]


async def test_a_branch_behind_a_wait_sees_the_profile_and_the_counts_of_its_own_time(house: House) -> None:
    asks = {"count": "order.paid", "within": "1d", "is": 1}
    branch = {"branch": {"if": asks, "then": [TAG[0]], "else": [TAG[1]]}}
    await house.rules(a_rule(steps=[branch, {"wait": {"for": "2d"}}, branch]))
    await house.live(happens("order.paid", at=hour(-30)), happens("order.placed"), happens("order.paid", at=hour(30)))
    await house.walk()
    assert await steps(house) == ["1.else.1", "3.then.1"]


async def test_who_waits_ends_on_the_version_they_began_with(house: House) -> None:
    await house.rules(a_rule(steps=[{"wait": {"for": "2d"}}, TAG[0]]))
    await house.live(*(happens("order.placed", f"p{n}", hour(n / 10)) for n in range(20)))
    await house.rules(a_rule(version=2, steps=[{"wait": {"for": "2d"}}, {"set_stage": {"stage": "new"}}]))
    await house.live(happens("order.placed", "late", hour(9)))
    await house.walk()
    rows = await house.pool.fetch("SELECT version, verb, count(*) FROM ledger GROUP BY 1, 2 ORDER BY 1")
    assert [tuple(row) for row in rows] == [(1, "add_tag", 20), (2, "set_stage", 1)]


async def test_a_paused_rule_lets_everybody_wait_and_then_go_on(house: House) -> None:
    await house.rules(a_rule(steps=[{"wait": {"for": "2d"}}, TAG[0]]))
    await house.live(happens("order.placed"))
    await house.pool.execute("UPDATE rule_state SET paused = true")
    assert await house.walk() == 0
    await house.pool.execute("UPDATE rule_state SET paused = false")
    await house.walk()
    assert await house.journeys() == ["done"]


async def merged(house: House) -> None:
    """Ann of the shop and Eve of the desk turn out to be one person."""
    await house.happen(*(fact("crm", Words("k", f"{name}@customers.org"), hour(3)) for name in ("ann", "eve")))
    assert await house.pool.fetchval("SELECT count(*) FROM profile") == 1


async def test_a_merge_brings_two_journeys_together_and_one_of_them_acts(house: House) -> None:
    await house.rules(a_rule(again="30d", steps=[{"wait": {"for": "2d"}}, TAG[0]]))
    eve = fact("desk", Words("e", "eve@customers.org"), hour(1))._replace(type="order.placed")
    await house.live(happens("order.placed", "ann"), eve)
    await merged(house)
    await house.walk()
    assert await house.journeys() == ["done", "the same customer is on this way already"]
    assert await steps(house) == ["2"]


async def test_what_the_other_half_of_a_merged_person_says_is_heard(house: House) -> None:
    await house.rules(a_rule(exits=[{"event": "ticket.solved"}], steps=[{"wait": {"for": "2d"}}, TAG[0]]))
    solved = fact("desk", Words("e", "eve@customers.org"), hour(1))._replace(type="ticket.solved")
    await house.live(happens("order.placed", "ann"), solved)
    await merged(house)
    await house.walk()
    assert await house.journeys() == ["left at ticket.solved"]


async def test_of_whom_nobody_is_left_the_journey_ends(house: House) -> None:
    await house.rules(a_rule(steps=[{"wait": {"for": "2d"}}, TAG[0]]))
    await house.live(happens("order.placed"))
    await house.pool.execute("DELETE FROM source_record")
    await house.walk()
    assert (await house.journeys(), await steps(house)) == (["nobody is left"], [])


async def test_what_rules_saw_of_somebody_erased_is_forgotten_and_nothing_more_is_done(house: House) -> None:
    secret = {"event": "total", "is_not": "s3cret"}
    await house.rules(a_rule(if_=secret, steps=[TAG[0], {"wait": {"for": "2d"}}, TAG[1]]))
    order, other = happens("order.placed", data={"total": "velvet"}), happens("order.placed", "bob", hour(1))
    await house.live(order, other)
    room = Profiles(LocalHints(), {})
    async with transaction(house.pool) as connection:
        await room.erase(connection, erased([record(order)], at=hour(2)))
    rows = [str(tuple(row)) for table in TABLES for row in await house.pool.fetch(f"SELECT t::text FROM {table} t")]
    assert not any("velvet" in row for row in rows)
    await house.hear(house.heard)
    await house.walk()
    assert await steps(house) == ["1", "1", "3"]
    assert (await house.pool.fetchval("SELECT count(*) FROM ledger"), await house.journeys()) == (3, ["erased", "done"])


@pytest.mark.parametrize("name", ["load", "heard", "earlier", "move"])
async def test_killed_behind_any_statement_the_journey_is_taken_again(
    house: House, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await house.rules(a_rule(again="once", steps=[UNTIL_SOLVED, {"assign_owner": {"team": "sales"}}]))
    await house.live(*(happens("order.placed", f"p{n}", hour(n)) for n in range(5)))
    real = getattr(journeys, name)

    async def killed(*words: Any) -> Any:
        await real(*words)
        raise RuntimeError(name)

    monkeypatch.setattr(journeys, name, killed)
    with pytest.raises(RuntimeError, match=name):
        await house.walk()
    monkeypatch.undo()
    assert await house.walk() == 0, "somebody may still be at work on them"
    await house.pool.execute("UPDATE journey SET lease_until = clock_timestamp()")
    await house.walk()
    assert await steps(house) == ["2"] * 5
    assert await house.pool.fetchval("SELECT turn FROM team_turn") == 5


async def test_who_lost_its_lease_changes_nothing(house: House) -> None:
    await house.rules(a_rule(steps=[{"wait": {"for": "2d"}}, TAG[0]]))
    await house.live(happens("order.placed"))
    async with transaction(house.pool) as connection:
        leases = await journeys.take(connection, now(), 30.0)
    await house.pool.execute("UPDATE journey SET lease_until = clock_timestamp()")
    await house.walk()
    async with transaction(house.pool) as connection:
        assert await journeys.LEASES.hold(connection, leases) == set()
    assert await steps(house) == ["2"]


async def test_four_walkers_and_a_consumer_do_each_deed_once(house: House) -> None:
    await house.rules(
        a_rule(steps=[{"wait": {"for": "1d"}}, {"assign_owner": {"team": "sales"}}]),
        a_rule("solved", steps=[UNTIL_SOLVED, {"assign_owner": {"team": "sales"}}]),
    )
    facts = [happens("order.placed", f"p{n}", hour(n / 10)) for n in range(120)]
    solved = [happens("ticket.solved", f"p{n}", hour(n / 10 + 1)) for n in range(0, 120, 2)]
    await house.hear(await house.happen(*facts))
    records = await house.happen(*solved)
    later = [house.hear(records[start : start + 7]) for start in range(0, 60, 7)]
    await asyncio.gather(*later, *(house.walk() for _ in range(4)))
    await house.walk()
    assert set(await house.journeys()) == {"done"}
    rows = await house.pool.fetch("SELECT effect FROM ledger")
    owners = [orjson.loads(row[0])["events"][0]["owner"] for row in rows]
    counts = sorted(owners.count(one) for one in set(owners))
    assert (len(owners), counts[-1] - counts[0]) == (240, 0)


async def test_a_replay_moves_nobody(house: House) -> None:
    await house.rules(a_rule(exits=[{"event": "ticket.solved"}], steps=[{"wait": {"for": "2d"}}, TAG[0]]))
    await house.live(
        *(happens("order.placed", f"p{n}", hour(n)) for n in range(6)), happens("ticket.solved", "p1", hour(20))
    )
    await house.walk()
    await house.relay()
    before = await house.untouched()
    for _ in range(2):
        await house.hear(house.heard)
        await house.walk()
    assert await house.untouched() == before
    assert len(await house.pool.fetch("SELECT FROM ledger")) == 5
