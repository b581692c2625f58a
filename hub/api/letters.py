"""A dead letter as everybody is shown it: console, command line, API."""

from __future__ import annotations

import base64
from typing import Any

import orjson

from hub import clock
from hub.identity.ids import as_text
from hub.storage.dead_letters import Letter, Summary


def summary(letter: Summary) -> dict[str, Any]:
    """A letter without its bytes (`hub.api.shapes.DeadLetter`)."""
    return {
        "id": letter.id,
        "state": letter.state,
        "reason": letter.reason,
        "error": letter.error,
        "field": letter.field,
        "stage": letter.stage,
        "source": letter.source,
        "group": letter.group,
        "topic": letter.topic,
        "partition": letter.partition,
        "offset": letter.offset,
        "event_id": as_text(letter.event) if letter.event else None,
        "at": clock.text(letter.at),
        "created_at": clock.text(letter.created_at),
        "failures": letter.failures,
        "replays": letter.replays,
    }


def whole(letter: Letter) -> dict[str, Any]:
    """A letter with its original bytes as base64 (`hub.api.shapes.DeadLetterWhole`)."""
    raw, content_type = original(letter)
    return {
        **summary(letter.summary),
        "headers": [[name, value.decode("utf-8", "replace")] for name, value in letter.headers],
        "raw_base64": base64.b64encode(raw).decode(),
        "content_type": content_type,
    }


def original(letter: Letter) -> tuple[bytes, str | None]:
    """The bytes as they came, and what they were called: the request's body at the edge, else the record's value."""
    body = letter.body or b""
    kept = _kept_by_the_edge(letter, body)
    if kept is None:
        return body, dict(letter.headers).get("content-type", b"").decode("latin-1") or None
    content_type = kept.get("content_type") or None
    if isinstance(kept.get("base64"), str):
        return base64.b64decode(kept["base64"]), content_type
    return kept["text"].encode(), content_type


def _kept_by_the_edge(letter: Letter, body: bytes) -> dict[str, Any] | None:
    """`raw` of the record's data, where the hub's own edge wrote it."""
    if "ce_edge" not in dict(letter.headers):
        return None
    try:
        data = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    raw = data.get("raw") if isinstance(data, dict) else None
    if isinstance(raw, dict) and (isinstance(raw.get("text"), str) or isinstance(raw.get("base64"), str)):
        return raw
    return None
