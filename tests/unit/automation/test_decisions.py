"""A rule fires, or says why not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hub.automation.decisions import Occasion, Verdict, decide, is_meant, sets_off
from hub.automation.view import Trigger, View
from schemas.rules import OnEnter, OnLeave, Rule

AT = datetime(2026, 11, 22, 8, tzinfo=UTC)


def a_rule(**more: Any) -> Rule:
    plain = {"rule": "a", "version": 1, "about": "A.", "when": {"event": "order.placed"}, "steps": [{"end": {}}]}
    return Rule.model_validate(plain | more)


def verdict(rule: Rule, *, late: timedelta = timedelta(0), total: Any = 10, last: datetime | None = None) -> Verdict:
    view = View(AT, event=Trigger("order.placed", "shop", {"total": total}))
    return decide(rule, Occasion("order.placed", AT, AT + late), view, last).verdict


def test_it_looks_at_its_events_and_at_its_segment_alone() -> None:
    assert sets_off(a_rule(), Occasion("order.placed", AT, AT))
    assert not sets_off(a_rule(), Occasion("order.paid", AT, AT))
    entered = Occasion("segment.entered", AT, AT, subject="best")
    assert is_meant(OnEnter(enters="best"), entered)
    assert not is_meant(OnEnter(enters="rest"), entered)
    assert not is_meant(OnLeave(leaves="best"), entered)


def test_the_condition_decides_and_what_cannot_be_answered_is_no_no() -> None:
    rule = a_rule(**{"if": {"event": "total", "at_least": 5}})
    assert verdict(rule) is Verdict.FIRED
    assert verdict(rule, total=4) is Verdict.NO
    assert verdict(rule, total="much") is Verdict.ERROR


def test_an_event_that_comes_late_fires_nothing() -> None:
    assert verdict(a_rule(), late=timedelta(days=3)) is Verdict.FIRED
    assert verdict(a_rule(), late=timedelta(days=3, seconds=1)) is Verdict.TOO_OLD
    assert verdict(a_rule(max_age="1h"), late=timedelta(hours=2)) is Verdict.TOO_OLD


@pytest.mark.parametrize(
    ("again", "days", "expected"),
    [
        ("always", 0, Verdict.FIRED),
        ("once", 900, Verdict.AGAIN),
        ("30d", 29, Verdict.AGAIN),
        ("30d", 30, Verdict.FIRED),
        ("30d", -29, Verdict.AGAIN),
    ],
)
def test_again_is_a_matter_of_the_events_times(again: str, days: int, expected: Verdict) -> None:
    assert verdict(a_rule(again=again), last=AT - timedelta(days=days)) is expected


def test_a_rule_on_trial_says_that_it_would_have_fired() -> None:
    assert verdict(a_rule(mode="trial")) is Verdict.TRIAL


def test_an_event_that_went_round_through_tools_fires_nothing() -> None:
    view = View(AT, event=Trigger("order.placed", "shop"))
    assert decide(a_rule(), Occasion("order.placed", AT, AT, hops=8), view, None).verdict is Verdict.FIRED
    assert decide(a_rule(), Occasion("order.placed", AT, AT, hops=9), view, None).verdict is Verdict.LOOP
