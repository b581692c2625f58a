"""Whatever somebody asks of whomever: the same answer as the plainest reading of it, no crash, in linear time.

`pytest -m nightly tests/unit/automation` asks a hundred thousand times; an ordinary run asks a few hundred times.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from hub.automation.conditions import NOT_COUNTED, Truth, evaluate
from hub.automation.view import Person, Trigger, View, none_at_all, not_counted
from schemas.conditions import Condition
from tests.support import rule_worlds
from tests.support.rule_oracle import truth
from tests.support.rule_worlds import AT, trees, view_of, worlds

READ: TypeAdapter[Condition] = TypeAdapter(Condition)
DAY = settings(
    max_examples=200, derandomize=True, database=None, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
NIGHT = settings(DAY, derandomize=False, max_examples=100_000)
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.sampled_from(rule_worlds.SCALARS)),
    lambda below: st.one_of(st.lists(below, max_size=4), st.dictionaries(st.sampled_from("abx"), below, max_size=3)),
    max_leaves=10,
)


def agrees(tree: dict[str, Any], world: dict[str, Any]) -> None:
    """The evaluation and the plainest reading say the same."""
    assert evaluate(READ.validate_python(tree), view_of(world)).truth == truth(tree, world)


@given(trees, worlds)
@DAY
def test_a_condition_says_what_its_plainest_reading_says(tree: dict[str, Any], world: dict[str, Any]) -> None:
    agrees(tree, world)


@pytest.mark.nightly
@pytest.mark.timeout(7200)
@given(trees, worlds)
@NIGHT
def test_a_condition_says_what_its_plainest_reading_says_by_night(tree: dict[str, Any], world: dict[str, Any]) -> None:
    agrees(tree, world)


def makes_no_difference(tree: dict[str, Any], world: dict[str, Any]) -> None:
    """What is known before anything is counted stays so, whatever comes of counting."""
    condition, view = READ.validate_python(tree), view_of(world)
    before = evaluate(condition, view._replace(counts=not_counted))
    if before.truth is not Truth.UNKNOWN:
        assert before.truth is evaluate(condition, view).truth
        assert before.truth is evaluate(condition, view._replace(counts=none_at_all)).truth
        assert before.truth is evaluate(condition, view._replace(counts=lambda _types, _since, _until: 10**6)).truth


@given(trees, worlds)
@DAY
def test_a_count_that_is_not_made_makes_no_difference(tree: dict[str, Any], world: dict[str, Any]) -> None:
    makes_no_difference(tree, world)


@pytest.mark.nightly
@pytest.mark.timeout(7200)
@given(trees, worlds)
@NIGHT
def test_a_count_that_is_not_made_makes_no_difference_by_night(tree: dict[str, Any], world: dict[str, Any]) -> None:
    makes_no_difference(tree, world)


def test_a_count_is_open_where_all_hangs_on_it() -> None:
    owned, lead = ({"profile": "owner", "exists": True}, {"count": "order.placed", "is": 0})
    seen = View(AT, Person(), not_counted)
    for tree, wanted in (
        ({"all": [owned, lead]}, Truth.FALSE),
        ({"any": [owned, lead]}, Truth.UNKNOWN),
        ({"any": [{"not": owned}, lead]}, Truth.TRUE),
        ({"not": {"all": [{"not": owned}, lead]}}, Truth.UNKNOWN),
    ):
        found = evaluate(READ.validate_python(tree), seen)
        assert found.truth is wanted
        assert (Truth.UNKNOWN, NOT_COUNTED) in {(one.truth, one.reason) for one in found.seen}


def answers(operators: dict[str, Any], value: Any) -> None:
    """Any JSON value gets an answer, and a value small enough to keep is told."""
    tree = READ.validate_python({"any": [{"event": "x", **operators}, {"event": "x.a.b", **operators}]})
    told = evaluate(tree, View(AT, Person(), event=Trigger("a.b", "web", {"x": value})))
    assert told.truth in Truth
    assert len(told.seen) == 2
    assert all(len(repr(one.value)) < 10_000 for one in told.seen)


asked = rule_worlds.events.map(lambda leaf: {word: wanted for word, wanted in leaf.items() if word != "event"})


@given(asked, JSON)
@example({"at_least": 5}, float("nan"))
@example({"is": 5}, 10**400)
@example({"within": "2d"}, "0001-01-01T00:00:00+14:00")
@example({"older_than": "9999w"}, "9999-12-31T23:59:59-14:00")
@example({"contains": "a"}, "a" * 100_000)
@DAY
def test_any_value_gets_an_answer(operators: dict[str, Any], value: Any) -> None:
    answers(operators, value)


@pytest.mark.nightly
@pytest.mark.timeout(7200)
@given(asked, JSON)
@NIGHT
def test_any_value_gets_an_answer_by_night(operators: dict[str, Any], value: Any) -> None:
    answers(operators, value)


@given(trees, worlds)
@settings(DAY, max_examples=100)
def test_every_question_is_seen_once_and_in_the_order_of_the_file(tree: dict[str, Any], world: dict[str, Any]) -> None:
    seen = [one.place for one in evaluate(READ.validate_python(tree), view_of(world)).seen]
    assert (
        len(seen)
        == len(set(seen))
        == str(tree).count("'event':")
        + str(tree).count("'profile':")
        + str(tree).count("'count':")
        + str(tree).count("'segment':")
    )
    assert [[part for part in place if isinstance(part, int)] for place in seen] == sorted(
        [part for part in place if isinstance(part, int)] for place in seen
    )
