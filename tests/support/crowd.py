"""People who share more than people do, and decisions about them: where order might matter, it meets them."""

from __future__ import annotations

import random
from collections.abc import Sequence

from hub.identity.evidence import Fact, Words
from tests.support.memory import day, decided, erased, fact


def a_crowd(seed: int, size: int) -> list[Fact]:
    """Facts about people who share addresses, numbers, names, devices and orders more than people do."""
    chance = random.Random(seed)
    emails = ["", *(f"p{number}@firm.org" for number in range(12)), "info@firm.org"]
    phones = ["", "", "", *(f"+49301234{number:03d}" for number in range(5))]
    names = ["", "Ann", "Annie", "Bob", "Robert", "Zed", "Lukas", "Luaks", "Иван"]
    devices = [*[""] * 12, "cookie-a", "cookie-b", "cookie-c", "cookie-d"]
    things: list[tuple[str, ...]] = [*[()] * 12, ("order:1",), ("order:2",), ("order:3", "order:4")]
    facts = []
    for number in range(size):
        source = chance.choice(("shop", "crm", "desk", "web", "web", "kiosk"))
        words = Words(
            str(chance.randint(1, 15)) if source in {"shop", "crm", "desk"} else "",
            chance.choice(emails),
            chance.choice(phones),
            given_name=chance.choice(names),
            family_name=chance.choice(("", "Lee", "Fox")),
            device=chance.choice(devices),
            objects=chance.choice(things),
        )
        facts.append(fact(source, words, day(chance.randint(1, 900)), natural_id=f"{seed} {number}"))
    return facts


def a_town(seed: int, size: int) -> list[Fact]:
    """Facts about people as they are: four events each, an address of one's own, one number in ten shared at home."""
    chance = random.Random(seed)
    names = ("Ann", "Bob", "Cid", "Dora", "Emil", "Frida", "Gus", "Hanna", "Igor", "Jo")
    facts = []
    for number in range(size):
        one = chance.randrange(max(size // 4, 1))
        home = one // 2 if one % 20 < 2 else one + size
        mail, phone, given = f"p{one}@firm.org", f"+4930{5_000_000 + home}", names[one % len(names)]
        family = f"Family{chr(97 + home % 26)}{chr(97 + home // 26 % 26)}"
        account = Words(f"c-{one}", mail, phone, given_name=given, family_name=family)
        form = Words("", mail, phone, given_name=given, family_name=family)
        call = Words("", "", phone, given_name=given, family_name=family)
        source, words = chance.choice(
            (("shop", account), ("crm", account), ("web", form), ("web", form), ("kiosk", call))
        )
        facts.append(fact(source, words, day(chance.randint(1, 500)), natural_id=f"town {seed} {number}"))
    return facts


def erasures_among(facts: Sequence[Fact], chance: random.Random, count: int) -> list[Fact]:
    """Some are to be forgotten, with addresses that they state, at some time among these facts."""
    made = []
    for number in range(count):
        gone = [one.who for one in chance.sample(list(facts), 3) if one.who]
        stated = sorted({claim.identifier for who in gone for claim in who.claims if claim.namespace == "email"})
        at = day(chance.randint(1, 900))
        made.append(erased((who.record for who in gone), stated[:2], at, natural_id=f"erased {number}"))
    return made


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
