"""Taking a post in: bounds, proof, reading, publishing. What returns here is safe on the broker."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping, Sequence
from functools import lru_cache, partial
from typing import Any, Protocol
from urllib.parse import parse_qsl

from hub import clock
from hub.components import Reading, Request
from hub.errors import Reject, Unreadable
from hub.streams.publish import Message
from producers.gateway import answers, bodies, cloudevents, counters, records
from producers.gateway.answers import Answer
from producers.gateway.bodies import Receive
from producers.gateway.instances import Instance
from producers.gateway.records import Edge, Occasion

ACKNOWLEDGED_WITHIN = 2.0
"""Seconds that the broker has; then the sender is told to come back."""

LONG_QUERY = 512

Scope = MutableMapping[str, Any]


class Publishes(Protocol):
    """The part of hub.streams.publish.Publisher that the gateway needs."""

    async def send(self, messages: Sequence[Message], *, within: float) -> None:
        """Return when every message is safe. Raises Retry when that takes longer than `within` seconds."""


class Intake:
    """The two hot addresses behind their routes."""

    def __init__(self, publisher: Publishes) -> None:
        self._publisher = publisher

    async def post(self, instance: Instance, scope: Scope, receive: Receive) -> Answer:
        """A post to a source. Raises Reject where it is refused, Retry where the broker is away, Gone."""
        request, damage = await received(headers_of(scope), scope["query_string"], receive)
        readings, identities = await self.take(instance, request, damage)
        return _answer(readings, identities)

    async def take(
        self, instance: Instance, request: Request, damage: Reject | None = None
    ) -> tuple[Sequence[Reading], Sequence[str]]:
        """What a request to a source is, and the events' ids: proved, read and safe. Raises Reject, Retry.

        `damage` is why the body could not be unpacked, where it could not.
        """
        if damage is not None and instance.source.public:
            raise damage
        instance.source.verify(instance.settings, request)
        readings = _readings(instance, request, damage)
        occasion = Occasion(instance.edge, instance.name, request.received_at)
        write = records.record if instance.source.public else partial(records.kept, headers=instance.heeded(request))
        raw = _raw(request)
        written = [
            write(occasion, reading, raw) if reading.piece is None else records.kept(occasion, reading, _piece(reading))
            for reading in readings
        ]
        await self._publish(instance.edge, written)
        return readings, [identity for identity, _ in written]

    async def events(self, edge: Edge, headers: Mapping[str, str], receive: Receive) -> Answer:
        """A post to `/events`, its key proved. Raises Reject, Retry, Gone as `post` does."""
        request, damage = await received(headers, b"", receive)
        reception = cloudevents.receive(request, damage)
        written = reception.messages(edge, request.received_at)
        await self._publish(edge, written)
        identities = [identity for identity, _ in written]
        return answers.accepted_all(identities) if reception.many else answers.accepted(identities[0])

    async def _publish(self, edge: Edge, written: Sequence[tuple[str, Message]]) -> None:
        await self._publisher.send([message for _, message in written], within=ACKNOWLEDGED_WITHIN)
        counters.events(edge.name).inc(len(written))


def headers_of(scope: Scope) -> dict[str, str]:
    """The request's headers, names in lower case; of repeated ones the last."""
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}


async def received(headers: Mapping[str, str], query: bytes, receive: Receive) -> tuple[Request, Unreadable | None]:
    """The request, its body unpacked, and why that failed where it did. Raises WrongType, TooLarge, TooSlow, Gone."""
    encoding = headers.get("content-encoding", "").strip().lower()
    bodies.check_encoding(encoding)
    wire = await bodies.receive_body(receive, headers)
    damage = None
    try:
        body = bodies.unpacked(wire, encoding)
    except Unreadable as error:
        body, damage = b"", error
    asked = _query(query) if len(query) <= LONG_QUERY else _query.__wrapped__(query)
    return Request(body, headers, asked, clock.from_milliseconds(int(clock.now().timestamp() * 1000)), wire), damage


# A page asks with the same query each time; a stranger's long ones are not worth remembering.
@lru_cache(maxsize=256)
def _query(query: bytes) -> Mapping[str, str]:
    return dict(parse_qsl(query.decode("latin-1"), keep_blank_values=True)) if query else {}


def _readings(instance: Instance, request: Request, damage: Reject | None) -> Sequence[Reading]:
    """What the source reads; where it cannot and the proof is a secret, one `source.unreadable`."""
    try:
        if damage is not None:
            raise damage
        return instance.source.read(instance.settings, request)
    except Reject as wrong:
        if instance.source.public:
            raise
        meant = Reading(type="", natural_id=records.hash_of_bytes(request.raw_body), data={})
        return [records.unreadable(meant, wrong, instance.heeded(request))]


def _raw(request: Request) -> dict[str, str | None]:
    headers = request.headers
    return records.raw(request.raw_body, headers.get("content-type", ""), headers.get("content-encoding", ""))


def _piece(reading: Reading) -> dict[str, str | None]:
    return records.raw(reading.piece or b"", "application/json", "")


def _answer(readings: Sequence[Reading], identities: Sequence[str]) -> Answer:
    if len(readings) != 1:
        return answers.accepted_all(identities)
    redirect = readings[0].redirect
    return answers.see_other(identities[0], redirect) if redirect else answers.accepted(identities[0])
