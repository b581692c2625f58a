"""Random histories of people for Hypothesis: few values, so that what is rare in life is frequent here.

Each history takes place in a world that is poor in something: with one mailbox, one number, one device or one order,
nearly every two events meet.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from math import prod
from typing import Any, NamedTuple

from hypothesis import strategies as st

from hub.identity.decisions import APART, SAME, WITHDRAWN
from hub.identity.erasure import again
from hub.identity.evidence import Fact, Words
from tests.support.memory import day, decided, erased, fact

X = "x@firm.org"
UNHEARD = b"\x07" * 16
"""A record that decisions name and nobody hears of."""
NAMES = ("", "Ann", "Annie", "Bob", "Robert", "Zed", "Lukas", "Luaks", "Lkuas", "Иван")


KINDS = (
    *((source, account) for source in ("shop", "crm", "desk") for account in "12"),
    *[("web", ""), ("kiosk", "")] * 3,
)
"""Source and account: half of what is said is about an account."""
PRIME = 2_147_483_647
"""Hypothesis likes small numbers; times this they say all sorts of things."""


class World(NamedTuple):
    """The values that a history takes place with."""

    emails: tuple[str, ...] = ("", X, "y@firm.org", "z@firm.org", "info@firm.org")
    phones: tuple[str, ...] = ("", "+4930901820", "+493012345678")
    names: tuple[str, ...] = NAMES
    devices: tuple[str, ...] = ("", "", "cookie-k", "cookie-m")
    objects: tuple[tuple[str, ...], ...] = ((), (), ("order:1",), ("order:1", "order:2"))
    families: tuple[str, ...] = ("", "Lee", "Fox")
    days: tuple[int, ...] = (1, 1, 2, 3, 40, 700, 1400)


ONE_MAILBOX = World((X,), ("",), ("", "Ann", "Annie", "Zed"), ("",), ((),), ("",), (1, 2, 3))
TWO_MAILBOXES = World((X, "y@firm.org"), ("",), ("", "Ann", "Zed"), ("",), ((),), ("",), (1, 2, 3))
TWO_SPELLINGS = World(("ann.lee@gmail.com", "annlee@gmail.com"), ("",), ("", "Ann"), ("",), ((),), ("",), (1, 2))
ONE_NUMBER = World(("",), ("+4930901820",), ("Ann", "Annie"), ("",), ((),), ("Lee",), (1, 2, 3, 700))
ONE_DEVICE = World((X, "y@firm.org"), ("",), ("", "Ann"), ("", "cookie-k", "cookie-k"), ((),), ("",), (1, 2, 3))
THINGS = World(("", X), ("",), ("", "Ann", "Zed"), ("",), ((), ("order:1",), ("order:1", "order:2"), ("order:2",)))
WORLDS = (World(), ONE_MAILBOX, TWO_MAILBOXES, TWO_SPELLINGS, ONE_NUMBER, ONE_DEVICE, THINGS)


class Said(NamedTuple):
    """One fact before it has its event id."""

    source: str
    account: str
    email: str
    phone: str
    given: str
    family: str
    day: int
    device: str = ""
    objects: tuple[str, ...] = ()

    def fact(self, number: int) -> Fact:
        words = Words(
            self.account,
            self.email,
            self.phone,
            given_name=self.given,
            family_name=self.family,
            device=self.device,
            objects=self.objects,
        )
        return fact(self.source, words, day(self.day), natural_id=str(number))

    def elsewhere(self) -> Said:
        """The same words of somebody in another town, who shares nothing with anybody here."""
        return self._replace(
            account=self.account and f"{self.account} elsewhere",
            email=self.email and f"elsewhere.{self.email}",
            phone=self.phone and f"{self.phone[:-1]}{9 - int(self.phone[-1])}",
            device=self.device and f"{self.device}-elsewhere",
            objects=tuple(f"{thing} elsewhere" for thing in self.objects),
        )


chances = st.integers(0, 2**32 - 1).map(random.Random)
"""Chance from one number: with Hypothesis' own, every throw would be a choice of its own, and take as long."""


