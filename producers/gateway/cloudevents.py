"""Reading CloudEvents 1.0 out of a request: binary, structured and batch mode of the HTTP binding.

An envelope that is wrong is refused. Data that is wrong under a good envelope is kept as `source.unreadable`:
its sender proved who it is, and what passed its proof is never lost.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import unquote_to_bytes

import msgspec

from hub.components import Reading, Request
from hub.errors import Reject, TooLarge, Unreadable, WrongType
from hub.streams.publish import Message
from producers.gateway import event_data, records
from producers.gateway.envelopes import Attributes, attributes
from producers.gateway.records import Edge, Occasion
from producers.texts import BOM, media_type, read_json

STRUCTURED = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"
MOST_EVENTS = 10_000
"""Events of one batch."""

Raw = Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class Event:
    """One CloudEvent: who says it, what was read, and the bytes it was read from (see `records.raw`)."""

    source: str
    reading: Reading
    raw: Raw


@dataclass(frozen=True, slots=True)
class Reception:
    """The events of a request; `many` where the sender chose batch mode and is answered in kind."""

    events: Sequence[Event]
    many: bool = False

    def messages(self, edge: Edge, received_at: str) -> list[tuple[str, Message]]:
        """Event ids and records, in the sender's order."""
        return [
            records.kept(Occasion(edge, event.source, received_at), event.reading, event.raw) for event in self.events
        ]


def receive(request: Request, damage: Reject | None = None) -> Reception:
    """The events in a request. `damage` is why its body could not be unpacked, where it could not.

    Raises WrongType for a form of CloudEvents that is not read here, Unreadable or Reject for a wrong envelope.
    """
    content_type = request.headers.get("content-type", "")
    essence, parameters = media_type(content_type)
    raw = records.raw(request.raw_body, content_type, request.headers.get("content-encoding", ""))
    if not essence.startswith("application/cloudevents"):
        return Reception([_binary(request, essence, raw, damage)])
    if essence not in {STRUCTURED, BATCH} or parameters.get("charset", "utf-8").lower() not in {"utf-8", "utf8"}:
        raise WrongType(f"CloudEvents come as headers, as {STRUCTURED} or as {BATCH}, in UTF-8", "content-type")
    if damage is not None:
        raise damage
    if essence == BATCH:
        return Reception(_batch(request.body), many=True)
    return Reception([_structured(request.body, raw)])


def _binary(request: Request, essence: str, raw: Raw, damage: Reject | None) -> Event:
    given: dict[str, Any] = {"traceparent": request.headers.get("traceparent")}
    given |= {name[3:]: _decoded(name, text) for name, text in request.headers.items() if name.startswith("ce-")}

    def data() -> Any:
        if damage is not None:
            raise damage
        return event_data.of_binary(request.body, essence)

    return _event(attributes(given, "ce-"), raw, data)


def _decoded(name: str, text: str) -> str:
    """A header's value without its quotes and percent signs (HTTP binding, 3.1.3.2)."""
    if len(text) > 1 and text[0] == text[-1] == '"':
        text = text[1:-1].replace('\\"', '"').replace("\\\\", "\\")
    try:
        return unquote_to_bytes(text.encode("latin-1")).decode()
    except UnicodeDecodeError:
        raise Unreadable(f"{name} is no percent-encoded UTF-8", name) from None


def _structured(body: bytes, raw: Raw) -> Event:
    value, _ = read_json(body)
    if not isinstance(value, dict):
        raise Unreadable("a CloudEvent is a JSON object")
    if value.get("data") is not None and value.get("data_base64") is not None:
        raise Unreadable("an event has data or data_base64, not both", "data_base64")
    return _event(attributes(value), raw, lambda: event_data.of_structured(value))


def _event(envelope: Attributes, raw: Raw, data: Callable[[], Any]) -> Event:
    meant = Reading(
        type=envelope.type,
        natural_id=envelope.natural_id,
        data={},
        time=envelope.time,
        subject=envelope.subject,
        extensions=envelope.extensions,
    )
    try:
        return Event(envelope.source, replace(meant, data=event_data.checked(envelope.type, data())), raw)
    except Reject as wrong:
        return Event(envelope.source, records.unreadable(meant, wrong), raw)


def _batch(body: bytes) -> list[Event]:
    pieces = _pieces(body)
    if len(pieces) > MOST_EVENTS:
        raise TooLarge(f"a batch has {MOST_EVENTS} events at the most")
    return [_piece(place, piece) for place, piece in enumerate(pieces)]


def _piece(place: int, piece: bytes) -> Event:
    """An element of a batch is an event in structured mode: its own bytes are what it came as."""
    try:
        return _structured(piece, records.raw(piece, STRUCTURED, ""))
    except Reject as wrong:
        wrong.field = f"{place}.{wrong.field}" if wrong.field else str(place)
        raise


def _pieces(body: bytes) -> list[bytes]:
    """The elements of a JSON array, each as the bytes it came as. Raises Unreadable where it is none."""
    try:
        return [bytes(piece) for piece in msgspec.json.decode(body.removeprefix(BOM), type=list[msgspec.Raw])]
    except msgspec.DecodeError as error:
        return _pieces_with_surrogates(body, error)


def _pieces_with_surrogates(body: bytes, error: msgspec.DecodeError) -> list[bytes]:
    """As `_pieces`, by Python's own reader: the fast one takes no lone surrogate, wrong data in a good batch."""
    value, unclean = read_json(body)
    if unclean is None or not isinstance(value, list):
        raise Unreadable(f"a batch is a JSON array: {error}") from error
    reader, text, place, pieces = json.JSONDecoder(), body.removeprefix(BOM).decode(), 1, []
    text = text.strip()
    for _ in value:
        while text[place] in " \t\r\n,":
            place += 1
        _, end = reader.raw_decode(text, place)
        pieces.append(text[place:end].encode())
        place = end
    return pieces
