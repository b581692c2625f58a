"""The people themselves: households, firms, their addresses, numbers, cookies and names over four years."""

from __future__ import annotations

import random
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count

from bench.identity.names import LANGUAGES, Language, short
from hub.identity.normalise import fold

DAYS = 4 * 365
"""The time that is told of, in days."""
REST_DAYS = 560
"""What a given-up number rests before somebody else gets it: a little more than 18 months."""
HOUSEHOLDS = {1: 45, 2: 30, 3: 10, 4: 15}
SHARED_PHONE, SHARED_MAILBOX, SHARED_COOKIE = 0.10, 0.025, 0.03
"""Of people; some more share the address of an office, which makes three of a hundred for mailboxes."""
_IN_HOUSEHOLDS = 1.5 / 1.95
"""Share of people who do not live alone, by HOUSEHOLDS."""
MAIL_CHANGE, NUMBER_CHANGE, RENAME, OTHER_GIVEN, SECOND_ACCOUNT = 0.08, 0.06, 0.03, 0.003, 0.025
IN_A_FIRM = 0.05
SMALL_FIRMS, LARGE_FIRM = (2, 3, 4), 12
SMALL_OFFICE = 0.05
EACH_LARGE_OFFICE = 6
SAME_SEX_COUPLES = 0.05
_PROVIDERS = (
    "gmail.com", "gmx.de", "web.de", "outlook.com", "t-online.de", "yahoo.com", "icloud.com", "posteo.de", "orange.fr",
    "wp.pl", "libero.it", "hotmail.com", "telia.com", "btinternet.com",
)  # fmt: skip
ROLE_NAMES = ("info", "office", "sales", "kontakt", "service", "admin")
_NO_ATOM = re.compile(r"[^a-z0-9]+")


@dataclass(slots=True)
class Human:
    """Somebody: what is true of them, and since when. Of (day, value) lists the last one that has begun counts."""

    number: int
    language: Language
    woman: bool
    givens: list[tuple[int, str]]
    families: list[tuple[int, str]]
    first: int
    mails: list[tuple[int, str]] = field(default_factory=list)
    phones: list[tuple[int, str]] = field(default_factory=list)
    cookies: list[str] = field(default_factory=list)
    firm: Firm | None = None
    traits: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Firm:
    """Where several people work: a role address, and sometimes one of the whole office whose name says nothing."""

    role: str
    office: str | None


def since(values: Sequence[tuple[int, str]], day: int) -> str:
    """What counts on a day; empty where nothing has begun."""
    return next((value for begun, value in reversed(values) if begun <= day), "")


