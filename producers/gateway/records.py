"""From what was read to the record on the topic: CloudEvents binary mode, the raw body as the value's last key."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from typing import Any

import orjson

from hub import clock
from hub.components import Reading
from hub.errors import Reject, Unreadable
from hub.identity.ids import as_text, event_id
from hub.streams.keys import key_of
from hub.streams.publish import Message
from schemas.topics import inbound_topic

Header = tuple[str, bytes]

UNREADABLE = "source.unreadable"
LONGEST_TIME = 64
LONGEST_REASON = 500
LONGEST_HEADER = 1024
NO_HEADERS: Mapping[str, str] = {}
RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)")
SPECVERSION: Header = ("ce_specversion", b"1.0")
CONTENT_TYPE: Header = ("content-type", b"application/json")


@dataclass(frozen=True, slots=True)
class Edge:
    """Who brought an event through the front door: a source instance or an API key.

    `public`: whoever says it showed a proof that anybody may know. `topic`: where all its events go, None for each by
    its noun.
    """

    name: str
    public: bool
    topic: str | None = None
    fixed: tuple[Header, ...] = field(init=False)

    def __post_init__(self) -> None:
        """The headers that all its records share are made once."""
        object.__setattr__(self, "fixed", self.marks(public=self.public))

    def marks(self, *, public: bool) -> tuple[Header, ...]:
        """The headers of a record that anybody may have said, or that is to be believed."""
        trust = (("ce_trust", b"public"),) if public else ()
        return (SPECVERSION, CONTENT_TYPE, ("ce_edge", self.name.encode()), *trust)


@dataclass(frozen=True, slots=True)
class Occasion:
    """One arrival at an edge: who says it (`ce_source`), and when the hub took it in."""

    edge: Edge
    source: str
    received_at: str

    def id_of(self, natural_id: str) -> str:
        """The event id's text: a function of the edge and the natural id alone."""
        return as_text(event_id(self.edge.name, natural_id))


def raw(body: bytes, content_type: str, content_encoding: str) -> dict[str, str | None]:
    """A body exactly as it came (see schemas.envelope.Raw)."""
    kept: dict[str, str | None] = {"content_type": content_type, "content_encoding": content_encoding or None}
    if b"\0" not in body:
        try:
            return kept | {"text": body.decode()}
        except UnicodeDecodeError:
            pass
    return kept | {"base64": b64encode(body).decode()}


def record(occasion: Occasion, reading: Reading, body: Mapping[str, Any]) -> tuple[str, Message]:
    """The event id and the record of a reading; `body` is what `raw` made.

    Raises Unreadable where the data is nested too deep to be written.
    """
    identity = occasion.id_of(reading.natural_id)
    data = reading.data
    if "raw" in data:
        data = {name: value for name, value in data.items() if name != "raw"}
    try:
        value = orjson.dumps({**data, "raw": body})
    except orjson.JSONEncodeError as error:
        raise Unreadable(f"the data cannot be written: {error}", "data") from error
    edge, trusted = occasion.edge, reading.trusted
    headers = [
        *(edge.fixed if trusted is None else edge.marks(public=not trusted)),
        ("ce_id", identity.encode()),
        ("ce_source", occasion.source.encode()),
        ("ce_type", reading.type.encode()),
        ("ce_receivedtime", occasion.received_at.encode()),
    ]
    if reading.time or reading.subject or reading.extensions:
        headers += _further(reading)
    return identity, Message(edge.topic or inbound_topic(reading.type), key_of(data, identity).encode(), value, headers)


def kept(
    occasion: Occasion, reading: Reading, body: Mapping[str, Any], headers: Mapping[str, str] = NO_HEADERS
) -> tuple[str, Message]:
    """As `record`; what cannot be written becomes `source.unreadable`, for senders whose proof is a secret."""
    try:
        return record(occasion, reading, body)
    except Reject as wrong:
        return record(occasion, unreadable(reading, wrong, headers), body)


def unreadable(meant: Reading, wrong: Reject, headers: Mapping[str, str] = NO_HEADERS) -> Reading:
    """What is published where the proof held and the reading failed; `meant` is what is known of the event.

    `headers` are those without which it could not be read again (see `Source.heeds`).
    """
    data: dict[str, Any] = {"reason": _printable(str(wrong)), "field": wrong.field and _printable(wrong.field)}
    data |= {"type": meant.type} if meant.type else {}
    data |= {"headers": {name: _printable(value, LONGEST_HEADER) for name, value in headers.items()}} if headers else {}
    return replace(meant, type=UNREADABLE, data=data)


def _printable(text: str, longest: int = LONGEST_REASON) -> str:
    """A sender's own words may hold what no JSON and no database can."""
    return text[:longest].encode("utf-8", "replace").decode().replace("\0", "\ufffd")


def hash_of_bytes(body: bytes) -> str:
    """The natural id of a body that tells none."""
    return f"bytes {blake2b(body, digest_size=16).hexdigest()}"


def _further(reading: Reading) -> list[Header]:
    further = [(f"ce_{name}", value.encode()) for name, value in reading.extensions.items()]
    if reading.subject:
        further.append(("ce_subject", reading.subject.encode()))
    at = rfc3339(reading.time)
    return further if at is None else [*further, ("ce_time", at.encode())]


def rfc3339(written: str | None) -> str | None:
    """A time as its source wrote it, where that is RFC 3339; as we write it, where it is a time all the same."""
    if not written or len(written) > LONGEST_TIME:
        return None
    at = clock.parse(written)
    if at is None:
        return None
    return written if RFC3339.fullmatch(written) else clock.text(at)
