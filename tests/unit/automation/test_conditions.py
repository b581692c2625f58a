"""What conditions say, one kind of question after the other."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import TypeAdapter

from hub.automation.conditions import Outcome, Truth, evaluate
from hub.automation.view import CountOf, Person, Trigger, View, none_at_all
from schemas.conditions import Condition

READ: TypeAdapter[Condition] = TypeAdapter(Condition)
AT = datetime(2026, 3, 10, 12, tzinfo=UTC)
DATA = {
    "ticket": {"priority": " High ", "created_at": "2026-03-09T12:00:00Z", "empty": ""},
    "order": {"total": "19.90", "items": [{"sku": "A-1", "tags": ["x"]}, {"sku": "B-2"}, {"name": "no sku"}]},
    "number": 5,
    "yes": True,
    "tags": ["Red", 5],
    "hole": None,
}
ANN = Person({"country": "DE", "first_seen": "2026-03-01T00:00:00Z"}, "ann@example.com", None, ["Urgent", "vip"], 7)


def ask(tree: Mapping[str, Any], data: Mapping[str, Any] = DATA, counts: CountOf = none_at_all) -> Outcome:
    event = Trigger("ticket.opened", "desk", data)
    return evaluate(READ.validate_python(tree), View(AT, ANN, counts, frozenset({"best"}), event))


@pytest.mark.parametrize(
    ("tree", "truth"),
    [
        ({"event": "type", "is": "ticket.opened"}, "true"),
        ({"event": "source", "in": ["shop", "desk"]}, "true"),
        ({"event": "ticket.priority", "is": "high"}, "true"),
        ({"event": "ticket.priority", "is_not": "HIGH"}, "false"),
        ({"event": "ticket.priority", "starts_with": "hi"}, "true"),
        ({"event": "ticket.priority", "contains": "ig"}, "true"),
        ({"event": "order.total", "at_least": 19.9}, "true"),
        ({"event": "order.total", "is": 19.9}, "true"),
        ({"event": "order.total", "is": "19.9"}, "false"),
        ({"event": "order.total", "more_than": "19.90"}, "false"),
        ({"event": "order.total", "at_least": 10, "less_than": 20}, "true"),
        ({"event": "number", "is": "5.0"}, "true"),
        ({"event": "yes", "is": True}, "true"),
        ({"event": "yes", "is": "TRUE"}, "true"),
        ({"event": "tags", "contains": "red"}, "true"),
        ({"event": "tags", "contains": "re"}, "false"),
        ({"event": "tags", "contains": 5.0}, "true"),
        ({"event": "order.items.sku", "contains": "b-2"}, "true"),
        ({"event": "order.items.sku.x", "exists": False}, "true"),
        ({"event": "ticket.created_at", "is": "2026-03-09T13:00:00+01:00"}, "true"),
        ({"event": "ticket.created_at", "at_least": "2026-03-09"}, "true"),
        ({"event": "ticket.created_at", "within": "2d"}, "true"),
        ({"event": "ticket.created_at", "within": "1d"}, "false"),
        ({"event": "ticket.created_at", "older_than": "1d"}, "true"),
        ({"profile": "fields.first_seen", "within": "30d"}, "true"),
        ({"profile": "owner", "is": "ANN@example.com"}, "true"),
        ({"profile": "tags", "contains": "urgent"}, "true"),
        ({"profile": "activities", "at_least": 7}, "true"),
        ({"segment": "best"}, "true"),
        ({"segment": "best", "is": False}, "false"),
        ({"segment": "lost", "is": False}, "true"),
    ],
)
def test_a_question_is_answered(tree: dict[str, Any], truth: str) -> None:
    assert ask(tree).truth == truth


@pytest.mark.parametrize("path", ["nobody", "hole", "ticket.empty", "ticket.priority.deeper"])
def test_of_a_missing_value_only_what_denies_is_true(path: str) -> None:
    asked: dict[str, Any] = {
        "is": "x",
        "is_not": "x",
        "in": ["x"],
        "not_in": ["x"],
        "contains": "x",
        "starts_with": "x",
        "exists": True,
        "at_least": 1,
        "at_most": 1,
        "more_than": 1,
        "less_than": 1,
        "within": "1d",
        "older_than": "1d",
    }
    true = {word for word, wanted in asked.items() if ask({"event": path, word: wanted}).holds}
    assert true == {"is_not", "not_in"}
    assert ask({"event": path, "exists": False}).holds


@pytest.mark.parametrize(
    ("tree", "reason"),
    [
        ({"event": "ticket.priority", "at_least": 5}, "is the text 'High', no number"),
        ({"event": "number", "at_least": "2026-01-01"}, "is a number, no time"),
        ({"event": "ticket.priority", "within": "2d"}, "is the text 'High', no time"),
        ({"event": "tags", "is": "red"}, "is a list: ask what it contains"),
        ({"event": "ticket", "is": "red"}, "is an object: ask one of its values"),
        ({"event": "number", "contains": 5}, "is a number, no text or list that could contain anything"),
        ({"event": "yes", "starts_with": "t"}, "is true or false, no text"),
    ],
)
def test_what_cannot_be_compared_is_an_error_and_says_why(tree: dict[str, Any], reason: str) -> None:
    told = ask(tree)
    assert (told.truth, told.seen[0].reason) == (Truth.ERROR, reason)
    assert ask({"not": tree}).truth == Truth.ERROR
    assert not told.holds


WRONG = {"event": "ticket.priority", "at_least": 5}
TRUE, FALSE = {"event": "number", "is": 5}, {"event": "number", "is": 6}


@pytest.mark.parametrize(
    ("tree", "truth"),
    [
        ({"all": [TRUE, WRONG]}, "error"),
        ({"all": [WRONG, FALSE]}, "false"),
        ({"all": [FALSE, WRONG]}, "false"),
        ({"any": [TRUE, WRONG]}, "true"),
        ({"any": [WRONG, TRUE]}, "true"),
        ({"any": [FALSE, WRONG]}, "error"),
    ],
)
def test_an_error_counts_where_it_could_make_a_difference(tree: dict[str, Any], truth: str) -> None:
    assert ask(tree).truth == truth


def test_counts_go_back_from_the_time_of_the_event() -> None:
    asked: list[tuple[tuple[str, ...], datetime | None, datetime]] = []

    def counts(types: tuple[str, ...], since: datetime | None, until: datetime) -> int:
        asked.append((types, since, until))
        return 2

    tree = {"all": [{"count": "order.placed", "within": "9d", "at_least": 2}, {"count": ["a.b", "c.d"], "is": 2}]}
    assert ask(tree, counts=counts).holds
    assert asked == [
        (("order.placed",), datetime(2026, 3, 1, 12, tzinfo=UTC), AT),
        (("a.b", "c.d"), None, AT),
    ]


def test_every_value_seen_is_told_also_behind_what_decided() -> None:
    told = ask(
        {"any": [TRUE, {"not": {"profile": "tags", "contains": "x"}}, {"count": "a.b", "within": "2d", "is": 0}]}
    )
    assert [(one.place, one.asked, one.value, one.truth) for one in told.seen] == [
        (("if", "any", 0), "event number is 5", 5, "true"),
        (("if", "any", 1, "not"), "profile tags contains x", ["Urgent", "vip"], "false"),
        (("if", "any", 2), "count a.b within 2d is 0", 0, "true"),
    ]


def test_what_is_no_number_is_nobody_s_equal() -> None:
    assert not ask({"event": "x", "is": "abc"}, {"x": float("nan")}).holds
    assert ask({"event": "x", "at_least": 1}, {"x": float("nan")}).truth == Truth.ERROR


def test_of_long_values_the_beginning_is_kept() -> None:
    data = {"text": "a" * 1000, "list": list(range(1000)), "order": {"x": 1}}
    told = ask({"all": [{"event": path, "exists": True} for path in data]}, data)
    assert [one.value for one in told.seen] == ["a" * 200 + "…", "a list of 1000", "an object of 1"]


def test_no_condition_always_holds_and_no_event_has_no_values() -> None:
    assert evaluate(None, View(AT)).holds
    assert evaluate(READ.validate_python({"event": "type", "exists": False}), View(AT)).holds


def test_the_time_grows_with_the_questions_and_no_faster() -> None:
    looked: list[int] = []

    def counts(_types: tuple[str, ...], _since: datetime | None, _until: datetime) -> int:
        looked.append(1)
        return 0

    leaf = {"count": "a.b", "is": 0}
    for many in (10, 100):
        looked.clear()
        told = ask({"all": [{"any": [leaf] * (many // 2)}, {"not": {"any": [leaf] * (many // 2)}}]}, counts=counts)
        assert (len(looked), len(told.seen)) == (many, many)