class Town:
    """Makes people, and sees to it that no address and no number is given twice unless it is meant to be."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._addresses: set[str] = set()
        self._numbers: set[str] = set()
        self._given_up: list[tuple[int, str]] = []

    def people(self, size: int) -> list[Human]:
        """So many people, household by household."""
        humans: list[Human] = []
        while len(humans) < size:
            humans += self._household(len(humans), size - len(humans))
        self._employ(humans)
        for human in humans:
            self._change(human)
        self._pass_numbers_on(humans)
        return humans

    def _household(self, number: int, room: int) -> list[Human]:
        chance = self._chance
        many = min(room, chance.choices(list(HOUSEHOLDS), list(HOUSEHOLDS.values()))[0])
        language = chance.choices(LANGUAGES, [one.share for one in LANGUAGES])[0]
        family, woman = language.families.draw(chance), chance.random() < 0.5
        members: list[Human] = []
        for place in range(many):
            as_expected = chance.random() >= SAME_SEX_COUPLES
            sex = woman if place == 0 else (woman is not as_expected if place == 1 else chance.random() < 0.5)
            own = family if chance.random() < 0.8 else language.families.draw(chance)
            taken = {given for one in members for _, given in one.givens}
            given = self._given(language, taken, woman=sex)
            members.append(Human(number + place, language, sex, [(0, given)], [(0, own)], chance.randrange(DAYS - 60)))
        for human in members:
            self._equip(human)
        if many > 1:
            self._share(members)
        return members

    def _given(self, language: Language, taken: set[str], *, woman: bool) -> str:
        """A given name that nobody in the household bears."""
        listed = language.women if woman else language.men
        while (given := listed.draw(self._chance)) in taken:
            pass
        return given

    def _equip(self, human: Human) -> None:
        chance = self._chance
        human.mails = [(0, self.address(human))]
        if chance.random() < 0.85:
            human.phones = [(0, self.number(human.language))]
        human.cookies = [f"c-{chance.getrandbits(64):016x}" for _ in range(chance.choice((1, 1, 2)))]

    def _share(self, members: Sequence[Human]) -> None:
        """A number, a mailbox, a cookie of the whole household."""
        phones = [(0, since(members[0].phones, 0) or self.number(members[0].language))]
        for trait, share in (("phone", SHARED_PHONE), ("mailbox", SHARED_MAILBOX), ("cookie", SHARED_COOKIE)):
            if self._chance.random() >= share / _IN_HOUSEHOLDS:
                continue
            for human in members:
                human.traits.add(f"shared {trait}")
                if trait == "phone":
                    human.phones = list(phones)
                elif trait == "mailbox":
                    human.mails = list(members[0].mails)
                else:
                    human.cookies = [members[0].cookies[0], *human.cookies[1:]]

    def address(self, human: Human, day: int = 0) -> str:
        """An address of one's own, after one's name, with digits where it is taken."""
        chance = self._chance
        given, family = (_atom(since(part, day)) for part in (human.givens, human.families))
        nick = _atom(short(since(human.givens, day)) or given)
        forms = (
            f"{given}.{family}",
            f"{given}{family}",
            f"{given[:1]}.{family}",
            f"{nick}.{family}",
            f"{family}.{given}",
        )
        local, domain = chance.choice(forms), chance.choice(_PROVIDERS)
        while (box := _mailbox(local, domain)) in self._addresses:
            local = f"{local.rstrip('0123456789')}{chance.randrange(1, 10_000)}"
        self._addresses.add(box)
        return f"{local}@{domain}"

    def number(self, language: Language) -> str:
        """A mobile number that nobody has had."""
        prefix, digits = language.mobile
        while (number := f"{prefix}{self._chance.randrange(10**digits):0{digits}d}") in self._numbers:
            pass
        self._numbers.add(number)
        return number

    def _employ(self, humans: list[Human]) -> None:
        """Some people write from work, a few colleagues or a dozen to a firm."""
        chance = self._chance
        workers = [human for human in humans if chance.random() < IN_A_FIRM]
        chance.shuffle(workers)
        large = count()
        while workers:
            colleagues, workers = workers[: (many := chance.choice((*SMALL_FIRMS, LARGE_FIRM)))], workers[many:]
            name = f"{_atom(since(colleagues[0].families, 0))}-{colleagues[0].number}.example.com"
            if len(colleagues) == LARGE_FIRM:
                shared = next(large) % EACH_LARGE_OFFICE == 0
            else:
                shared = chance.random() < SMALL_OFFICE
            firm = Firm(f"{chance.choice(ROLE_NAMES)}@{name}", f"team.nord@{name}" if shared else None)
            for human in colleagues:
                human.firm = firm
                human.traits |= {"role address", *(["office address"] if shared else [])}

    def _change(self, human: Human) -> None:
        """Names first: a new address is often after the new name."""
        chance = self._chance
        later = chance.randrange(human.first, DAYS)
        if chance.random() < RENAME:
            human.families.append((later, human.language.families.draw(chance)))
            human.traits.add("rename")
        if chance.random() < OTHER_GIVEN:
            listed = human.language.women if human.woman else human.language.men
            human.givens.append((later, listed.draw(chance)))
            human.traits.add("other given name")
        if "shared mailbox" not in human.traits and chance.random() < MAIL_CHANGE:
            human.mails.append((later + 1, self.address(human, later + 1)))
            human.traits.add("e-mail change")
        if human.phones and "shared phone" not in human.traits and chance.random() < NUMBER_CHANGE:
            self._given_up.append((later, since(human.phones, DAYS)))
            human.phones.append((later, self.number(human.language)))
            human.traits.add("number change")
        if chance.random() < SECOND_ACCOUNT:
            human.traits.add("second account")

    def _pass_numbers_on(self, humans: list[Human]) -> None:
        """A number that rests long enough goes to somebody of the same country, who is told of from then on."""
        heirs: dict[str, list[Human]] = defaultdict(list)
        for human in humans:
            if len(human.phones) == 1 and "shared phone" not in human.traits:
                heirs[human.language.mobile[0]].append(human)
        for day, number in self._given_up:
            country = next(one.mobile[0] for one in LANGUAGES if number.startswith(one.mobile[0]))
            begins = day + REST_DAYS + self._chance.randrange(60)
            if begins < DAYS and heirs[country]:
                heir = self._chance.choice(heirs[country])
                heirs[country].remove(heir)
                heir.phones.append((begins, number))
                heir.traits.add("recycled number")


def _atom(name: str) -> str:
    return _NO_ATOM.sub("", fold(name)) or "x"


def _mailbox(local: str, domain: str) -> str:
    """Where the provider puts what is sent there: Gmail gives nobody an address that is another's but for the dots."""
    return f"{local.replace('.', '') if domain == 'gmail.com' else local}@{domain}"
