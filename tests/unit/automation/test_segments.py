"""Who is in which segments, and that the answer stands until the moment that is told with it.

`pytest -m nightly tests/unit/automation` asks twenty thousand times; an ordinary run asks some hundreds of times.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.automation.decisions import ENTERED, LEFT, Occasion
from hub.automation.segments import Counted, differences, in_order, look, occasion, touched, windows
from hub.automation.values import moment
from hub.automation.view import Person
from schemas.rules import Segment, span
from tests.support import rule_worlds
from tests.support.rule_worlds import AT, DURATIONS, FIELDS, TIMES, TYPES

MOST_TOLD = 2
"""Activities whose times are told with a count here: fewer than there are, often."""
INSTANT = timedelta(microseconds=1)
FOR_EVER = AT + timedelta(days=40_000)
DAY = settings(
    max_examples=600, derandomize=True, database=None, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
NIGHT = settings(DAY, derandomize=False, max_examples=20_000)
History = Sequence[tuple[str, datetime]]

leaves = st.one_of(rule_worlds.counts, rule_worlds.profiles, rule_worlds.counts, rule_worlds.segments)
trees = st.recursive(
    leaves,
    lambda below: st.one_of(
        st.fixed_dictionaries({"all": st.lists(below, min_size=1, max_size=3)}),
        st.fixed_dictionaries({"any": st.lists(below, min_size=1, max_size=3)}),
        st.fixed_dictionaries({"not": below}),
    ),
    max_leaves=4,
)
hours = st.integers(-6, 24 * 40).map(lambda number: AT - timedelta(hours=number))
histories = st.lists(st.tuples(st.sampled_from(TYPES), hours), max_size=6)
persons = st.dictionaries(st.sampled_from(FIELDS), st.sampled_from([*TIMES, "2026-03-09T13:00:00Z", "DE", "5"]))


def segment(name: str, condition: Any) -> Segment:
    return Segment.model_validate({"segment": name, "version": 1, "about": "Some.", "if": condition})


def counted_of(history: History, at: datetime) -> Any:
    """The counts of a history, told as the hub tells them: of the oldest activities alone the times."""

    def counted(types: tuple[str, ...], since: datetime | None) -> Counted:
        meant = sorted(time for kind, time in history if kind in types and (since is None or time > since))
        past = [time for time in meant if time <= at]
        return Counted(len(past), past[:MOST_TOLD] if since else (), next(iter(meant[len(past) :]), None))

    return counted


def stands(trees_: Sequence[Any], fields: dict[str, str], history: History) -> datetime | None:
    """Between the moment of looking and the one that is told, nobody comes in or goes; gives the one that is told."""
    segments = in_order([segment(name, tree) for name, tree in zip(("best", "lost", "new"), trees_, strict=False)])
    person = Person(fields, activities=len(history))
    now = look(segments, AT, person, counted_of(history, AT))
    until = now.until or FOR_EVER
    assert until > AT
    times = [time for _, time in history] + [found for written in fields.values() if (found := moment(written))]
    turning = {time + age for time in times for age in (timedelta(), *map(span, DURATIONS))}
    probes = {probe for turn in turning for probe in (turn - INSTANT, turn, turn + INSTANT)} | {until - INSTANT}
    for at in sorted(probe for probe in probes if AT < probe < until):
        assert look(segments, at, person, counted_of(history, at)).segments == now.segments, at
    return now.until


several = st.lists(trees, min_size=1, max_size=3)


@given(several, persons, histories)
@DAY
def test_nobody_comes_in_or_goes_before_the_moment_that_is_told(
    trees_: list[Any], fields: dict[str, str], history: History
) -> None:
    stands(trees_, fields, history)


@pytest.mark.nightly
@pytest.mark.timeout(7200)
@given(several, persons, histories)
@NIGHT
def test_nobody_comes_in_or_goes_before_the_moment_that_is_told_by_night(
    trees_: list[Any], fields: dict[str, str], history: History
) -> None:
    stands(trees_, fields, history)


def days_ago(*numbers: float) -> list[tuple[str, datetime]]:
    return [("order.placed", AT - timedelta(days=number)) for number in numbers]


@pytest.mark.parametrize(
    ("asked", "days"),
    [({"at_least": 1}, 2), ({"at_least": 2}, 1), ({"at_most": 1}, 1), ({"is": 0}, 2), ({"at_least": 3}, None)],
)
def test_a_count_turns_when_so_many_of_the_oldest_have_left_that_it_does(asked: Any, days: int | None) -> None:
    turn = AT + timedelta(days=days) if days else None
    assert stands([{"count": "order.placed", "within": "9d", **asked}], {}, days_ago(20, 8, 7)) == turn


def test_where_more_activities_count_than_are_told_the_last_that_is_told_bounds_the_answer() -> None:
    asked = {"count": "order.placed", "within": "9d", "at_least": 1}
    assert stands([asked], {}, days_ago(8, 7, 6, 5)) == AT + timedelta(days=2)


def test_a_count_without_a_time_turns_with_what_lies_ahead_alone() -> None:
    assert stands([{"count": "order.placed", "at_least": 1}], {}, days_ago(1)) is None
    assert stands([{"count": "order.placed", "at_least": 2}], {}, days_ago(1, -0.1)) == AT + timedelta(days=0.1)


def test_the_age_of_a_field_turns_at_its_bounds() -> None:
    young = {"profile": "fields.first_seen", "within": "9d"}
    assert stands([young], {"first_seen": "2026-03-09T12:00:00Z"}, []) == AT + timedelta(days=8)
    assert stands([young], {"first_seen": "2026-03-12T12:00:00Z"}, []) == AT + timedelta(days=2)
    assert stands([{"profile": "fields.first_seen", "older_than": "9d"}], {"first_seen": "2026-01-01"}, []) is None


def test_segments_that_ask_others_come_behind_them_and_a_circle_moves_nobody() -> None:
    one, two = segment("a", {"segment": "b"}), segment("b", {"profile": "owner", "exists": True})
    round_, back = segment("c", {"segment": "d"}), segment("d", {"not": {"segment": "c"}})
    assert [made.name for made in in_order([one, two, round_, back])] == ["b", "a"]
    found = look(in_order([one, two]), AT, Person(owner="ann@example.com"), counted_of([], AT))
    assert found.segments == {"a", "b"}
    assert touched(in_order([one, two]), {"b"}) == {"a", "b"}
    assert touched(in_order([one, two]), {"a"}) == {"a"}


def test_what_cannot_be_decided_is_a_no() -> None:
    high = segment("high", {"profile": "fields.revenue", "at_least": 5})
    assert look([high], AT, Person({"revenue": "much"}), counted_of([], AT)).segments == frozenset()


def test_the_counts_that_are_asked_for_are_known_beforehand() -> None:
    made = segment("a", {"any": [{"count": "x.y", "within": "2d", "is": 0}, {"count": ["x.y", "z.y"], "is": 0}]})
    assert windows([made], AT) == {(("x.y",), AT - timedelta(days=2)), (("x.y", "z.y"), None)}


def test_only_what_happened_means_a_rules_segment() -> None:
    told = {"segment": "best", "because": "time", "hops": 3}
    assert occasion(ENTERED, AT, AT, told) == Occasion(ENTERED, AT, AT, "best", 3)
    for because in ("merge", "split", "applied"):
        assert occasion(LEFT, AT, AT, {**told, "because": because}).subject is None
    assert occasion("order.placed", AT, AT, told) == Occasion("order.placed", AT, AT)


def test_differences_are_told_by_name() -> None:
    assert list(differences({"a", "b"}, {"b", "c"})) == [(LEFT, "a"), (ENTERED, "c")]
