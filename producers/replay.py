"""Sending a dead letter on its way again: read anew where it was unreadable, else exactly as it was."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import orjson

from hub import clock
from hub.components import Request
from hub.errors import Misconfigured, Reject
from hub.identity.ids import as_text
from hub.settings import Settings
from hub.streams.publish import Message, open_publisher
from producers.gateway import bodies, cloudevents, records
from producers.gateway.instances import instances
from producers.gateway.records import UNREADABLE, Edge, Occasion

Headers = Sequence[tuple[str, bytes]]
SENT_WITHIN = 10.0
_OURS = frozenset(("ce_id",))


@dataclass(frozen=True, slots=True)
class Lost:
    """What is known of a record that was given up on. `event` is its id, 16 bytes, where it has one."""

    topic: str
    key: bytes | None
    headers: Headers
    value: bytes | None
    event: bytes | None


@asynccontextmanager
async def open_sender(settings: Settings) -> AsyncIterator[Callable[[Lost], Awaitable[None]]]:
    """What sends one letter and returns when it is safe.

    It raises what `messages` raises, and Retry where the broker does not acknowledge within 10 s.
    """
    async with open_publisher(settings.kafka) as publisher:

        async def send(lost: Lost) -> None:
            await publisher.send(messages(settings, lost), within=SENT_WITHIN)

        yield send


def messages(settings: Settings, lost: Lost) -> list[Message]:
    """What to publish for a letter: the first message bears the letter's event id.

    A `source.unreadable` is read again from its original bytes by the source or by the rules of `/events`; everything
    else goes out as it was. Raises Reject where it is as unreadable as before, Misconfigured where the source that it
    came from is no longer in hub.toml.
    """
    said = {name: value.decode("utf-8", "replace") for name, value in lost.headers}
    if said.get("ce_type") == UNREADABLE and lost.event is not None and "ce_edge" in said:
        return _read_again(settings, lost.event, said, orjson.loads(lost.value or b"{}"))
    topic = lost.topic.removeprefix(settings.kafka.prefix)
    return [Message(topic, lost.key, lost.value, tuple(lost.headers))]


def _read_again(settings: Settings, event: bytes, said: dict[str, str], data: dict[str, Any]) -> list[Message]:
    name, raw = said["ce_edge"], data["raw"]
    request = _request(said, data)
    if name in settings.sources:
        instance = instances(settings)[name]
        occasion = Occasion(instance.edge, said["ce_source"], request.received_at)
        readings = instance.source.read(instance.settings, request)
        written = [records.record(occasion, reading, raw) for reading in readings]
    elif name in settings.keys:
        written = _event_again(Edge(name, public="ce_trust" in said), said, request, data)
    else:
        raise Misconfigured(f"there is no source and no key {name!r} in hub.toml any more: it cannot be read again")
    if not written:
        raise Reject("its source reads no event out of it")
    (_, first), *others = written
    return [_named(first, event), *(message for _, message in others)]


def _event_again(edge: Edge, said: dict[str, str], request: Request, data: dict[str, Any]) -> list[tuple[str, Message]]:
    """An event of `/events`: its envelope was good and stands in the headers, its data is read again."""
    if request.headers["content-type"].startswith("application/cloudevents"):
        found = cloudevents.receive(request).events
    else:
        headers = {"ce-" + name[3:]: text for name, text in said.items() if name.startswith("ce_")}
        headers |= {"ce-type": data.get("type") or "", "ce-id": said["ce_id"]}
        whole = Request(request.body, {**headers, **request.headers}, {}, request.received_at)
        found = cloudevents.receive(whole).events
    readings = [(event, Occasion(edge, event.source, request.received_at)) for event in found]
    for event, _ in readings:
        if event.reading.type == UNREADABLE:
            raise Reject(event.reading.data["reason"], event.reading.data.get("field"))
    return [records.record(occasion, event.reading, data["raw"]) for event, occasion in readings]


def _request(said: dict[str, str], data: dict[str, Any]) -> Request:
    raw: dict[str, str | None] = data["raw"]
    kept = raw.get("text")
    wire = kept.encode() if kept is not None else base64.b64decode(raw.get("base64") or "")
    encoding = (raw.get("content_encoding") or "").strip().lower()
    headers = {
        **(data.get("headers") or {}),
        "content-type": raw.get("content_type") or "",
        "content-encoding": encoding,
    }
    received = said.get("ce_receivedtime") or clock.text(clock.now())
    return Request(bodies.unpacked(wire, encoding), headers, {}, received, wire)


def _named(message: Message, event: bytes) -> Message:
    """The message under the letter's own id, whatever natural id was read this time."""
    headers = [(name, value) for name, value in message.headers if name not in _OURS]
    return Message(message.topic, message.key, message.value, (*headers, ("ce_id", as_text(event).encode())))