def _said(world: World) -> st.SearchStrategy[Said]:
    """One number for all that is said: a choice for each part would take Hypothesis ten times as long."""
    parts = (
        KINDS,
        world.emails,
        world.phones,
        world.names,
        world.families,
        world.days,
        world.devices,
        world.objects,
    )
    count = prod(map(len, parts))
    everything = st.integers(0, count - 1).map(lambda number: _decoded(number * PRIME % count, parts))
    visits = [
        Said(source, "", "", "", "", "", at, device)
        for source in ("shop", "web")
        for at in world.days
        for device in filter(None, world.devices)
    ]
    return everything | everything | st.sampled_from(visits) if visits else everything


def _decoded(number: int, parts: Sequence[Sequence[Any]]) -> Said:
    chosen = []
    for part in parts:
        number, place = divmod(number, len(part))
        chosen.append(part[place])
    (source, account), email, phone, given, family, at, device, objects = chosen
    return Said(source, account, email, phone, given, family, at, device, objects)


_OF_WORLD = {number: st.lists(_said(world), min_size=1, max_size=9) for number, world in enumerate(WORLDS)}
words = st.sampled_from(range(len(WORLDS))).flatmap(_OF_WORLD.__getitem__)
"""What is said in one history."""


def facts_of(said: Sequence[Said], first: int = 0) -> list[Fact]:
    """The facts, each an event of its own."""
    return [one.fact(first + number) for number, one in enumerate(said)]


sets = words.map(facts_of)


@st.composite
def two_towns(draw: st.DrawFn) -> tuple[list[Fact], list[Fact]]:
    """Two histories that share no value and no account."""
    return facts_of(draw(words)), facts_of([one.elsewhere() for one in draw(words)], 100)


@st.composite
def sets_with_decisions(draw: st.DrawFn, most: int = 4) -> list[Fact]:
    """Facts, and decisions among their records (and one record that nobody hears of)."""
    facts = draw(sets)
    known = [*records_of(facts), UNHEARD]
    made: list[Fact] = []
    for number in range(draw(st.integers(0, most)) if len(known) > 2 else 0):
        made.append(_decision(draw(chances), known, made, number))
    return [*facts, *made]


def _decision(chance: random.Random, known: Sequence[bytes], made: Sequence[Fact], number: int) -> Fact:
    named = chance.sample(known, chance.randint(2, min(4, len(known))))
    split = chance.randint(1, len(named) - 1)
    back = [chance.choice(made)] if made and chance.random() < 0.5 else []
    if back and back[0].decision:
        named += [other for other in back[0].decision.records if other not in named]
    return decided(
        chance.choice((SAME, APART, APART, WITHDRAWN)),
        named[:split],
        named[split:],
        day(chance.choice((1, 2, 3, 40))),
        withdraws=back,
        keeps=((f"email:{X}",) if chance.random() < 0.5 else (), ()),
        natural_id=str(number),
    )


@st.composite
def sets_with_erasures(draw: st.DrawFn, most: int = 3) -> list[Fact]:
    """Facts and decisions, and erasures of some of their records, with identifiers that anybody may claim."""
    facts = draw(sets_with_decisions(2))
    known = records_of(facts)
    claimed = sorted({claim.identifier for one in facts if one.who for claim in one.who.claims})
    chance = draw(chances)
    return [
        *facts,
        *[_erasure(chance, known, claimed, number) for number in range(chance.randint(1, most) if known else 0)],
    ]


def _erasure(chance: random.Random, known: Sequence[bytes], claimed: Sequence[bytes], number: int) -> Fact:
    named = chance.sample(known, chance.randint(1, min(3, len(known))))
    back = [again(one) for one in named if chance.random() < 0.3]
    stated = chance.sample(claimed, chance.randint(0, min(2, len(claimed))))
    return erased([*named, *back], stated, day(chance.choice((1, 2, 3, 40, 700))), natural_id=f"erasure {number}")


def records_of(facts: Sequence[Fact]) -> list[bytes]:
    """The records that these facts are about, in order of their ids."""
    return sorted({one.who.record for one in facts if one.who})


def batches(facts: Sequence[Fact], chance: random.Random) -> Iterator[Sequence[Fact]]:
    """The facts in some order, some of them twice, in batches of some size; in half of the cases one by one."""
    mixed = [*facts, *chance.sample(facts, chance.randint(0, len(facts)))]
    chance.shuffle(mixed)
    sizes = chance.choice(((1,), (1, 1, 2, 3, 9)))
    while mixed:
        size = chance.choice(sizes)
        yield mixed[:size]
        mixed = mixed[size:]
