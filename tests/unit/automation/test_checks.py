"""What one file cannot know of itself: events, fields, segments, verbs, and whether it ends."""

from __future__ import annotations

from typing import Any

import pytest

from hub.automation.checks import check
from hub.automation.files import Loaded, read
from schemas.actions import ACTIONS
from tests.support.rule_files import STEPS, lines, rule, segment, told

EVENT = {"event": "ticket.opened"}


def found(*files: Loaded) -> list[str]:
    return told(check(files, ACTIONS))


def test_a_fine_rule_has_no_problem() -> None:
    assert found(rule()) == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"steps": [{"add_tagg": {"tag": "x"}}]}, "steps[0].add_tagg: no such verb; did you mean add_tag?"),
        ({"steps": [{"wiat": {"for": "2d"}}]}, "steps[0].wiat: no such verb; did you mean wait?"),
        ({"steps": [{"add_tag": {"tgg": "x"}}]}, "steps[0].add_tag.tgg: no such word; did you mean tag?"),
        ({"steps": [{"add_tag": {"tag": 5}}]}, "steps[0].add_tag.tag: has to be a text"),
        ({"steps": [{"create_task": {"title": "x"}}]}, "steps[0].create_task: needs `team` or `to`"),
        ({"steps": [{"assign_owner": {"to": "pool", "strategy": "capacity"}}]}, "holds a strategy"),
        ({"steps": [{"wait": {"event": "email.replied"}}]}, "never ends where the event does not come"),
        ({"steps": [{"end": {}}, *STEPS]}, "steps[1]: is never reached"),
        ({"when": {"event": "profile.updated"}}, "when.event: profile.updated is made by the hub itself"),
        ({"when": {"event": "records.merged"}}, "when.event: records.merged is made by the hub itself"),
        ({"when": {"event": "segment.entered"}}, "is told by `enters: its-name`"),
        ({"when": {"enters": "best"}}, "when.enters: no such segment: best"),
        ({"exits": [{"leaves": "best"}]}, "exits[0].leaves: no such segment: best"),
        ({"if_": {"segment": "best"}}, "if.segment: no such segment: best"),
    ],
)
def test_what_does_not_exist_or_never_ends_is_refused(words: dict[str, Any], said: str) -> None:
    assert any(said in one and "warning" not in one for one in found(rule(**words))), found(rule(**words))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"when": {"event": "order.plaecd"}}, "when.event: warning: order.plaecd is no type that the hub knows"),
        ({"when": EVENT, "if_": {"event": "ticket.prioriti", "is": 1}}, "did you mean ticket.priority?"),
        ({"when": EVENT, "if_": {"event": "tiket.priority", "is": 1}}, "did you mean ticket.priority?"),
        ({"when": {"event": "order.paid"}, "if_": {"event": "order.items.skuu", "is": 1}}, "order.items.sku?"),
        ({"exits": [EVENT | {"if": {"event": "ticket.statu", "is": 1}}]}, "exits[0].if.event: warning"),
        ({"if_": {"profile": "fields.country", "is": "DE"}}, "fields.address?"),
        ({"if_": {"profile": "fields.langauge", "is": "de"}}, "did you mean language?"),
        ({"if_": {"count": "order.payd", "is": 1}}, "did you mean order.paid?"),
    ],
)
def test_what_looks_like_a_slip_is_a_warning(words: dict[str, Any], said: str) -> None:
    assert any(said in one and "warning: " in one for one in found(rule(**words))), found(rule(**words))


@pytest.mark.parametrize(
    "words",
    [
        {"when": {"event": "com.acme.thing"}, "if_": {"event": "whatever.it.is", "is": 1}},
        {"when": EVENT, "if_": {"event": "ticket.custom_17", "is": 1}},
        {"when": EVENT, "if_": {"event": "ticket.priority", "is": 1}},
        {"when": {"event": ["order.paid", "com.acme.thing"]}, "if_": {"event": "order.totl", "is": 1}},
        {"if_": {"profile": "fields.revenue.EUR", "at_least": 5}},
        {"if_": {"count": ["email.sent", "email.replied", "cart.abandoned"], "is": 0}},
    ],
)
def test_what_others_call_their_own_is_fine(words: dict[str, Any]) -> None:
    assert found(rule(**words)) == []


def test_a_rule_may_name_a_segment_that_stands_beside_it() -> None:
    best = segment("best", {"profile": "fields.orders", "at_least": 5})
    fine = rule(when={"enters": "best"}, if_={"segment": "best"})
    assert found(fine, best) == []
    assert told(check([fine], ACTIONS, [best])) == []
    assert "did you mean best?" in found(rule(if_={"segment": "bset"}), best)[0]


def test_a_segment_that_is_wrong_itself_is_no_second_problem() -> None:
    wrong = segment("best", {"profile": "nothing", "is": 1})
    assert [one.partition(":")[0] for one in found(rule(if_={"segment": "best"}), wrong)] == ["best.yaml"]


def test_who_enters_a_segment_brings_no_data() -> None:
    best = segment("best", {"profile": "fields.orders", "at_least": 5})
    assert "brings no data" in found(rule(when={"enters": "best"}, if_={"event": "total", "is": 5}), best)[0]
    assert found(rule(when={"enters": "best"}, if_={"event": "type", "is": "segment.entered"}), best) == []


def test_segments_that_go_round_in_a_circle_are_refused() -> None:
    one, two, three = (
        segment(name, {"all": [{"segment": other}, {"profile": "stage", "is": "x"}]})
        for name, other in (("one", "two"), ("two", "three"), ("three", "one"))
    )
    assert [said.rpartition(": ")[2] for said in found(one, two, three)] == [
        "one → two → three → one",
        "two → three → one → two",
        "three → one → two → three",
    ]
    assert found(one, two, segment("three", {"profile": "stage", "is": "x"})) == []


@pytest.mark.parametrize(
    ("then", "other", "reached"),
    [
        ([{"end": {}}], [{"end": {}}], False),
        ([{"end": {}}], STEPS, True),
        ([{"end": {}}], None, True),
        (STEPS, [{"end": {}}], True),
    ],
)
def test_behind_a_branch_that_ends_both_ways_nobody_comes(then: Any, other: Any, reached: bool) -> None:
    branch = {"if": {"profile": "stage", "is": "x"}, "then": then} | ({"else": other} if other else {})
    assert (found(rule(steps=[{"branch": branch}, *STEPS])) == []) is reached


def test_two_rules_of_one_name_are_refused() -> None:
    twice = [read("a/some.yaml", lines()), read("b/some.yaml", lines())]
    assert told(check(twice, ACTIONS)) == ["b/some.yaml:1: some stands in a/some.yaml already"]


def test_problems_come_by_file_and_line() -> None:
    one = read("some.yaml", lines("if:", "  any:", "    - {segment: a}", "    - {segment: b}"))
    assert [said.split(":")[1] for said in found(one)] == ["8", "9"]
