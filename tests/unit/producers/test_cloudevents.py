"""CloudEvents in binary, structured and batch mode: what is an event, what is refused, what is kept as unreadable."""

from __future__ import annotations

import base64
import json
from typing import Any

import orjson
import pytest

from hub.components import Request
from hub.errors import Reject, TooLarge, Unreadable
from hub.identity.ids import as_text, event_id
from producers.gateway import cloudevents
from producers.gateway.cloudevents import BATCH, STRUCTURED, Event, Reception, receive
from producers.gateway.records import Edge

ARRIVAL = "2026-11-22T08:15:30.123Z"
CONTACT = {"contact": {"id": "7", "email": "ann@example.com"}, "text": "hello"}
ENVELOPE = {"specversion": "1.0", "id": "e-1", "source": "/crm", "type": "contact.updated"}


def a_request(body: bytes, content_type: str | None, **headers: str) -> Request:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    kind = {} if content_type is None else {"content-type": content_type}
    return Request(body, named | kind, {}, ARRIVAL, body)


def binary(body: bytes, content_type: str | None = "application/json", **headers: str) -> Event:
    given = {f"ce_{name}": value for name, value in ENVELOPE.items()} | headers
    (event,) = receive(a_request(body, content_type, **given)).events
    return event


def structured(**more: Any) -> Event:
    (event,) = receive(a_request(json.dumps(ENVELOPE | more).encode(), STRUCTURED)).events
    return event


def batch(*events: Any) -> Reception:
    return receive(a_request(json.dumps(events).encode(), BATCH))


def test_binary_and_structured_mode_say_the_same() -> None:
    one = binary(json.dumps(CONTACT).encode(), ce_time="2026-11-22T08:00:00Z", ce_subject="x", ce_hops="2")
    other = structured(data=CONTACT, time="2026-11-22T08:00:00Z", subject="x", hops=2)
    assert one.reading == other.reading
    assert one.source == other.source == "/crm"
    assert one.reading.data == CONTACT
    assert one.reading.extensions == {"hops": "2"}


def test_the_event_id_is_made_of_key_source_and_id() -> None:
    reception = Reception([structured(data=CONTACT)])
    ((identity, message),) = reception.messages(Edge("crm-key", public=False), ARRIVAL)
    assert identity == as_text(event_id("crm-key", "/crm\x1fe-1"))
    headers = dict(message.headers)
    assert (headers["ce_id"], headers["ce_source"], headers["ce_edge"]) == (identity.encode(), b"/crm", b"crm-key")
    assert "ce_trust" not in headers


def test_attributes_in_headers_are_percent_encoded() -> None:
    assert binary(b"{}", ce_subject="Gr%C3%BC%C3%9Fe%20%25").reading.subject == "Grüße %"
    assert binary(b"{}", ce_subject='"a \\"b\\""').reading.subject == 'a "b"'


def test_data_may_be_absent_or_packed_as_base64() -> None:
    assert binary(b"").reading.data == {}
    assert binary(b"", None).reading.data == {}
    assert structured().reading.data == {}
    assert structured(data=None).reading.data == {}
    packed = base64.b64encode(json.dumps(CONTACT).encode()).decode()
    assert structured(data_base64=packed).reading.data == CONTACT


@pytest.mark.parametrize(
    "content_type", [None, "application/json; charset=utf-8", "text/json", "application/vnd.x+json"]
)
def test_data_in_binary_mode_is_json_of_any_name(content_type: str | None) -> None:
    assert binary(json.dumps(CONTACT).encode(), content_type).reading.data == CONTACT


def test_data_of_a_types_own_shape_is_taken() -> None:
    data = {"email": "ann@example.com", "fields": {"tags": ["a", "b"]}, "files": [{"name": "a", "bytes": 1}]}
    assert structured(type="form.submitted", data=data).reading.data == data
    assert (
        structured(type="order.placed", data={"contact": {"id": "7"}, "total": "12.50"}).reading.type == "order.placed"
    )


