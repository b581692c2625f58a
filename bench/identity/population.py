"""People with shop, desk, CRM, form, mail and click records, as two faces: facts in memory, messages for Kafka.

A function of size and seed. Who said what stands beside each fact and message, and in the data field `true_person`,
which the hub does not look at: so that a run can be scored. The kinds of trouble are those of identity.md §4.1: shared
phones, mailboxes and cookies, firms' role addresses, placeholders, slips of the fingers, nicknames, initials, numbers
that were passed on, moves to another address or name, second accounts, repeats, late news, refunds without a name.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from typing import Any, Generic, NamedTuple, TypeVar

import orjson

from bench.identity.people import Human, Town
from bench.identity.told import FORM, Life, Said
from bench.identity.wording import REGION
from consumers.particulars import things_of
from hub.clock import event_time, from_milliseconds
from hub.components import Reading
from hub.identity.evidence import Fact, Words, needs_event, recognise
from hub.identity.ids import as_text, event_id
from hub.streams.publish import Message
from producers.gateway import event_data, records
from producers.gateway.records import Edge, Occasion

FIRST_DAY = int(datetime(2022, 1, 3, tzinfo=UTC).timestamp())
REGIONS: dict[str, str | None] = {"": REGION}
"""What the role `profiles` has to know of the sources: their phones' country."""
TRUTH = "true_person"
T = TypeVar("T")


class Sent(NamedTuple, Generic[T]):
    """What a person said, as a fact or a message."""

    person: int
    what: T


@dataclass(frozen=True)
class Population:
    """Everybody, and everything they said in the order of its arrival, repeats among it."""

    humans: tuple[Human, ...]
    said: tuple[Said, ...]

    @property
    def traits(self) -> Counter[str]:
        """How many people each kind of trouble has."""
        return Counter(trait for human in self.humans for trait in human.traits)

    @property
    def roles(self) -> frozenset[str]:
        """The addresses of firms that stand for nobody."""
        return frozenset(human.firm.role for human in self.humans if human.firm)

    def facts(self) -> Iterator[Sent[Fact]]:
        """What is said, as the hub reads it."""
        return (Sent(one.person, fact(one)) for one in self.said)

    def messages(self) -> Iterator[Sent[Message]]:
        """What is said, as the gateway publishes it."""
        return (Sent(one.person, message(one)) for one in self.said)


def population(size: int, seed: int) -> Population:
    """So many people and all that they say."""
    chance, numbers = random.Random(seed), count(1001)
    humans = Town(chance).people(size)
    said = [one for human in humans for one in Life(human, chance, numbers).told()]
    said.sort(key=lambda one: (one.received, one.natural_id))
    return Population(tuple(humans), tuple(said))


def fact(said: Said) -> Fact:
    """As `consumers.reading` would read it; the payload is left out, since who is who does not hang on it."""
    event = event_id(said.source, said.natural_id)
    who = recognise(said.source, said.words, None)
    if who and needs_event(who):
        who = recognise(said.source, said.words, event)
    received = _time(said.received)
    at = event_time(_time(said.at), received)
    named = as_text(event)
    things = () if said.source == FORM else things_of(said.type, orjson.dumps(_event(said)), named)
    return Fact(
        event,
        named,
        said.type,
        said.source,
        at,
        received,
        said.trusted,
        spam=False,
        payload=b"{}",
        who=who,
        things=things,
    )


def message(said: Said) -> Message:
    """By the gateway's own code: the record of a reading, under the headers of the edge it came through."""
    data = _form(said) if said.source == FORM else _event(said)
    occasion = Occasion(Edge(said.source, public=not said.trusted), said.source, _time(said.received))
    reading = Reading(said.type, said.natural_id, event_data.checked(said.type, data), time=_time(said.at))
    return records.record(occasion, reading, records.raw(said.text.encode(), "text/plain", ""))[1]


def _form(said: Said) -> dict[str, Any]:
    data = _contact(said.words)
    device = data.pop("device", None)
    further = {"contact": {"device": device}} if device else {}
    return {**data, **further, "message": said.text, "submitted_at": _time(said.at), TRUTH: str(said.person)}


def _event(said: Said) -> dict[str, Any]:
    data: dict[str, Any] = {"contact": _contact(said.words), "text": said.text, TRUTH: str(said.person)}
    noun = said.type.partition(".")[0]
    return data | ({noun: {"id": said.natural_id}} if noun in {"order", "ticket"} else {})


def _contact(words: Words) -> dict[str, Any]:
    stated = words._asdict()
    del stated["region"]
    return {name: list(value) if name == "objects" else value for name, value in stated.items() if value}


def _time(seconds: int) -> str:
    return from_milliseconds((FIRST_DAY + seconds) * 1000)
