"""What happens at the simulated company, and when: a function of its seed and its first start, without an end.

People write to two forms and by mail, ask the support desk, call, buy, and are kept in a sales tool. Some requests are
sent twice, some events are told hours or days late or in the wrong order, and what a person does first leaves two
profiles that a later event makes one.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import count, islice
from random import Random
from typing import Literal

from hub.demo.people import FAMILY, FIRM, Person, people

Kind = Literal[
    "ask", "offer", "mail", "ticket", "solve", "call", "meet", "note", "agree", "cart", "order", "paid", "move", "stale"
]

NEWCOMERS, REPEATS, LATE, DISORDERED = 0.28, 0.06, 0.08, 0.10
"""Shares: of events that are somebody's first, of requests sent before, of events told days late, or a little late."""
RECENT = 30
"""A repeat is of one of so many requests before it."""
SOLVED_AFTER = 40
"""So many requests behind a ticket the desk has solved it."""
SLOW = 2.0
"""Requests a second when the first ones are through and somebody goes on watching."""

# A form by e-mail and a call by phone are two people, until somebody knows both addresses (`meet`, `ticket`).
STORIES: tuple[tuple[Kind, ...], ...] = (
    ("ask", "mail", "call", "ticket", "order", "paid", "meet"),
    ("call", "offer", "meet", "agree", "cart", "note", "order"),
    ("order", "ask", "mail", "ticket", "paid", "cart"),
    ("offer", "call", "cart", "offer", "meet", "move", "stale"),
    ("mail", "order", "paid", "ticket", "offer"),
)
OF_A_FAMILY: tuple[Kind, ...] = ("ask", "order", "offer", "paid")
OF_A_FIRM: tuple[Kind, ...] = ("offer", "call", "meet", "ask")
COMING_BACK: tuple[Kind, ...] = ("order", "order", "paid", "ask", "offer", "mail", "ticket", "note", "call", "cart")
NEEDS: dict[Kind, Kind] = {"paid": "order", "note": "meet"}


@dataclass(frozen=True, slots=True)
class Plan:
    """What the company is a function of. `began` is the first start; `events` requests come at `rate` a second."""

    seed: int
    people: int
    events: int
    rate: float
    began: datetime

    def offset(self, number: int) -> float:
        """When a request is sent, in seconds after the start of the run."""
        quick = min(number, self.events)
        return quick / self.rate + (number - quick) / min(SLOW, self.rate)


@dataclass(frozen=True, slots=True)
class Touch:
    """A request that the company sends: who does what, when it happened, when it is sent.

    `first` is the number of the request that it repeats, its own where it repeats none. `about` is the number of the
    ticket that it is about. `moved` tells that the person uses the later one of the two addresses.
    """

    number: int
    first: int
    offset: float
    at: datetime
    person: Person
    kind: Kind
    spelling: int
    about: int
    moved: bool = False

    @property
    def is_repeat(self) -> bool:
        """Whether the same request was sent before."""
        return self.first != self.number


@dataclass(slots=True)
class _Life:
    """How far somebody's story is."""

    person: Person
    ahead: deque[Kind] = field(default_factory=deque)
    done: set[Kind] = field(default_factory=set)

    def next(self, chance: Random) -> Kind:
        """What they do now. Nobody pays before an order, and the sales tool keeps notes of those it has met."""
        drawn = chance.choice(COMING_BACK)
        kind = self.ahead.popleft() if self.ahead else drawn
        missing = NEEDS.get(kind)
        if missing and missing not in self.done:
            kind = missing
        self.done.add(kind)
        return kind


def touches(plan: Plan) -> Iterator[Touch]:
    """The company's requests in the order in which they are sent. It never ends; take as many as you want.

    Who does what depends on `seed` and `people` alone, so a longer run begins as a shorter one.
    """
    chance = Random(f"company {plan.seed} {plan.people}")
    strangers = deque(people(plan.seed, plan.people))
    known: list[_Life] = []
    recent: deque[Touch] = deque(maxlen=RECENT)
    open_tickets: dict[int, Touch] = {}
    for number in count():
        offset = plan.offset(number)
        if ticket := open_tickets.pop(number - SOLVED_AFTER, None):
            at = plan.began + timedelta(seconds=offset)
            yield replace(ticket, number=number, first=number, offset=offset, at=at, kind="solve")
            continue
        if recent and chance.random() < REPEATS:
            yield replace(chance.choice(recent), number=number, offset=offset)
            continue
        life = _whose(chance, strangers, known)
        kind = life.next(chance)
        at = plan.began + timedelta(seconds=offset) - _lateness(chance, kind)
        moved = "move" in life.done and kind != "stale"
        touch = Touch(number, number, offset, at, life.person, kind, chance.randrange(60), number, moved)
        if kind == "ticket":
            open_tickets[number] = touch
        recent.append(touch)
        yield touch


def run(plan: Plan, planned: int) -> Iterator[Touch]:
    """So many requests, and what the desk still has to solve of them."""
    whole = touches(plan)
    yield from islice(whole, planned)
    left = islice(whole, SOLVED_AFTER)
    yield from (touch for touch in left if touch.kind == "solve" and touch.about < planned and not touch.is_repeat)


def _whose(chance: Random, strangers: deque[Person], known: list[_Life]) -> _Life:
    """Somebody new, or somebody who was here before: those who came lately come back more often."""
    is_new = chance.random() < NEWCOMERS
    if strangers and (is_new or not known):
        person = strangers.popleft()
        known.append(_Life(person, deque(_story(person))))
        return known[-1]
    return known[max(chance.randrange(len(known)), chance.randrange(len(known)))]


def _story(person: Person) -> tuple[Kind, ...]:
    place = person.number % 12
    if place in {FAMILY, FAMILY + 1}:
        return OF_A_FAMILY
    return OF_A_FIRM if place == FIRM else STORIES[person.number % len(STORIES)]


def _lateness(chance: Random, kind: Kind) -> timedelta:
    """How long ago it happened when it is told: mostly just now."""
    drawn, hours, seconds = chance.random(), chance.uniform(1, 60), chance.uniform(0, 1)
    if kind == "stale" or drawn < LATE:
        return timedelta(hours=hours)
    return timedelta(seconds=seconds * 120 if drawn < LATE + DISORDERED else seconds)
