"""What a person does in the hub, as an event on `inbound.hub`: the console, the command line and the API come here."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import orjson

from hub import clock
from hub.components import Reading
from hub.identity.ids import event_id
from hub.settings import Kafka
from hub.streams.publish import Publisher, open_publisher
from producers.gateway import records
from producers.gateway.records import Edge, Occasion
from schemas.envelope import HUB
from schemas.topics import HUB_TOPIC

SENT_WITHIN = 10.0
_EDGE = Edge(HUB, public=False, topic=HUB_TOPIC)


@dataclass(frozen=True, slots=True)
class Deed:
    """A type of `schemas.events.decision` or `.hub`, its data, when it was done (text); repeats share a natural id."""

    type: str
    data: Mapping[str, Any]
    at: str
    natural_id: str

    @property
    def event(self) -> bytes:
        """The id of its event, 16 bytes."""
        return event_id(HUB, self.natural_id)


def deed(event_type: str, data: Mapping[str, Any], at: str, natural_id: str | None = None) -> Deed:
    """A deed; without a natural id it is one of its own."""
    return Deed(event_type, data, at, natural_id or str(uuid4()))


class Deeds:
    """Puts deeds on their topic and returns when they are safe there."""

    def __init__(self, publisher: Publisher) -> None:
        self._publisher = publisher

    async def do(self, *deeds: Deed) -> None:
        """Publish. Raises Retry where Kafka does not acknowledge."""
        occasion = Occasion(_EDGE, HUB, clock.text(clock.now()))
        messages = []
        for one in deeds:
            reading = Reading(one.type, one.natural_id, dict(one.data), time=one.at)
            body = records.raw(orjson.dumps(one.data), "application/json", "")
            messages.append(records.record(occasion, reading, body)[1])
        await self._publisher.send(messages, within=SENT_WITHIN)


@asynccontextmanager
async def open_deeds(kafka: Kafka) -> AsyncIterator[Deeds]:
    """For as long as the block lasts. Raises Retry where Kafka is away."""
    async with open_publisher(kafka) as publisher:
        yield Deeds(publisher)


async def say(kafka: Kafka, *deeds: Deed) -> None:
    """Put deeds on their topic, over a connection for them alone. Raises Retry."""
    async with open_deeds(kafka) as opened:
        await opened.do(*deeds)
