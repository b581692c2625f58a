"""The original bytes of a dead letter: what the sender posted, not what we wrapped it in."""

from __future__ import annotations

import base64
from datetime import UTC, datetime

import orjson

from hub.api.letters import original, whole
from hub.storage.dead_letters import Letter, Summary

AT = datetime(2026, 11, 22, 8, 15, 30, 123000, UTC)
SUMMARY = Summary(7, "open", "no e-mail", "Unreadable", "email", "read", "web", "profiles", "inbound.forms", 3, 41,
                  bytes(range(16)), AT, AT, 1, 0)  # fmt: skip
EDGE = (("ce_edge", b"web"), ("content-type", b"application/json"))


def a_letter(body: bytes | None, headers: tuple[tuple[str, bytes], ...] = EDGE) -> Letter:
    return Letter(SUMMARY, b"key", headers, body)


def test_a_body_of_the_edge_comes_back_as_it_was_posted() -> None:
    raw = {"content_type": "application/x-www-form-urlencoded", "content_encoding": None, "text": "a=1&b=ü"}
    letter = a_letter(orjson.dumps({"reason": "no field", "raw": raw}))
    assert original(letter) == ("a=1&b=ü".encode(), "application/x-www-form-urlencoded")


def test_bytes_that_are_no_text_come_back_as_well() -> None:
    posted = b"\x1f\x8b\x00\xff"
    raw = {"content_type": "application/json", "content_encoding": "gzip", "base64": base64.b64encode(posted).decode()}
    assert original(a_letter(orjson.dumps({"raw": raw}))) == (posted, "application/json")


def test_a_directly_published_record_is_its_own_original() -> None:
    value = orjson.dumps({"raw": {"text": "not the edge's"}})
    assert original(a_letter(value, (("content-type", b"text/plain"),))) == (value, "text/plain")
    assert original(a_letter(None, ())) == (b"", None)


def test_a_broken_record_of_the_edge_is_shown_as_it_is() -> None:
    for body in (b"{", b"[]", b'{"raw": 5}', b'{"raw": {"text": 5}}'):
        assert original(a_letter(body))[0] == body


def test_the_whole_letter_carries_base64_and_the_event_id() -> None:
    shown = whole(a_letter(b"\x00\xff", ()))
    assert base64.b64decode(shown["raw_base64"]) == b"\x00\xff"
    assert shown["event_id"] == "00010203-0405-0607-0809-0a0b0c0d0e0f"
    assert shown["at"] == "2026-11-22T08:15:30.123Z"
    assert shown["offset"] == 41
