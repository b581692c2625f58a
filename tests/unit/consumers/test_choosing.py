"""Who of a team is given a customer: in turn, by territory, by room that is left; who is at work before who is not."""

from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.actions import ACTIONS
from consumers.turns import Choice, Turns
from hub.automation.choosing import is_on_duty, of_all, of_room, of_territory
from hub.tables import Colleague, Member, Span
from hub.verbs import Hold, Scene, Statement
from schemas.actions import AssignOwner

BERLIN = ZoneInfo("Europe/Berlin")
PLACES = ("DE", "AT", "CH", "FR")
COLLEAGUES = st.builds(
    Colleague,
    st.just(""),
    st.lists(st.sampled_from(PLACES), unique=True, max_size=3).map(tuple),
    st.none() | st.integers(1, 5),
    st.integers(0, 6),
    st.booleans(),
)


def named(several: list[Colleague]) -> list[Colleague]:
    """A team whose members have an address each."""
    return [
        Colleague(f"p{number}@example.com", one.territory, one.capacity, one.owned, one.on_duty)
        for number, one in enumerate(several)
    ]


CREWS = st.lists(COLLEAGUES, min_size=1, max_size=6).map(named)


def on_mondays(hour: int, minute: int = 0, day: int = 23) -> datetime:
    """A time of Monday, 23 November 2026, in Berlin, or of a day near it."""
    return datetime(2026, 11, day, hour, minute, tzinfo=BERLIN).astimezone(UTC)


DAY, NIGHT = Span(time(9), time(17)), Span(time(22), time(6))
WEEK = frozenset(range(5))


@pytest.mark.parametrize(
    ("hours", "days", "at", "is_there"),
    [
        (None, WEEK, on_mondays(3), True),
        (None, WEEK, on_mondays(12, day=22), False),
        (DAY, WEEK, on_mondays(9), True),
        (DAY, WEEK, on_mondays(8, 59), False),
        (DAY, WEEK, on_mondays(17), False),
        (NIGHT, WEEK, on_mondays(22), True),
        (NIGHT, WEEK, on_mondays(5), False),  # of Sunday's night
        (NIGHT, WEEK, on_mondays(5, day=28), True),  # Saturday morning, of Friday's
        (NIGHT, WEEK, on_mondays(23, day=28), False),
    ],
)
def test_hours_are_those_of_the_members_zone_and_over_midnight_of_the_day_on_which_they_begin(
    hours: Span | None, days: frozenset[int], at: datetime, *, is_there: bool
) -> None:
    own = Member(address="a@b.c", hours=hours, days=days, zone=BERLIN)
    assert is_on_duty(own, at, ZoneInfo("UTC")) is is_there
    assert is_on_duty(Member(address="a@b.c", hours=hours, days=days), at, BERLIN) is is_there


@given(CREWS, st.sampled_from([*PLACES, "de ", "XX", "", None]))
def test_nobody_outside_the_territory_while_somebody_looks_after_it(crew: list[Colleague], country: str | None) -> None:
    wanted = (country or "").strip().upper()
    theirs = {one.address for one in crew if wanted in one.territory}
    free = {one.address for one in crew if not one.territory}
    chosen = of_territory(crew, country)
    assert chosen
    assert set(chosen) <= (theirs or free or {one.address for one in crew})


@given(CREWS, st.sampled_from([*PLACES, None]))
def test_who_is_at_work_comes_first_and_a_lead_never_waits_for_morning(
    crew: list[Colleague], country: str | None
) -> None:
    at_work = {one.address for one in crew if one.on_duty}
    assert set(of_all(crew)) == (at_work or {one.address for one in crew})
    for chosen in (of_territory(crew, country), of_room(crew)):
        assert set(chosen) <= at_work or not set(chosen) & at_work
    room = {one.address for one in crew if one.capacity is None or one.owned < one.capacity}
    assert bool(of_room(crew)) is bool(room)
    if room & at_work:
        assert set(of_room(crew)) <= room & at_work


