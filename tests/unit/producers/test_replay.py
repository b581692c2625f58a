"""A dead letter on its way again: read anew by today's code and settings, under the id it always had."""

from __future__ import annotations

import gzip
from typing import Any

import orjson
import pytest

from hub.errors import Misconfigured, Reject
from hub.identity.ids import as_text
from hub.settings import Settings, check
from hub.streams.publish import Message
from producers.gateway import records
from producers.replay import Lost, messages

EVENT = bytes.fromhex("0190c8a0000080008000000000000007")
FORM = "application/x-www-form-urlencoded"
EDGE = [
    ("ce_specversion", b"1.0"),
    ("ce_edge", b"web"),
    ("ce_id", as_text(EVENT).encode()),
    ("ce_source", b"web"),
    ("ce_receivedtime", b"2026-11-20T08:00:00.000Z"),
]


def settings(**more: Any) -> Settings:
    return check(
        {
            "sources": {"web": {"kind": "web_form", "keys": ["pk"]}},
            "keys": {"crm": {"secret": "s", "scopes": ["events:write"]}},
            **more,
        }
    )


def unreadable(body: bytes, *, edge: str = "web", content_type: str = FORM, encoding: str = "", **headers: str) -> Lost:
    """A letter as the edge wrote it for a body that it could not read."""
    said = dict(EDGE) | {"ce_edge": edge.encode(), "ce_type": b"source.unreadable"}
    said |= {name: value.encode() for name, value in headers.items()}
    raw = records.raw(body, content_type, encoding)
    value = orjson.dumps({"reason": "no", "field": None, "type": headers.get("meant"), "raw": raw})
    return Lost("inbound.tools", b"key", list(said.items()), value, EVENT)


def attributes(message: Message) -> dict[str, str]:
    return {name: value.decode() for name, value in message.headers}


def test_a_body_that_is_readable_now_goes_out_under_its_old_id() -> None:
    (sent,) = messages(settings(), unreadable(b"email=ann%40example.com&message=hi"))
    said = attributes(sent)
    assert sent.topic == "inbound.forms"
    assert (said["ce_id"], said["ce_type"], said["ce_edge"]) == (as_text(EVENT), "form.submitted", "web")
    assert said["ce_receivedtime"] == "2026-11-20T08:00:00.000Z"
    data = orjson.loads(sent.value or b"")
    assert (data["email"], data["raw"]["text"]) == ("ann@example.com", "email=ann%40example.com&message=hi")


def test_a_packed_body_is_unpacked_again() -> None:
    (sent,) = messages(settings(), unreadable(gzip.compress(b"email=ann%40example.com"), encoding="gzip"))
    assert orjson.loads(sent.value or b"")["email"] == "ann@example.com"


def test_a_body_that_is_as_unreadable_as_before_is_not_sent() -> None:
    with pytest.raises(Reject):
        messages(settings(), unreadable(b""))


def test_an_event_whose_data_is_readable_now_goes_out_as_what_it_was_meant_to_be() -> None:
    lost = unreadable(
        b'{"text": "called back"}',
        edge="crm",
        content_type="application/json",
        ce_source="//crm",
        ce_subject="7",
        meant="note.added",
    )
    (sent,) = messages(settings(), lost)
    said = attributes(sent)
    assert (said["ce_id"], said["ce_type"]) == (as_text(EVENT), "note.added")
    assert (said["ce_source"], said["ce_subject"], said["ce_edge"]) == ("//crm", "7", "crm")


def test_a_structured_event_is_read_from_its_own_bytes() -> None:
    event = {"specversion": "1.0", "id": "5", "source": "//crm", "type": "note.added", "data": {"text": "x"}}
    kind = "application/cloudevents+json"
    (sent,) = messages(settings(), unreadable(orjson.dumps(event), edge="crm", content_type=kind, ce_source="//crm"))
    assert attributes(sent)["ce_type"] == "note.added"
    assert attributes(sent)["ce_id"] == as_text(EVENT)
    wrong = orjson.dumps(event | {"data": {"contact": 5}})
    with pytest.raises(Reject):
        messages(settings(), unreadable(wrong, edge="crm", content_type=kind, ce_source="//crm"))


def test_a_source_that_is_no_longer_there_is_named() -> None:
    with pytest.raises(Misconfigured, match="'old-shop'"):
        messages(settings(), unreadable(b"x", edge="old-shop"))


def test_everything_else_goes_out_as_it_was() -> None:
    headers = [("ce_type", b"note.added"), ("ce_id", b"\xff"), ("ce_type", b"twice")]
    lost = Lost("eu.inbound.tools", None, headers, b"\x00", None)
    (sent,) = messages(settings(kafka={"prefix": "eu."}), lost)
    assert sent == Message("inbound.tools", None, b"\x00", tuple(headers))
