"""How somebody puts themselves into a form, a till or an address book: which of their addresses, which spelling."""

from __future__ import annotations

import random
from typing import NamedTuple

from bench.identity.names import mistyped, short
from bench.identity.people import Human, since
from hub.identity.evidence import Words

REGION = "DE"
"""The country of numbers that name none: only Germans write theirs so."""
_GERMANY = "+49"
_OFFICE_RATHER_THAN_ROLE = 0.7
_CAPITALS, _NATIONAL, _IN_ONE = 0.10, 0.5, 0.5


class Habit(NamedTuple):
    """How likely each is with one tool: a number, a cookie and the firm's address are told; the name is another one."""

    phone: float = 0.5
    cookie: float = 0.0
    work: float = 0.0
    nameless: float = 0.0
    nickname: float = 0.06
    initial: float = 0.01
    slip: float = 0.01


def words(human: Human, day: int, habit: Habit, chance: random.Random) -> Words:
    """A contact as its sender writes it on that day."""
    given, family = _name(human, day, habit, chance)
    whole = f"{given} {family}".strip() if chance.random() < _IN_ONE else ""
    email = _address(human, day, habit, chance)
    number = since(human.phones, day) if chance.random() < habit.phone else ""
    return Words(
        email=email.title() if chance.random() < _CAPITALS else email,
        phone=_spelled(number, chance),
        name=whole,
        given_name="" if whole else given,
        family_name="" if whole else family,
        region=REGION,
        device=chance.choice(human.cookies) if chance.random() < habit.cookie else "",
    )


def without_name(said: Words) -> Words:
    """The same, by somebody who gave no name."""
    return said._replace(name="", given_name="", family_name="")


def _address(human: Human, day: int, habit: Habit, chance: random.Random) -> str:
    firm = human.firm
    if firm and chance.random() < habit.work:
        return firm.office if firm.office and chance.random() < _OFFICE_RATHER_THAN_ROLE else firm.role
    return since(human.mails, day)


def _name(human: Human, day: int, habit: Habit, chance: random.Random) -> tuple[str, str]:
    given, family = since(human.givens, day), since(human.families, day)
    way = chance.random()
    for name, share in zip(Habit._fields[3:], habit[3:], strict=True):
        if way < share:
            return _otherwise(human, name, (given, family), chance)
        way -= share
    return given, family


def _otherwise(human: Human, way: str, name: tuple[str, str], chance: random.Random) -> tuple[str, str]:
    given, family = name
    nick = short(given)
    if way == "nameless":
        human.traits.add("nameless")
        return "", ""
    if way == "nickname" and nick:
        human.traits.add("nickname")
        return nick, family
    if way == "initial":
        human.traits.add("initial")
        return f"{given[0]}.", family
    if way == "slip":
        human.traits.add("typing error")
        return (mistyped(given, chance), family) if chance.random() < 0.5 else (given, mistyped(family, chance))
    return name


def _spelled(number: str, chance: random.Random) -> str:
    """A number as people type it."""
    if number.startswith(_GERMANY) and chance.random() < _NATIONAL:
        number = f"0{number[3:]}"
    return f"{number[:5]} {number[5:8]} {number[8:]}" if number and chance.random() < 0.5 else number
