"""People who share more than people do, and decisions about them: where order might matter, it meets them."""

from __future__ import annotations

import random
from collections.abc import Sequence

from hub.identity.evidence import Fact, Words
from tests.support.memory import day, decided, fact


def a_crowd(seed: int, size: int) -> list[Fact]:
    """Facts about people who share addresses, numbers and names more than people do."""
    chance = random.Random(seed)
    emails = ["", *(f"p{number}@firm.org" for number in range(12)), "info@firm.org"]
    phones = ["", "", "", *(f"+49301234{number:03d}" for number in range(5))]
    names = ["", "Ann", "Annie", "Bob", "Robert", "Zed", "Lukas", "Luaks", "Иван"]
    facts = []
    for number in range(size):
        source = chance.choice(("shop", "crm", "desk", "web", "web", "kiosk"))
        account = str(chance.randint(1, 15)) if source in {"shop", "crm", "desk"} else ""
        words = Words(
            account,
            chance.choice(emails),
            chance.choice(phones),
            "",
            chance.choice(names),
            chance.choice(("", "Lee", "Fox")),
        )
        facts.append(fact(source, words, day(chance.randint(1, 900)), natural_id=f"{seed} {number}"))
    return facts


def decisions_among(known: Sequence[bytes], chance: random.Random, count: int = 12) -> list[Fact]:
    """Merges, cuts and some of them taken back, among these records."""
    made: list[Fact] = []
    for number in range(count):
        named = chance.sample(list(known), 4)
        back = [chance.choice(made)] if made and chance.random() < 0.3 else []
        more = [one for one in (back[0].decision.records if back and back[0].decision else ()) if one not in named]
        verdict = chance.choice(("same", "apart", "apart"))
        made.append(
            decided(verdict, named[:2], [*named[2:], *more], day(number), withdraws=back, natural_id=f"among {number}")
        )
    return made
