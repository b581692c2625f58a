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


def make_events(count: int, seed: int, first: int = _FIRST_MILLISECOND) -> Stock:
    """So many messages for `inbound.forms`, three milliseconds apart from that one on (since 1970)."""
    chance = random.Random(seed)
    people: list[Person] = []
    desk = _Desk(chance, first)
    for number in range(count):
        if desk.posts and chance.random() < REPEAT_SHARE:
            desk.repeat(number)
        else:
            desk.post(_writer(chance, people), number)
    return desk.stock


def make_known(known: int, count: int, seed: int, writers: int | None = None) -> tuple[Stock, Stock]:
    """First a post of each of so many people, then so many messages of theirs: nobody among them is new.

    Only `writers` of them write again, who are spread evenly over all; None: everybody does.
    """
    chance = random.Random(seed)
    people = [_person(chance, number) for number in range(known)]
    chosen = people if writers is None else chance.sample(people, writers)
    first, then = _Desk(chance), _Desk(chance)
    for number, person in enumerate(people):
        first.post(person, number)
    for number in range(known, known + count):
        if then.posts and chance.random() < REPEAT_SHARE:
            then.repeat(number)
        else:
            then.post(chance.choice(chosen), number)
    return first.stock, then.stock


class _Desk:
    """Where posts are written: it keeps them, so that some can be sent again."""

    def __init__(self, chance: random.Random, first: int = _FIRST_MILLISECOND) -> None:
        self._chance = chance
        self._first = first
        self._instance = instances(check({"sources": SOURCES}))[SOURCE]
        self.posts: list[tuple[Person, bytes]] = []
        self.stock = Stock()

    def post(self, person: Person, number: int) -> None:
        """A post of its own, the `number`-th of the run."""
        body = _body(self._chance, person, number)
        self.posts.append((person, body))
        self._publish(person, body, number)

    def repeat(self, number: int) -> None:
        """An earlier post once more."""
        person, body = _repeated(self._chance, self.posts)
        self._publish(person, body, number)

    def _publish(self, person: Person, body: bytes, number: int) -> None:
        identity, message = _published(self._instance, body, from_milliseconds(self._first + number * _STEP))
        self.stock.messages.append(message)
        self.stock.event_ids.add(identity)
        self.stock.emails.add(person.email)


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
