"""What of a body becomes which field: words, forms, lists, and the rest of the answers."""

from __future__ import annotations

from typing import Any

import pytest

from hub.errors import Reject
from producers.event_rules import Rule
from producers.field_forms import FORMS
from producers.field_maps import Delivery, event_data


def mapped(fields: dict[str, Any], body: Any, **headers: str) -> dict[str, Any]:
    """The data of an event with these fields."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    rule = Rule.model_validate({"type": "thing.happened", "fields": fields})
    return event_data(rule.fields, Delivery(body, body, named))


def test_words_find_values() -> None:
    body = {"a": {"b": " x "}, "n": 1.5, "yes": True, "none": None, "blank": " ", "list": []}
    fields = {
        "path": "$.a.b",
        "header": "@X-One",
        "constant": "'web shop'",
        "number": "$.n",
        "flag": "$.yes",
        "first": ["$.none", "$.blank", "$.list", "$.gone", "@X-Gone", "$.n"],
        "joined": "{$.n}/{@X-One}",
        "broken": "{$.n}/{$.none}",
        "deep.er": "$.n",
        "deep.est": "$.yes",
        "absent": "$.none",
        "all": {"all": ["a:{$.n}", "b:{$.none}", "$.yes", "a:{$.n}"]},
    }
    assert mapped(fields, body, x_one="one") == {
        "path": " x ",
        "header": "one",
        "constant": "web shop",
        "number": "1.5",
        "flag": "true",
        "first": "1.5",
        "joined": "1.5/one",
        "deep": {"er": "1.5", "est": "true"},
        "all": ["a:1.5", "true"],
    }


@pytest.mark.parametrize(
    ("form", "value", "beside", "expected"),
    [
        ("seconds", 1795335330, None, "2026-11-22T08:15:30.000Z"),
        ("seconds", "1795335330", None, "2026-11-22T08:15:30.000Z"),
        ("milliseconds", 1795335330123, None, "2026-11-22T08:15:30.123Z"),
        ("minor_units", 1990, "eur", "19.90"),
        ("minor_units", 5, None, "0.05"),
        ("minor_units", 0, "EUR", "0.00"),
        ("minor_units", -1990, "USD", "-19.90"),
        ("minor_units", 1990, "jpy", "1990"),
        ("minor_units", 1990, "KWD", "1.990"),
        ("minor_units", 500, "isk", "5.00"),
        ("integer", "3", None, 3),
        ("integer", 3.0, None, 3),
        ("upper", "eur", None, "EUR"),
        ("phone", "0664 1234567", "AT", "+436641234567"),
        ("phone", "0664 1234567", None, "0664 1234567"),
        ("phone", "12", "AT", "12"),
        ("phone", "+49 30 901820", "AT", "+49 30 901820"),
        ("phone", "0664 1234567", "Österreich", "0664 1234567"),
        ("texts", ["a", 1, None, {"b": 2}], None, ["a", "1", '{"b":2}']),
        ("texts", ["a"], None, "a"),
        ("texts", {"b": 2}, None, '{"b":2}'),
        ("json", {"b": [2]}, None, {"b": [2]}),
    ],
)
def test_a_value_is_brought_into_its_form(form: str, value: Any, beside: str | None, expected: Any) -> None:
    field = {"first": "$.value", "as": form} | ({"using": "$.beside"} if beside else {})
    assert mapped({"it": field}, {"value": value, "beside": beside}) == {"it": expected}


@pytest.mark.parametrize("form", sorted(FORMS))
@pytest.mark.parametrize("value", [None, "", " ", []])
def test_what_says_nothing_is_left_out(form: str, value: Any) -> None:
    found = mapped({"it": {"first": "$.value", "as": form}}, {"value": value})
    assert found == ({} if form != "json" or value is None else {"it": value})


@pytest.mark.parametrize(
    ("form", "value"),
    [
        ("text", {"a": 1}),
        ("text", ["a"]),
        ("integer", "three"),
        ("integer", 1.5),
        ("integer", "1e999999999"),
        ("integer", "NaN"),
        ("integer", "Infinity"),
        ("minor_units", "19.90"),
        ("seconds", 10**18),
        ("seconds", -(10**18)),
        ("milliseconds", "soon"),
        ("upper", {"a": 1}),
        ("phone", {"a": 1}),
    ],
)
def test_a_value_of_another_sort_is_a_dead_letter_that_names_the_field(form: str, value: Any) -> None:
    with pytest.raises(Reject) as wrong:
        mapped({"contact.name": {"first": "$.value", "as": form}}, {"value": value})
    assert wrong.value.field == "contact.name"


def test_what_a_tool_writes_for_nobody_is_nobody() -> None:
    field = {"first": ["$.customer", "$.account"], "unless": ["0", "guest"]}
    assert mapped({"contact.id": field}, {"customer": 0, "account": "guest"}) == {}
    assert mapped({"contact.id": field}, {"customer": 0, "account": "17"}) == {"contact": {"id": "17"}}


def test_each_element_becomes_an_object() -> None:
    fields = {
        "id": "$.product",
        "quantity": {"first": "$.count", "as": "integer"},
        "price": {"first": "$.amount", "as": "minor_units", "using": "$$.currency"},
    }
    body = {"currency": "eur", "lines": [{"product": 7, "count": 2, "amount": 500}, {"product": 8}, {}, None]}
    assert mapped({"order.items": {"each": "$.lines[*]", "fields": fields}}, body) == {
        "order": {"items": [{"id": "7", "quantity": 2, "price": "5.00"}, {"id": "8"}]}
    }


def test_the_rest_of_the_answers_is_gathered_by_name() -> None:
    gather = {
        "each": "$.answers[*]",
        "key": {"first": "$.q", "through": {"each": "$$.questions[*]", "key": "$.id", "value": "$.title"}},
        "value": {
            "first": "$.said",
            "as": "texts",
            "through": {"each": "$.options[*]", "key": "$.id", "value": "$.text"},
        },
    }
    body = {
        "questions": [{"id": "1", "title": "Mail"}, {"id": "2", "title": "Colour"}],
        "answers": [
            {"q": "1", "said": "ann@example.com"},
            {"q": "2", "said": ["r"], "options": [{"id": "r", "text": "Red"}, {"id": "g", "text": "Green"}]},
            {"q": "2", "said": "g"},
            {"q": "9", "said": "ann@example.com"},
            {"q": "8", "said": None},
            {"said": "nameless"},
            "odd",
        ],
    }
    # what another field was read from is left out, whichever of them stands first
    assert mapped({"fields": gather, "email": "$.answers[?@.q=='1'].said"}, body) == {
        "email": "ann@example.com",
        "fields": {"Colour": ["Red", "g"], "9": "ann@example.com"},
    }


def test_a_list_without_end_is_not_gone_through() -> None:
    with pytest.raises(Reject, match="more than 1000") as wrong:
        mapped({"items": {"each": "$[*]", "fields": {"a": "$.a"}}}, [{"a": 1}] * 1001)
    assert wrong.value.field == "items"
