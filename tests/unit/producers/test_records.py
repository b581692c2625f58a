"""From a reading to a record: headers, key, and a value whose last word is the body as it came."""

from __future__ import annotations

import base64
from typing import Any

import orjson
import pytest

from hub.components import Reading
from hub.errors import Reject, Unreadable
from hub.identity.ids import as_text, event_id
from hub.streams.keys import key_of
from hub.streams.publish import Message
from producers.gateway import records
from producers.gateway.records import Edge, Occasion

ARRIVAL = "2026-11-22T08:15:30.123Z"
STRANGER = Occasion(Edge("web-eu", public=True), "web-eu", ARRIVAL)
COLLEAGUE = Occasion(Edge("crm", public=False), "/crm", ARRIVAL)
RAW = records.raw(b"x=1", "text/plain", "")


def a_reading(**more: Any) -> Reading:
    return Reading(**({"type": "form.submitted", "natural_id": "n", "data": {"name": "Ann"}} | more))


def a_record(occasion: Occasion = STRANGER, **more: Any) -> Message:
    return records.record(occasion, a_reading(**more), RAW)[1]


def test_a_record_is_a_cloudevent_in_binary_mode() -> None:
    identity, message = records.record(STRANGER, a_reading(), RAW)
    assert identity == as_text(event_id("web-eu", "n"))
    assert message.topic == "inbound.forms"
    assert dict(message.headers) == {
        "ce_specversion": b"1.0",
        "ce_id": identity.encode(),
        "ce_source": b"web-eu",
        "ce_type": b"form.submitted",
        "ce_receivedtime": ARRIVAL.encode(),
        "ce_edge": b"web-eu",
        "ce_trust": b"public",
        "content-type": b"application/json",
    }


def test_what_the_source_did_not_say_has_no_header() -> None:
    headers = dict(a_record(COLLEAGUE).headers)
    assert headers["ce_source"] == b"/crm"
    assert headers["ce_edge"] == b"crm"
    assert not {"ce_trust", "ce_time", "ce_subject"} & headers.keys()


def test_what_the_source_said_beside_the_data_has_a_header() -> None:
    said: dict[str, Any] = {
        "time": "2026-11-22T09:00:00+01:00",
        "subject": "ü",
        "extensions": {"origin": "crm", "hops": "1"},
    }
    headers = dict(a_record(**said).headers)
    assert headers["ce_time"] == b"2026-11-22T09:00:00+01:00"
    assert headers["ce_subject"] == "ü".encode()
    assert (headers["ce_origin"], headers["ce_hops"]) == (b"crm", b"1")


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("2026-11-22T08:00:00Z", "2026-11-22T08:00:00Z"),
        ("2026-11-22T08:00", "2026-11-22T08:00:00.000Z"),
        ("2026-11-22", "2026-11-22T00:00:00.000Z"),
        ("yesterday", None),
        ("2026-13-22T08:00:00Z", None),
        ("9" * 1000, None),
        ("", None),
        (None, None),
    ],
)
def test_a_time_goes_on_as_rfc_3339_or_not_at_all(written: str | None, sent: str | None) -> None:
    assert records.rfc3339(written) == sent


def test_the_value_is_the_data_with_the_raw_body_at_its_end() -> None:
    value = orjson.loads(a_record(data={"raw": "the sender's own", "name": "Ann"}).value or b"")
    assert list(value) == ["name", "raw"]
    assert value == {"name": "Ann", "raw": {"content_type": "text/plain", "content_encoding": None, "text": "x=1"}}


@pytest.mark.parametrize("body", [b"", b"name=Ann", "Grüße 😀".encode(), b"\x01\x7f\r\n"])
def test_utf_8_is_kept_as_text(body: bytes) -> None:
    kept = orjson.loads(orjson.dumps(records.raw(body, "text/plain", "")))
    assert kept["text"].encode() == body
    assert "base64" not in kept


@pytest.mark.parametrize("body", [b"a\0b", b"J\xfcrgen", b"\xed\xa0\x80", bytes(range(256))])
def test_other_bytes_are_kept_as_base64(body: bytes) -> None:
    kept = records.raw(body, "text/plain", "gzip")
    assert base64.b64decode(kept["base64"] or "") == body
    assert (kept["content_encoding"], "text" in kept) == ("gzip", False)


def test_the_topic_follows_from_the_noun() -> None:
    types = ("order.paid", "ticket.opened", "contact.updated", "source.unreadable", "com.example.thing")
    topics = [a_record(COLLEAGUE, type=one).topic for one in types]
    assert topics == ["inbound.shop", "inbound.support", "inbound.tools", "inbound.tools", "inbound.tools"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"email": "Ann@Example.com "}, {"contact": {"email": "ann@example.com", "phone": "1"}}),
        ({"phone": "+49 (151) 23"}, {"contact": {"phone": "4915123", "id": "7"}}),
        ({"contact": {"id": "7"}}, {"contact": {"id": "7", "name": "Ann"}}),
        ({"contact": {"email": 7, "phone": "none", "id": "7"}}, {"contact": {"id": "7"}}),
    ],
)
def test_a_persons_events_share_their_key(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert key_of(one, "a") == key_of(other, "b")


def test_events_of_nobody_have_keys_of_their_own() -> None:
    assert key_of({}, "a") == key_of({"name": "Ann"}, "a") != key_of({}, "b")


def test_data_that_cannot_be_written_is_unreadable() -> None:
    deep: Any = "x"
    for _ in range(300):
        deep = [deep]
    with pytest.raises(Unreadable):
        a_record(data={"deep": deep})
    identity, message = records.kept(COLLEAGUE, a_reading(data={"deep": deep}, subject="s"), RAW)
    assert identity == COLLEAGUE.id_of("n")
    headers = dict(message.headers)
    assert (headers["ce_type"], headers["ce_subject"]) == (b"source.unreadable", b"s")
    value = orjson.loads(message.value or b"")
    assert (value["field"], value["type"], value["raw"]["text"]) == ("data", "form.submitted", "x=1")


def test_a_senders_own_words_in_a_reason_can_always_be_written() -> None:
    wrong = Reject("bad \ud800\0" + "x" * 1000, "\ud800")
    kept = records.unreadable(a_reading(), wrong)
    assert len(kept.data["reason"]) == 500
    assert not {"\0", "\ud800"} & set(kept.data["reason"] + kept.data["field"])
    assert orjson.dumps(kept.data)


def test_a_body_without_an_id_is_known_by_its_bytes() -> None:
    assert records.hash_of_bytes(b"a") == records.hash_of_bytes(b"a") != records.hash_of_bytes(b"b")


@pytest.mark.parametrize("occasion", [STRANGER, COLLEAGUE])
def test_an_event_may_be_believed_or_not_whatever_its_source_is(occasion: Occasion) -> None:
    trusts = [dict(a_record(occasion, trusted=trusted).headers).get("ce_trust") for trusted in (True, False, None)]
    assert trusts == [None, b"public", b"public" if occasion.edge.public else None]
