"""A rule is told as a sentence that a manager can read."""

from __future__ import annotations

from typing import Any

import pytest

from hub.automation.sentences import sentence
from schemas.actions import ACTIONS
from tests.support.rule_files import rule, segment


def said(**words: Any) -> str:
    loaded = rule(**words)
    assert loaded.value is not None, loaded.problems
    return sentence(loaded.value, ACTIONS)


def condition(tree: dict[str, Any]) -> str:
    return said(if_=tree).removeprefix("When an order is placed, if ").removesuffix(": add the tag seen.")


def test_a_whole_rule_is_told() -> None:
    told = said(
        when={"event": "ticket.opened"},
        if_={"count": ["order.placed", "order.paid"], "within": "30d", "at_least": 1},
        again="30d",
        mode="trial",
        exits=[{"event": "email.replied"}, {"event": "a.b", "if": {"event": "total", "at_least": 5}}],
        steps=[
            {"add_tag": {"tag": "urgent"}},
            {"wait": {"event": ["email.replied", "call.logged"], "timeout": "2d", "then": "end"}},
            {"branch": {"if": {"profile": "stage", "exists": False}, "then": [{"end": {}}]}},
            {"paint": {"colour": "red"}},
        ],
    )
    assert told == (
        "When a ticket is opened, if an order was placed or an order was paid at least once in the last 30 days: "
        "add the tag urgent; then wait until a mail is answered or a call is logged, 2 days at the most (then the "
        "journey ends); then if they have no value for stage: (end); then paint (colour: red). "
        "The journey ends as soon as a mail is answered or a.b happens (if the event’s total is at least 5). "
        "Not again for the same customer within 30 days. On trial: decisions are written down, nothing is done."
    )


@pytest.mark.parametrize(
    ("tree", "told"),
    [
        ({"event": "total", "in": [1, 2, "x"]}, "the event’s total is 1, 2 or x"),
        ({"event": "total", "not_in": [1, 2]}, "the event’s total is none of 1, 2"),
        (
            {"event": "total", "at_least": 1, "less_than": 9},
            "the event’s total is at least 1 and the event’s total is less than 9",
        ),
        ({"profile": "tags", "contains": "vip"}, "they have the tag vip"),
        ({"not": {"profile": "tags", "contains": "vip"}}, "they do not have the tag vip"),
        ({"not": {"profile": "tags", "exists": True}}, "it is not so that they have a value for tags"),
        ({"profile": "activities", "at_least": 3}, "the number of their activities is at least 3"),
        ({"profile": "fields.first_seen", "within": "1d"}, "their first_seen lies within the last 1 day"),
        ({"count": "order.placed", "is": 0}, "an order was placed at no time before"),
        ({"count": "x.y", "more_than": 1, "at_most": 5}, "x.y happened at most 5 times and more than once before"),
        ({"segment": "best", "is": False}, "they are not in the segment best"),
        (
            {"all": [{"segment": "a"}, {"any": [{"segment": "b"}, {"not": {"segment": "c"}}]}]},
            "they are in the segment a and (they are in the segment b or it is not so that they are in the segment c)",
        ),
    ],
)
def test_a_condition_is_told(tree: dict[str, Any], told: str) -> None:
    assert condition(tree) == told


@pytest.mark.parametrize(
    ("step", "told"),
    [
        ({"wait": {"for": "1d"}}, "wait 1 day"),
        ({"wait": {"until": "09:00"}}, "wait until 09:00 of the customer’s day"),
        ({"end": {}}, "end"),
        ({"assign_owner": {"team": "sales"}}, "assign it to somebody of team sales, in turn"),
        ({"assign_owner": {"to": "ann@example.com"}}, "assign it to ann@example.com"),
        ({"assign_owner": {"to": "pool"}}, "put it back into the pool"),
        ({"create_task": {"to": "owner", "title": "Call"}}, "give the owner the task “Call”, due in 1 day"),
        ({"set_reminder": {"team": "x", "title": "Y", "after": "2w"}}, "remind team x of “Y” in 2 weeks"),
        ({"send_email": {"template": "welcome"}}, "send them the mail welcome"),
        ({"remove_tag": {"tag": "x"}}, "remove the tag x"),
        ({"set_stage": {"stage": "customer"}}, "set the stage to customer"),
        ({"notify": {"to": "a@b.example", "text": "Hi"}}, "tell a@b.example “Hi”"),
        ({"call_webhook": {"destination": "crm"}}, "call the webhook crm"),
    ],
)
def test_a_step_is_told(step: dict[str, Any], told: str) -> None:
    assert said(steps=[step]) == f"When an order is placed: {told}."


def test_every_verb_has_words_of_its_own() -> None:
    assert [verb for verb, model in ACTIONS.items() if "told" not in vars(model)] == []


def test_triggers_by_segment_and_once_are_told() -> None:
    assert said(when={"enters": "best"}, again="once").startswith("When somebody enters the segment best: ")
    assert said(when={"leaves": "best"}, again="once").endswith(" Once for each customer.")


def test_a_segment_is_told() -> None:
    made = segment("best", {"profile": "fields.orders", "at_least": 5}).value
    assert made is not None
    assert sentence(made, ACTIONS) == "In this segment is whoever fits: their orders is at least 5."