@pytest.mark.parametrize(
    ("change", "status", "field"),
    [
        *(({name: None}, 400, name) for name in ENVELOPE),
        *(({name: ""}, 400, name) for name in ENVELOPE),
        *(({name: 5}, 400, name) for name in ENVELOPE),
        *(({name: "x" * 1025}, 400, name) for name in ENVELOPE),
        ({"specversion": "0.3"}, 400, "specversion"),
        ({"id": "a\0b"}, 422, "id"),
        ({"id": "a\x1fb"}, 422, "id"),
        ({"id": "a\ud800"}, 422, "id"),
        ({"source": "a\nb"}, 422, "source"),
        ({"subject": ""}, 400, "subject"),
        ({"subject": "s" * 1025}, 400, "subject"),
        ({"time": "t" * 1025}, 400, "time"),
        ({"origin": "a\0"}, 422, "origin"),
        ({"hops": 1000}, 422, "hops"),
        ({"hops": "many"}, 422, "hops"),
        ({"hops": -1}, 422, "hops"),
        ({"type": "updated"}, 422, "type"),
        ({"type": "contact updated"}, 422, "type"),
        *(({"type": f"{noun}.updated"}, 422, "type") for noun in ("profile", "segment", "action", "source")),
        ({"type": "email.sent"}, 422, "type"),
        ({"data": {}, "data_base64": "e30="}, 400, "data_base64"),
    ],
)
def test_a_wrong_envelope_is_refused_by_name(change: dict[str, Any], status: int, field: str) -> None:
    with pytest.raises(Reject) as wrong:
        structured(**change)
    assert (wrong.value.status, wrong.value.field) == (status, field)


@pytest.mark.parametrize("name", ENVELOPE)
def test_a_missing_header_is_told_by_its_name(name: str) -> None:
    headers = {f"ce_{one}": value for one, value in ENVELOPE.items() if one != name}
    with pytest.raises(Unreadable) as wrong:
        receive(a_request(b"{}", "application/json", **headers))
    assert wrong.value.field == f"ce-{name}"


def test_a_header_that_is_no_utf_8_is_told_by_its_name() -> None:
    with pytest.raises(Unreadable) as wrong:
        binary(b"{}", ce_subject="%FF")
    assert wrong.value.field == "ce-subject"


@pytest.mark.parametrize("time", ["yesterday", 1732262400, "", None])
def test_a_time_that_is_none_is_no_reason_to_refuse(time: Any) -> None:
    reception = Reception([structured(time=time, data=CONTACT)])
    ((_, message),) = reception.messages(Edge("crm", public=False), ARRIVAL)
    assert not {"ce_time"} & dict(message.headers).keys()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"data": {"contact": {"email": 5}}}, "data.contact.email"),
        ({"data": {"contact": "ann"}}, "data.contact"),
        ({"data": {"contact": {"name": "a\0b"}}}, "data.contact.name"),
        ({"data": {"contact": {"name": "\ud800"}}}, "data.contact.name"),
        ({"data": {"lines": [{"t\0": 1}]}}, "data.lines.0.(name)"),
        ({"data": []}, "data"),
        ({"data": "text"}, "data"),
        ({"data": False}, "data"),
        ({"data_base64": "###"}, "data_base64"),
        ({"data_base64": 5}, "data_base64"),
        ({"data_base64": base64.b64encode(b"text").decode()}, "data_base64"),
        ({"type": "form.submitted", "data": {"fields": {"a": 1}}}, "data.fields.a.str"),
    ],
)
def test_wrong_data_under_a_good_envelope_is_kept_as_unreadable(change: dict[str, Any], field: str) -> None:
    event = structured(subject="s", **change)
    assert (event.reading.type, event.reading.subject) == ("source.unreadable", "s")
    assert event.reading.natural_id == structured().reading.natural_id
    assert event.reading.data["field"] == field
    assert event.reading.data["type"] == change.get("type", "contact.updated")
    ((_, message),) = Reception([event]).messages(Edge("crm", public=False), ARRIVAL)
    assert message.topic == "inbound.tools"
    assert orjson.loads(message.value or b"")["raw"]["text"] == json.dumps(ENVELOPE | {"subject": "s"} | change)


@pytest.mark.parametrize(
    ("body", "content_type", "field"),
    [
        (b"hello", "text/plain", "datacontenttype"),
        (b"<a/>", "application/xml", "datacontenttype"),
        (b"{", "application/json", "data"),
        (b"\xff", "application/json", "data"),
        (b"[1]", "application/json", "data"),
        (rb'{"contact": {"name": "\u0000"}}', "application/json", "data.contact.name"),
    ],
)
def test_a_wrong_body_in_binary_mode_is_kept_as_unreadable(body: bytes, content_type: str, field: str) -> None:
    event = binary(body, content_type)
    assert (event.reading.type, event.reading.data["field"]) == ("source.unreadable", field)


