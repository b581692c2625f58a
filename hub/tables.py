"""What all tables of hub.toml have in common, and those about what happens by itself: `[rules]` and `[teams]`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import time
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator

from schemas.conditions import DURATION


def one_or_several(value: object) -> object:
    """A text as a tuple of one, everything else as it is."""
    return (value,) if isinstance(value, str) else value


OneOrSeveral = Annotated[tuple[str, ...], BeforeValidator(one_or_several)]
"""A text, or a list of texts."""
Address = Annotated[str, StringConstraints(pattern=r"^[^@\s]+@[^@\s]+$", max_length=320)]
NONE = "none"


class Table(BaseModel):
    """A table of hub.toml: an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


@dataclass(frozen=True, slots=True)
class Budget:
    """At the most so many within a duration (`7d`)."""

    most: int
    within: str


@dataclass(frozen=True, slots=True)
class Allowance:
    """How much a customer may be written to: at the most so many within a time (in words), and how many there were."""

    most: int
    within: str
    used: int


_BUDGET = re.compile(rf"([1-9][0-9]{{0,3}}) +in +({DURATION[1:-1]})")


def _budget(value: object) -> object:
    if value is None or isinstance(value, Budget):
        return value
    if value == NONE:
        return None
    found = _BUDGET.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError('is written "4 in 7d", or "none"')
    return Budget(int(found[1]), found[2])


class Budgets(Table):
    """How much a customer is written to by rules, by channel."""

    email: Annotated[Budget | None, BeforeValidator(_budget)] = Field(
        default=Budget(4, "7d"), description="Mails to one person: 4 in 7d; none: any number."
    )


def _budgets(value: object) -> object:
    return dict.fromkeys(Budgets.model_fields, NONE) if value == NONE else value


@dataclass(frozen=True, slots=True)
class Span:
    """A part of every day, from one time until another; over midnight where that is the earlier one."""

    begins: time
    ends: time

    def holds(self, at: time) -> bool:
        """Whether a time of the day lies in it; none does where both ends are the same."""
        if self.begins <= self.ends:
            return self.begins <= at < self.ends
        return at >= self.begins or at < self.ends


NEVER, NIGHT = Span(time(0), time(0)), Span(time(21), time(8))
_HOUR = r"([01][0-9]|2[0-3]):([0-5][0-9])"
_SPAN = re.compile(rf"{_HOUR} *- *(?:{_HOUR}|24:00)")


def _span(value: object) -> object:
    if value is None or isinstance(value, Span):
        return value
    found = _SPAN.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        raise ValueError('is written "09:00-17:00"')
    begins, ends = time(int(found[1]), int(found[2])), time(int(found[3] or 0), int(found[4] or 0))
    if begins == ends:
        raise ValueError("ends when it begins: for the whole day leave it out")
    return Span(begins, ends)


def _quiet(value: object) -> object:
    return NEVER if value == NONE else _span(value)


DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def _days(value: object) -> object:
    if isinstance(value, frozenset):
        return value
    parts = value.split(",") if isinstance(value, str) else value
    if not isinstance(parts, list) or not parts:
        raise ValueError('is written "mon-fri", or "mon,wed"')
    return frozenset(day for part in parts for day in _from_to(part))


def _from_to(part: object) -> list[int]:
    """Monday is 0; a part may go over the weekend, `sat-mon`."""
    ends = [one.strip().lower() for one in part.split("-")] if isinstance(part, str) else []
    if not 1 <= len(ends) <= 2 or not set(ends) <= set(DAYS):
        raise ValueError(f"{part!r} is no day: there are {', '.join(DAYS)}, and as mon-fri those from one to another")
    first, last = DAYS.index(ends[0]), DAYS.index(ends[-1])
    return [day % 7 for day in range(first, last + (1 if first <= last else 8))]


def _zone(value: object) -> object:
    if value is None or isinstance(value, ZoneInfo):
        return value
    try:
        return ZoneInfo(str(value))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        near = get_close_matches(str(value), available_timezones(), n=1)
        hint = f"did you mean {near[0]!r}?" if near else "they are named as Europe/Berlin"
        raise ValueError(f"there is no zone {value!r}; {hint}") from None


Zone = Annotated[ZoneInfo, BeforeValidator(_zone)]
"""A zone by its name, as Europe/Berlin."""


class Member(Table):
    """Somebody of ours, and what they are given."""

    address: Address = Field(description="Their address.")
    territory: OneOrSeveral = Field(default=(), description="Countries whose customers they look after, as DE.")
    capacity: int | None = Field(default=None, ge=1, description="How many customers they look after at the most.")
    hours: Annotated[Span | None, BeforeValidator(_span)] = Field(
        default=None, description="When they work: 09:00-17:00; default: the whole day."
    )
    days: Annotated[frozenset[int], BeforeValidator(_days)] = Field(
        default=frozenset(range(7)), description="On which days: mon-fri, or mon,wed; default: on all."
    )
    zone: Annotated[ZoneInfo | None, BeforeValidator(_zone)] = Field(
        default=None, description="Where these hours are meant; default: [rules] zone."
    )

    @model_validator(mode="before")
    @classmethod
    def _of_address(cls, value: object) -> object:
        return {"address": value} if isinstance(value, str) else value


@dataclass(frozen=True, slots=True)
class Colleague:
    """Somebody of a team: what they are given (`territory`: of any place; `capacity`: any number), how many customers
    they look after now (where the action weighs that), and whether they are at work at that time.
    """

    address: str
    territory: tuple[str, ...] = ()
    capacity: int | None = None
    owned: int = 0
    on_duty: bool = True


def _one_or_several_members(value: object) -> object:
    return (value,) if isinstance(value, str | dict) else value


class Team(Table):
    """People of ours who share work."""

    members: Annotated[tuple[Member, ...], BeforeValidator(_one_or_several_members)] = Field(
        min_length=1, description="Their addresses; or tables, for what is to be known of somebody."
    )

    @property
    def addresses(self) -> tuple[str, ...]:
        """Those of all members, in order."""
        return tuple(member.address for member in self.members)


class Rules(Table):
    """What happens by itself; one file a rule, see docs/reference/rules.md."""

    folder: Path = Field(default=Path("rules"), description="Where the files are.")
    apply: bool = Field(default=True, description="Take the files over at every start.")
    time_scale: float = Field(
        default=1.0, gt=0, le=1, description="Every wait lasts this part of its time: for demos and trials."
    )
    budget: Annotated[Budgets, BeforeValidator(_budgets)] = Field(
        default=Budgets(), description="How often a customer is written to at the most; none: no such bound."
    )
    zone: Zone = Field(default=ZoneInfo("UTC"), description="Your zone: that of everybody of whom none is known.")
    quiet: Annotated[Span, BeforeValidator(_quiet)] = Field(
        default=NIGHT, description="What a wait for a time of the day keeps out of; none: of nothing."
    )
