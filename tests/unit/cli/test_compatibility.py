"""A change of a contract that breaks somebody is found, and one that breaks nobody passes."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from hub.cli.compatibility import http_breaks, schema_breaks, topic_breaks
from hub.cli.contracts import asyncapi, is_inbound
from hub.cli.schemas import breaks

Json = dict[str, Any]

FORM: Json = {
    "type": "object",
    "$defs": {
        "Contact": {
            "type": "object",
            "additionalProperties": True,
            "properties": {"email": {"anyOf": [{"type": "string", "maxLength": 100}, {"type": "null"}]}},
        }
    },
    "properties": {
        "contact": {"anyOf": [{"$ref": "#/$defs/Contact"}, {"type": "null"}]},
        "amount": {"type": "number", "minimum": 0},
        "kind": {"enum": ["lead", "order"]},
        "code": {"type": "string", "pattern": "^[a-z]+$"},
        "tags": {"type": "array", "items": {"type": "string"}},
    },
    "required": ["kind"],
}


def changed(change: Callable[[Json], Any]) -> Json:
    document = copy.deepcopy(FORM)
    change(document)
    return document


def contact(document: Json) -> Json:
    found: Json = document["$defs"]["Contact"]
    return found


def prop(document: Json, name: str) -> Json:
    found: Json = document["properties"][name]
    return found


INBOUND_BREAKS: list[tuple[str, Callable[[Json], Any]]] = [
    ("amount: is gone", lambda d: d["properties"].pop("amount")),
    ("contact.email: is gone", lambda d: contact(d)["properties"].pop("email")),
    ("amount: is required now", lambda d: d["required"].append("amount")),
    ("new: is required now", lambda d: (d["properties"].update(new={}), d["required"].append("new"))),
    ("contact.email: is required now", lambda d: contact(d).update(required=["email"])),
    ("contact: null is taken no longer", lambda d: prop(d, "contact")["anyOf"].pop()),
    ("contact.email: null is taken no longer", lambda d: contact(d)["properties"]["email"]["anyOf"].pop()),
    ("amount: number is taken no longer", lambda d: prop(d, "amount").update(type="integer")),
    ("tags[]: string is taken no longer", lambda d: prop(d, "tags")["items"].update(type="integer")),
    ("kind: fewer values are taken", lambda d: prop(d, "kind").update(enum=["lead"])),
    ("code: another pattern is asked for", lambda d: prop(d, "code").update(pattern="^[a-z]{3}$")),
    (
        "contact.email: maxLength is narrower",
        lambda d: contact(d)["properties"]["email"]["anyOf"][0].update(maxLength=9),
    ),
    ("amount: minimum is narrower", lambda d: prop(d, "amount").update(minimum=1)),
    ("amount: maximum is narrower", lambda d: prop(d, "amount").update(maximum=9)),
    ("contact: takes fewer additionalProperties", lambda d: contact(d).update(additionalProperties=False)),
]

INBOUND_FINE: list[Callable[[Json], Any]] = [
    lambda d: d["properties"].update(new={"type": "string"}),
    lambda d: d["required"].clear(),
    lambda d: prop(d, "amount").update(minimum=-5),
    lambda d: prop(d, "kind")["enum"].append("ticket"),
    lambda d: prop(d, "code").pop("pattern"),
    lambda d: prop(d, "contact")["anyOf"].append({"type": "string"}),
    lambda d: prop(d, "amount").update(description="in euros", title="Amount"),
]

OUTBOUND_BREAKS: list[tuple[str, Callable[[Json], Any]]] = [
    ("amount: is gone", lambda d: d["properties"].pop("amount")),
    ("kind: may be absent now", lambda d: d["required"].clear()),
    ("code: may be null now", lambda d: d["properties"].update(code={"anyOf": [{"type": "string"}, {"type": "null"}]})),
    ("kind: may have other values now", lambda d: prop(d, "kind")["enum"].append("ticket")),
    ("tags[]: may be integer now", lambda d: prop(d, "tags")["items"].update(type=["string", "integer"])),
]

OUTBOUND_FINE: list[Callable[[Json], Any]] = [
    lambda d: d["properties"].update(new={"type": "string"}),
    lambda d: d["required"].append("amount"),
    lambda d: prop(d, "contact")["anyOf"].pop(),
    lambda d: prop(d, "kind").update(enum=["lead"]),
    lambda d: prop(d, "amount").update(type="integer"),
]


@pytest.mark.parametrize(("sentence", "change"), INBOUND_BREAKS, ids=[case[0] for case in INBOUND_BREAKS])
def test_what_senders_may_no_longer_say_is_found(sentence: str, change: Callable[[Json], Any]) -> None:
    assert sentence in schema_breaks(FORM, changed(change), "inbound")


@pytest.mark.parametrize(("sentence", "change"), OUTBOUND_BREAKS, ids=[case[0] for case in OUTBOUND_BREAKS])
def test_what_readers_may_no_longer_count_on_is_found(sentence: str, change: Callable[[Json], Any]) -> None:
    assert sentence in schema_breaks(FORM, changed(change), "outbound")


@pytest.mark.parametrize("change", INBOUND_FINE)
def test_taking_more_than_before_breaks_no_sender(change: Callable[[Json], Any]) -> None:
    assert schema_breaks(FORM, changed(change), "inbound") == []


@pytest.mark.parametrize("change", OUTBOUND_FINE)
def test_telling_more_than_before_breaks_no_reader(change: Callable[[Json], Any]) -> None:
    assert schema_breaks(FORM, changed(change), "outbound") == []


def test_a_schema_that_holds_itself_is_compared_to_the_end() -> None:
    tree: Json = {
        "$ref": "#/$defs/Node",
        "$defs": {
            "Node": {"type": "object", "properties": {"next": {"$ref": "#/$defs/Node"}, "x": {"type": "string"}}}
        },
    }
    after = copy.deepcopy(tree)
    del after["$defs"]["Node"]["properties"]["x"]
    assert schema_breaks(tree, tree, "inbound") == []
    assert schema_breaks(tree, after, "inbound") == ["x: is gone"]


def test_a_topic_or_a_message_that_is_gone_is_found() -> None:
    before, after = asyncapi(), asyncapi()
    del after["channels"]["activities"]
    del after["channels"]["inbound.forms"]["messages"]["form.submitted"]
    after["channels"]["profiles"]["bindings"]["kafka"]["topicConfiguration"]["cleanup.policy"] = ["delete"]
    assert topic_breaks(before, before) == []
    assert set(topic_breaks(before, after)) == {
        "topic activities: is gone",
        "topic inbound.forms: form.submitted travels on it no longer",
        "topic profiles: is kept in another way",
    }


def test_an_address_a_parameter_or_an_answer_that_changed_is_found(made: dict[str, Json]) -> None:
    before = made["openapi.json"]
    after = copy.deepcopy(before)
    del after["paths"]["/events"]
    lookup = after["paths"]["/api/profiles/lookup"]["get"]
    lookup["parameters"] = [one | {"required": True} for one in lookup["parameters"] if one["name"] != "phone"]
    del after["components"]["schemas"]["LagRow"]["properties"]["seconds"]
    found = http_breaks(before, after)
    assert http_breaks(before, before) == []
    assert "POST /events: is gone" in found
    assert "GET /api/profiles/lookup: the parameter phone is gone" in found
    assert "GET /api/profiles/lookup: the parameter email is required now" in found
    assert "GET /api/lag: 200.groups[].seconds: is gone" in found


def test_today_s_contracts_break_nothing_of_today_s(made: dict[str, Json]) -> None:
    assert breaks(made, made) == []
    assert is_inbound("schemas/form.submitted.json")
    assert not is_inbound("schemas/profile.state.json")


def test_a_removed_event_type_is_a_break(made: dict[str, Json]) -> None:
    after = {path: contract for path, contract in made.items() if path != "schemas/note.added.json"}
    assert breaks(made, after) == ["schemas/note.added.json: is gone"]