def test_a_damaged_body_in_binary_mode_is_kept_and_in_the_others_refused() -> None:
    damage = Unreadable("the packed body ends too early", "content-encoding")
    headers = {f"ce_{name}": value for name, value in ENVELOPE.items()}
    (event,) = receive(a_request(b"", "application/json", **headers), damage).events
    assert (event.reading.type, event.reading.data["field"]) == ("source.unreadable", "content-encoding")
    for content_type in (STRUCTURED, BATCH):
        with pytest.raises(Unreadable):
            receive(a_request(b"", content_type), damage)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"x"', b"null", json.dumps(ENVELOPE).encode()[:-3]])
def test_a_structured_event_is_a_whole_object(body: bytes) -> None:
    with pytest.raises(Unreadable):
        receive(a_request(body, STRUCTURED))


@pytest.mark.parametrize(
    "content_type",
    [
        "application/cloudevents+xml",
        "application/cloudevents",
        f"{STRUCTURED}; charset=latin-1",
        "application/cloudevents-batch",
    ],
)
def test_other_forms_of_cloudevents_are_a_wrong_type(content_type: str) -> None:
    with pytest.raises(Reject) as wrong:
        receive(a_request(b"{}", content_type))
    assert (wrong.value.status, wrong.value.field) == (415, "content-type")


def test_a_trace_goes_on_where_it_is_one() -> None:
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    assert structured(traceparent=trace).reading.extensions == {"traceparent": trace}
    assert binary(b"{}", traceparent=trace).reading.extensions == {"traceparent": trace}
    assert structured(traceparent="none").reading.extensions == {}


def test_a_batch_is_read_in_its_order_each_event_with_its_own_bytes() -> None:
    first = b'{"specversion":"1.0" , "id":"1","source":"/crm","type":"note.added","data":{"text":"\xc3\xbc"}}'
    second = first.replace(b'"1" ', b'"1"').replace(b'"id":"1"', b'"id":"2"')
    reception = receive(a_request(b" [\n" + first + b" ,\n " + second + b"]\n", BATCH))
    assert reception.many
    assert [event.reading.natural_id for event in reception.events] == ["/crm\x1f1", "/crm\x1f2"]
    assert [(event.raw["text"] or "").encode() for event in reception.events] == [first, second]
    assert {event.raw["content_type"] for event in reception.events} == {STRUCTURED}


def test_a_lone_surrogate_spoils_one_event_of_a_batch_and_no_other() -> None:
    events = batch(ENVELOPE, ENVELOPE | {"id": "2", "data": {"text": "\ud800"}}, ENVELOPE | {"id": "3"}).events
    assert [event.reading.type for event in events] == ["contact.updated", "source.unreadable", "contact.updated"]
    assert events[1].raw["text"] == json.dumps(ENVELOPE | {"id": "2", "data": {"text": "\ud800"}})


def test_an_empty_batch_has_no_events() -> None:
    assert batch() == Reception([], many=True)


def test_repeats_within_a_batch_are_fine() -> None:
    identities = [identity for identity, _ in batch(ENVELOPE, ENVELOPE).messages(Edge("crm", public=False), ARRIVAL)]
    assert len(identities) == 2
    assert len(set(identities)) == 1


def test_one_wrong_envelope_refuses_the_whole_batch() -> None:
    with pytest.raises(Reject) as wrong:
        batch(ENVELOPE, ENVELOPE | {"id": ""})
    assert wrong.value.field == "1.id"
    with pytest.raises(Reject) as wrong:
        batch(ENVELOPE, 5)
    assert wrong.value.field == "1"


@pytest.mark.parametrize(
    "body", [b"", b"{}", b"[", rb'{"a": "\ud800"}', rb'["\ud800"', json.dumps([ENVELOPE]).encode()[:-1]]
)
def test_a_batch_is_a_whole_array(body: bytes) -> None:
    with pytest.raises(Unreadable):
        receive(a_request(body, BATCH))


def test_a_batch_has_a_largest_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cloudevents, "MOST_EVENTS", 2)
    with pytest.raises(TooLarge):
        batch(ENVELOPE, ENVELOPE, ENVELOPE)
