"""The events of a run: posts of one web form, as the gateway would publish them. A function of count and seed.

Ten of a hundred posts come from somebody new, five are repeats of an earlier post, mostly a moment later. People come
back, write their address in capitals now and then, and seven of ten leave a phone number.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field

from hub.clock import from_milliseconds
from hub.components import Request
from hub.settings import check
from hub.streams.publish import Message
from producers.gateway import records
from producers.gateway.instances import Instance, instances
from producers.gateway.records import Occasion

NEW_SHARE = 0.10
REPEAT_SHARE = 0.05
NEAR_SHARE = 0.60
NEAR = 50
PHONE_SHARE = 0.70
OTHER_SPELLING_SHARE = 0.15

SOURCE = "web"
FORM_KEY = "pk_bench"
FORM = "application/x-www-form-urlencoded"
SOURCES = {SOURCE: {"kind": "web_form", "keys": [FORM_KEY], "region": "DE"}}

_FIRST_MILLISECOND = 1_768_467_600_000
_STEP = 3
_GIVEN = (
    "Ann Ben Carla David Elif Femi Greta Hugo Ines Jonas Kaja Luca Mara Nils Olga Pavel Rosa Samir Tilda Yuki".split()
)
_FAMILY = (
    "Abel Brandt Costa Dietz Eriksen Fischer Gomez Haas Ito Jansen Koch Lang Meyer Novak Okafor Petrov Ruiz".split()
)
_DOMAINS = ("example.com", "example.org", "example.net", "mail.example.com", "post.example.org", "office.example.net")
_TEXTS = (
    "Can you send me an offer for",
    "I have not heard of you about",
    "Please call me back about",
    "Is there a newer version of",
    "We would like to order more of",
)
_ENCODED = str.maketrans({" ": "+", "+": "%2B", "@": "%40"})


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who writes: always under one name, one address and, where there is one, one number."""

    name: str
    email: str
    phone: str | None


@dataclass
class Stock:
    """The messages in their order, and the truth about them."""

    messages: list[Message] = field(default_factory=list)
    event_ids: set[str] = field(default_factory=set)
    emails: set[str] = field(default_factory=set)

    @property
    def bytes_each(self) -> float:
        """Bytes of value, key and headers, on average."""
        return sum(map(_size, self.messages)) / max(1, len(self.messages))


def make_events(count: int, seed: int) -> Stock:
    """So many messages for `inbound.forms`."""
    chance = random.Random(seed)
    instance = instances(check({"sources": SOURCES}))[SOURCE]
    people: list[Person] = []
    posts: list[tuple[Person, bytes]] = []
    stock = Stock()
    for number in range(count):
        if posts and chance.random() < REPEAT_SHARE:
            person, body = _repeated(chance, posts)
        else:
            person = _writer(chance, people)
            body = _body(chance, person, number)
            posts.append((person, body))
        identity, message = _published(instance, body, from_milliseconds(_FIRST_MILLISECOND + number * _STEP))
        stock.messages.append(message)
        stock.event_ids.add(identity)
        stock.emails.add(person.email)
    return stock


def _repeated(chance: random.Random, posts: Sequence[tuple[Person, bytes]]) -> tuple[Person, bytes]:
    near = chance.random() < NEAR_SHARE
    return chance.choice(posts[-NEAR:] if near else posts)


def _writer(chance: random.Random, people: list[Person]) -> Person:
    if not people or chance.random() < NEW_SHARE:
        people.append(_person(chance, len(people)))
        return people[-1]
    return chance.choice(people)


def _person(chance: random.Random, number: int) -> Person:
    given, family = chance.choice(_GIVEN), chance.choice(_FAMILY)
    email = f"{given}.{family}{number}@{chance.choice(_DOMAINS)}".lower()
    phone = f"+49151{10_000_000 + number:08d}" if chance.random() < PHONE_SHARE else None
    return Person(f"{given} {family}", email, phone)


def _body(chance: random.Random, person: Person, number: int) -> bytes:
    """What a browser would post. The number in the message makes every post one of its own."""
    other = chance.random() < OTHER_SPELLING_SHARE
    fields = {"name": person.name, "email": person.email.title() if other else person.email}
    if person.phone:
        fields["phone"] = f"{person.phone[:6]} {person.phone[6:]}" if other else person.phone
    fields["message"] = f"{chance.choice(_TEXTS)} no. {number}."
    return "&".join(f"{name}={value.translate(_ENCODED)}" for name, value in fields.items()).encode()


def _published(instance: Instance, body: bytes, received_at: str) -> tuple[str, Message]:
    """The event id and the record, by the gateway's own code."""
    request = Request(body, {"content-type": FORM}, {"key": FORM_KEY}, received_at, body)
    [reading] = instance.source.read(instance.settings, request)
    occasion = Occasion(instance.edge, instance.name, received_at)
    return records.record(occasion, reading, records.raw(body, FORM, ""))


def _size(message: Message) -> int:
    words = sum(len(name) + len(value) for name, value in message.headers)
    return words + len(message.key or b"") + len(message.value or b"")
