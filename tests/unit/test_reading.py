"""A record becomes a fact, or a letter that names what is wrong; never an error of our own."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import msgspec
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from consumers import contacts, reading
from consumers.reading import UnreadableEvent, read
from hub.components import Record
from hub.identity.evidence import Fact
from hub.identity.ids import event_id
from schemas.envelope import Envelope
from schemas.events.contact import Occurrence
from schemas.events.form import FormSubmitted
from schemas.identifiers import Address, Contact

ID = b"0190c8a0-0000-8000-8000-000000000001"
TAKEN, KAFKA = "2026-11-20T08:00:00.000Z", "2026-11-22T00:00:00.000Z"
EDGE = {
    "ce_specversion": b"1.0", "ce_id": ID, "ce_source": b"https://shop.firm.org", "ce_type": b"form.submitted",
    "ce_edge": b"web-eu", "ce_trust": b"public", "ce_receivedtime": TAKEN.encode(), "content-type": b"application/json",
}  # fmt: skip
DIRECT = {"ce_specversion": b"1.0", "ce_id": b"7", "ce_source": b"crm", "ce_type": b"contact.updated"}
PERSON = {"contact": {"id": "c-1", "email": "Ann@firm.org", "given_name": "Ann"}}
STRUCTURED = {"specversion": "1.0", "id": "7", "source": "crm", "type": "contact.updated", "data": PERSON}


def record(headers: Mapping[str, bytes | None], value: object = None) -> Record:
    body = value if isinstance(value, bytes) or value is None else orjson.dumps(value)
    pairs: Any = list(headers.items())
    return Record("inbound.tools", 0, 0, 1_795_305_600_000, None, body, pairs)


def fact_of(headers: Mapping[str, bytes | None], value: object = None, region: str | None = None) -> Fact:
    return read(record(headers, value), {"": region})


def letter_of(headers: Mapping[str, bytes | None], value: object = None) -> UnreadableEvent:
    with pytest.raises(UnreadableEvent) as unread:
        fact_of(headers, value)
    return unread.value


# Three ways in.


def test_an_event_of_the_edge_keeps_its_id_its_source_and_the_time_of_its_arrival() -> None:
    fact = fact_of(EDGE, {"email": "Ann@firm.org", "name": "Ann Lee", "raw": {"content_type": "x", "text": "…"}})
    assert (fact.id.encode(), fact.source, fact.at, fact.received_at) == (ID, "web-eu", TAKEN, TAKEN)
    assert not fact.trusted
    assert fact.who
    assert (fact.who.source, fact.who.key) == ("web-eu", "ann@firm.org")
    assert orjson.loads(fact.payload) == {"email": "Ann@firm.org", "name": "Ann Lee"}


@pytest.mark.parametrize(
    ("headers", "value"),
    [
        (DIRECT, PERSON),
        ({"content-type": b"application/cloudevents+json; charset=utf-8"}, STRUCTURED),
        ({}, STRUCTURED),
        ({}, {**STRUCTURED, "data": None, "data_base64": b64encode(orjson.dumps(PERSON)).decode()}),
        ({}, {**STRUCTURED, "unknown": {"x": [1]}}),
    ],
)
def test_who_publishes_directly_gets_the_same_fact_in_every_form(headers: dict[str, bytes], value: object) -> None:
    fact = fact_of(headers, value)
    assert fact.event == event_id("crm", "crm 7")
    assert (fact.type, fact.source, fact.at, fact.received_at) == ("contact.updated", "crm", KAFKA, KAFKA)
    assert fact.trusted
    assert fact.who
    assert (fact.who.kind, fact.who.key) == ("account", "c-1")
    assert orjson.loads(fact.payload) == PERSON


@pytest.mark.parametrize("value", [None, b"", b"{}", {"text": "Hi"}, {"contact": None}, {"contact": {"name": "Ann"}}])
def test_an_event_of_nobody_is_a_fact_without_a_person(value: object) -> None:
    assert fact_of(DIRECT, value).who is None


def test_an_event_without_data_is_an_empty_one() -> None:
    for more in ({}, {"data": None}):
        structured = {name: value for name, value in STRUCTURED.items() if name != "data"}
        assert fact_of({}, structured | more).payload == b"{}"


def test_spam_is_kept_apart_and_names_nobody() -> None:
    fact = fact_of(EDGE, {"email": "ann@firm.org", "spam": True})
    assert fact.spam
    assert fact.who is None


def test_a_delivery_that_is_not_mapped_names_nobody() -> None:
    assert fact_of(EDGE | {"ce_type": b"source.ignored"}, PERSON).who is None


def test_a_forms_own_fields_win_over_those_of_its_contact() -> None:
    fact = fact_of(EDGE, {"email": "ann@firm.org", "contact": {"email": "bob@firm.org", "phone": "030 901820"}})
    assert fact.who
    assert [claim.value for claim in fact.who.claims] == ["ann@firm.org"]


def test_a_phone_without_a_country_takes_its_sources_else_everybodys() -> None:
    value = {"contact": {"phone": "030 901820"}}
    everybodys: dict[str, str | None] = {"": "DE"}
    its_own: dict[str, str | None] = {"": "US", "crm": "DE"}
    for regions in (everybodys, its_own):
        who = read(record(DIRECT, value), regions).who
        assert who
        assert who.key == "+4930901820"
    assert fact_of(DIRECT, value).who is None


def test_two_nameless_events_under_a_role_address_are_two_records() -> None:
    value = {"contact": {"email": "info@firm.org"}}
    one, other = fact_of(DIRECT, value).who, fact_of(DIRECT | {"ce_id": b"8"}, value).who
    assert one
    assert other
    assert one.record != other.record


# When.


@pytest.mark.parametrize(
    ("time", "at"),
    [
        ("2026-11-21T08:00:00Z", "2026-11-21T08:00:00.000Z"),
        ("2026-11-21T08:00:00.123456+01:00", "2026-11-21T07:00:00.123Z"),
        ("2026-11-21", "2026-11-21T00:00:00.000Z"),
        ("2026-11-23T08:00:00Z", "2026-11-22T00:05:00.000Z"),
        ("1999-01-01T00:00:00Z", "2021-11-18T00:00:00.000Z"),
        ("0001-01-01T00:00:00+14:00", KAFKA),
        ("yesterday", KAFKA),
        ("", KAFKA),
    ],
)
def test_the_time_of_an_event_is_its_own_within_reason_else_its_arrival(time: str, at: str) -> None:
    assert fact_of(DIRECT | {"ce_time": time.encode()}, PERSON).at == at
    assert fact_of({}, {**STRUCTURED, "time": time}).at == at


def test_a_form_may_say_when_it_was_sent_and_the_envelope_knows_better() -> None:
    form = {"email": "ann@firm.org", "submitted_at": "2026-11-19T08:00:00Z"}
    assert fact_of(EDGE, form).at == "2026-11-19T08:00:00.000Z"
    assert fact_of(EDGE | {"ce_time": b"2026-11-18T08:00:00Z"}, form).at == "2026-11-18T08:00:00.000Z"


# What cannot be read.


@pytest.mark.parametrize(
    ("headers", "field"),
    [
        ({"ce_specversion": b"0.3"}, "ce_specversion"), ({"ce_specversion": None}, "ce_specversion"),
        ({"ce_id": b""}, "ce_id"), ({"ce_id": None}, "ce_id"), ({"ce_id": b"a\x00b"}, "ce_id"),
        ({"ce_id": b"x" * 1025}, "ce_id"), ({"ce_id": b"\xff"}, "headers"),
        ({"ce_source": b""}, "ce_source"), ({"ce_source": b"a\x00"}, "ce_source"), ({"ce_source": None}, "ce_source"),
        ({"ce_type": b""}, "ce_type"), ({"ce_type": b"contact"}, "ce_type"), ({"ce_type": b"a b.c"}, "ce_type"),
        ({"ce_type": b"profile.updated"}, "ce_type"), ({"ce_type": b"segment.entered"}, "ce_type"),
        ({"ce_type": b"action.fired"}, "ce_type"), ({"ce_type": b"email.sent"}, "ce_type"),
        ({"ce_edge": b"web", "ce_receivedtime": TAKEN.encode()}, "ce_id"),
        ({"ce_edge": b"web", "ce_id": ID, "ce_receivedtime": b"soon"}, "ce_receivedtime"),
        ({"ce_edge": b"web", "ce_id": ID, "ce_receivedtime": b"2026-11-20T08:00:00+01:00"}, "ce_receivedtime"),
        ({"ce_edge": b"w\x00", "ce_id": ID, "ce_receivedtime": TAKEN.encode()}, "ce_edge"),
    ],
)  # fmt: skip
def test_a_wrong_header_is_named(headers: dict[str, bytes | None], field: str) -> None:
    assert letter_of(DIRECT | headers, PERSON).field == field


@pytest.mark.parametrize(
    ("value", "field"),
    [
        (b"\xff", "ce_id"), (b"[]", "ce_id"), (None, "ce_id"), ({}, "ce_id"), ({**STRUCTURED, "id": 7}, "ce_id"),
        (b'{"id":' + b"[" * 100_000, "ce_id"),
        ({**STRUCTURED, "specversion": "0.3"}, "ce_specversion"), ({**STRUCTURED, "id": ""}, "ce_id"),
        ({**STRUCTURED, "source": ""}, "ce_source"), ({**STRUCTURED, "source": "a\x00"}, "ce_source"),
        ({**STRUCTURED, "type": "x"}, "ce_type"), ({**STRUCTURED, "type": "profile.updated"}, "ce_type"),
        ({**STRUCTURED, "data_base64": "?"}, "data_base64"), ({**STRUCTURED, "data_base64": ""}, "data"),
    ],
)  # fmt: skip
def test_a_wrong_structured_event_is_named(value: object, field: str) -> None:
    assert letter_of({}, value).field == field


@pytest.mark.parametrize(
    ("value", "field"),
    [
        (b"no", "data"), (b"[]", "data"), (b'"text"', "data"), (b"null", "data"), (b'{"x":1', "data"),
        (b'{"x":"\xff"}', "data"), (b'{"x":"\\ud800"}', "data"), (b'{"x":' + b"[" * 100_000, "data"),
        ({"contact": 7}, "data.contact"), ({"contact": {"email": 7}}, "data.contact.email"),
        ({"contact": {"id": "x" * 4097}}, "data.contact.id"), ({"text": []}, "data.text"),
    ],
)  # fmt: skip
def test_wrong_data_is_named_by_its_path_with_the_event_and_its_source(value: object, field: str) -> None:
    letter = letter_of(DIRECT, value)
    assert (letter.field, letter.source, letter.event_id) == (field, "crm", event_id("crm", "crm 7"))
    assert str(letter)


def test_what_the_edge_could_not_read_is_a_letter_with_its_reason() -> None:
    letter = letter_of(EDGE | {"ce_type": b"source.unreadable"}, {"reason": "no base64", "field": "data.x", "raw": {}})
    assert (str(letter), letter.field, letter.source) == ("no base64", "data.x", "web-eu")


headers = st.dictionaries(
    st.sampled_from([*EDGE, "ce_time", "x"]),
    st.none() | st.binary(max_size=12) | st.sampled_from([*EDGE.values(), *DIRECT.values()]),
    max_size=9,
)
values = st.none() | st.binary(max_size=30) | st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from(["contact", "email", "id", "raw", "spam", "fields", "data"]), inner, max_size=4),
    max_leaves=8,
).map(msgspec.json.encode)  # fmt: skip


@settings(max_examples=150, derandomize=True, database=None, deadline=None)
@given(headers, values, st.booleans())
def test_whatever_comes_is_a_fact_that_can_be_stored_or_a_letter(
    given_headers: dict[str, bytes | None], value: bytes | None, is_event: bool
) -> None:
    base: dict[str, bytes | None] = {**DIRECT} if is_event else {}
    with suppress(UnreadableEvent):
        fact = fact_of(base | given_headers, value, "DE")
        assert isinstance(msgspec.json.decode(fact.payload.decode()), dict)
        assert not any("\x00" in word for word in (fact.type, fact.source, fact.at, fact.received_at))
        assert not (fact.who and "\x00" in fact.who.key)


# The published shapes and the quick ones say the same.


def takes(shape: type[BaseModel], value: object) -> bool:
    try:
        shape.model_validate_json(orjson.dumps(value))
    except ValidationError:
        return False
    return True


def takes_quickly(shape: type[msgspec.Struct], value: object) -> bool:
    try:
        msgspec.json.decode(orjson.dumps(value), type=shape)
    except msgspec.ValidationError:
        return False
    return True


ODD: tuple[object, ...] = (
    None, "", "x", "x" * 4096, "x" * 4097, "ü" * 4096, "ü" * 4097, 7, 7.5, True, [], ["x"], {}, {"x": ["y"]},
    {"x": 7}, {"x": [7]}, {"id": "7"}, {"id": 7}, {"email": None}, {"name": "x" * 4097}, {"other": 7},
)  # fmt: skip


@pytest.mark.parametrize(
    ("published", "quick", "left_to_the_edge"),
    [
        (Contact, contacts.Contact, ()),
        (Address, contacts.Address, ()),
        (FormSubmitted, reading.Data, ("raw", "files")),
        (Occurrence, reading.General, ("raw",)),
    ],
)
def test_the_quick_shapes_take_what_the_published_ones_take(
    published: type[BaseModel], quick: type[msgspec.Struct], left_to_the_edge: tuple[str, ...]
) -> None:
    assert {*published.model_fields} == {*quick.__struct_fields__, *left_to_the_edge}
    for field in (*quick.__struct_fields__, "another"):
        for value in ODD:
            assert takes(published, {field: value}) == takes_quickly(quick, {field: value}), (field, value)


@pytest.mark.parametrize("field", ["specversion", "id", "source", "type"])
@pytest.mark.parametrize(
    "value", ["1.0", "0.3", "", "x", "x.y", "x" * 1024, "x" * 1025, "a." * 600 + "b", "ä.b", 7, None, []]
)
def test_an_envelope_is_read_where_the_published_one_allows_it(field: str, value: object) -> None:
    event = STRUCTURED | {field: value}
    try:
        fact_of({}, event)
        is_read = True
    except UnreadableEvent:
        is_read = False
    assert is_read == takes(Envelope, event)
