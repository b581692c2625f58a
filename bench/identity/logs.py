"""A concurrent run before it begins: what is said, on which partition it lies, and in what weather it will be read."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import NamedTuple
from unittest.mock import patch
from zlib import crc32

from hub.identity import outcome, resolve
from hub.identity.evidence import DEVICE, MAILBOX, Fact
from tests.support.crowd import a_crowd, a_town, decisions_among, erasures_among
from tests.support.remarks import remarks_among

PARTITIONS = 8
REPEATED = (0.05, 0.10)
"""The least and the greatest share of events that come twice."""
DECISIONS, REMARKS = 12, 60
CAPS = (None, None, (6, 2), (3, 2))
"""The caps of the product, and smaller ones as (claimers of a value, given names): then more turns shared."""
LARGE = (None, None, None, 40)
ERASURES, UNLIMITED = (0, 0, 0, 6), (100_000, 100_000)
"""Where people are erased nothing may turn shared: what once did stays so, and the model would not know why."""
BATCHES = (5, 15, 40)
PAUSES = (0.0, 0.004, 0.01)
KILLS = (0, 4, 8, 16)

Log = list[list[Fact]]
"""What lies on each partition, in order."""


class Plan(NamedTuple):
    """A run, as a function of its seed. The pause is the longest one; `kills` are meant, not promised.

    Groups of more than `most_records` take the slow lane; None is the product's own mark, which no run reaches.
    """

    seed: int
    events: int
    consumers: int
    keyed: bool
    town: bool
    caps: tuple[int, int] | None
    most_records: int | None
    most_at_once: int
    pause_seconds: float
    kills: int
    erasures: int

    @property
    def kind(self) -> str:
        """What to count it under."""
        words = ("town" if self.town else "crowd", "keyed" if self.keyed else "random")
        more = [word for word, is_so in (("lane", self.most_records), ("erased", self.erasures)) if is_so]
        return ", ".join((*words, *more))


def plan(seed: int, events: int = 400, consumers: int = 4) -> Plan:
    """Half of the runs have keyed partitions; one in four is about a town, whose people share little."""
    chance = random.Random(f"plan {seed}")
    keyed, town = seed % 2 == 0, seed // 2 % 4 == 3
    caps = None if town else chance.choice(CAPS)
    most_records = None if town else chance.choice(LARGE)
    most, pause, kills = chance.choice(BATCHES), chance.choice(PAUSES), chance.choice(KILLS)
    erasures = chance.choice(ERASURES)
    caps = UNLIMITED if erasures else caps
    return Plan(seed, events, consumers, keyed, town, caps, most_records, most, pause, kills, erasures)


@contextmanager
def caps_of(one: Plan) -> Iterator[None]:
    """The rules with the run's own caps, for consumers and model alike."""
    with ExitStack() as stack:
        if one.caps:
            claimers, codes = one.caps
            fewer = {"email": claimers, MAILBOX: claimers, "phone": claimers - 1, DEVICE: min(claimers, 2)}
            fewer |= dict.fromkeys(fewer, claimers) if one.erasures else {}
            stack.enter_context(patch.dict(resolve.MOST_CLAIMERS, fewer))
            for module in (resolve, outcome):
                stack.enter_context(patch.object(module, "MOST_CODES", codes))
        if one.most_records:
            stack.enter_context(patch.object(outcome, "MOST_RECORDS", one.most_records))
        yield


def said(one: Plan) -> list[Fact]:
    """The distinct events of a run, decisions, erasures and remarks among them."""
    chance = random.Random(f"said {one.seed}")
    facts = a_town(one.seed, one.events) if one.town else a_crowd(one.seed, one.events)
    known = sorted({fact.who.record for fact in facts if fact.who})
    made = decisions_among(known, chance, 2 if one.town else DECISIONS)
    gone = erasures_among(facts, chance, one.erasures)
    return [*facts, *made, *gone, *remarks_among(known, chance, 2 if one.town else REMARKS)]


def laid(one: Plan, facts: Sequence[Fact]) -> Log:
    """The events in some order, some of them twice, each on its partition."""
    chance = random.Random(f"laid {one.seed}")
    again = chance.sample(facts, round(len(facts) * chance.uniform(*REPEATED)))
    mixed = [*facts, *again]
    chance.shuffle(mixed)
    log: Log = [[] for _ in range(PARTITIONS)]
    for fact in mixed:
        log[_partition(fact) if one.keyed else chance.randrange(PARTITIONS)].append(fact)
    return log


def _partition(fact: Fact) -> int:
    """As the gateway's key does it: by the strongest identifier, an account's id where it states no other."""
    if fact.who:
        claims = fact.who.claims
        return crc32((claims[0].value if claims else fact.who.key).encode()) % PARTITIONS
    return crc32(fact.decision.records[0] if fact.decision else fact.record or fact.event) % PARTITIONS