def test_room_is_what_is_left_and_without_end_where_there_is_no_capacity() -> None:
    def chosen(*several: tuple[int | None, int]) -> str | None:
        crew = [Colleague("abc"[n], (), capacity, owned) for n, (capacity, owned) in enumerate(several)]
        return next(iter(of_room(crew)), None)

    assert chosen((5, 3), (9, 6), (2, 0)) == "b"
    assert chosen((5, 3), (4, 2), (2, 0)) == "a", "the first of the team, where it is all the same"
    assert chosen((5, 0), (None, 99), (None, 98)) == "c"
    assert chosen((5, 5), (3, 4), (1, 0)) == "c"
    assert chosen((5, 5), (3, 4)) is None


@given(CREWS, st.lists(st.tuples(st.sampled_from([*PLACES, "XX"]), st.integers(0, 2)), max_size=60), st.randoms())
def test_each_set_of_people_among_whom_is_chosen_is_given_as_much_give_or_take_one(
    crew: list[Colleague], asked: list[tuple[str, int]], chance: random.Random
) -> None:
    """At any hours: `shift` takes other people off duty. Whose turn it is depends on sets, not on any order of them."""
    action, turns = ACTIONS["assign_owner"], Turns({}, {})
    counts: dict[frozenset[str], Counter[str]] = {}
    for country, shift in asked:
        strategy = chance.choice(["round_robin", "territory"])
        settings = AssignOwner.model_validate({"team": "sales", "strategy": strategy})
        there = [
            Colleague(one.address, one.territory, on_duty=one.on_duty or n % 3 == shift) for n, one in enumerate(crew)
        ]
        scene = Scene({}, fields={"country": country}, crew=there)
        among = action.among(settings, scene)
        choice = Choice("sales", there, among, weighs=False)
        assert choice.key == Choice("sales", there[::-1], among[::-1], weighs=False).key
        (one,) = action.effects(settings, turns.seen(choice, scene))
        assert isinstance(one, Statement)
        counts.setdefault(frozenset(among), Counter(dict.fromkeys(among, 0)))[one.data["owner"]] += 1
    for given_to in counts.values():
        assert max(given_to.values()) - min(given_to.values()) <= 1


@given(CREWS, st.integers(0, 20))
def test_by_capacity_nobody_is_given_more_than_they_look_after(crew: list[Colleague], customers: int) -> None:
    settings = AssignOwner.model_validate({"team": "sales", "strategy": "capacity"})
    action, had = ACTIONS["assign_owner"], {one.address: one.owned for one in crew}
    turns = Turns({}, had)
    choice = Choice("sales", crew, (), weighs=True)
    now = Counter(had)
    for _ in range(customers):
        (one,) = action.effects(settings, turns.seen(choice, Scene({})))
        full = [colleague for colleague in crew if colleague.capacity and now[colleague.address] >= colleague.capacity]
        assert isinstance(one, Hold) is (len(full) == len(crew))
        if isinstance(one, Statement):
            assert one.data["owner"] not in {colleague.address for colleague in full}
            now[one.data["owner"]] += 1
            turns.heed([one.data["owner"]])


@pytest.mark.parametrize(
    ("fields", "owner"),
    [
        ({"country": "at"}, "a"),
        ({"address": '{"city":"Wien","country":"AT"}'}, "a"),
        ({"country": "DE", "address": '{"country":"AT"}'}, "d"),
        ({"address": "somewhere"}, "x"),
        ({"address": '["AT"]'}, "x"),
        ({"address": '{"country":7}'}, "x"),
        ({}, "x"),
    ],
)
def test_the_country_is_a_field_or_that_of_the_address(fields: dict[str, str], owner: str) -> None:
    settings = AssignOwner.model_validate({"team": "sales", "strategy": "territory"})
    crew = [Colleague("d", ("DE",)), Colleague("a", ("AT", "CH")), Colleague("x")]
    (one,) = ACTIONS["assign_owner"].effects(settings, Scene({}, fields=fields, crew=crew))
    assert isinstance(one, Statement)
    assert one.data["owner"] == owner


def test_whoever_is_in_two_teams_is_weighed_by_one_at_a_time() -> None:
    crew = [Colleague("ann@example.com")]
    sales, service = (Choice(team, crew, (), weighs=True).key for team in ("sales", "service"))
    assert sales == service != Choice("sales", crew, ("ann@example.com",), weighs=False).key
