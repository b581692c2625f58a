"""What all tables of hub.toml have in common, and those about what happens by itself: `[rules]` and `[teams]`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

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


class Team(Table):
    """People of ours who share work."""

    members: Annotated[tuple[Address, ...], BeforeValidator(one_or_several)] = Field(
        min_length=1, description="Their addresses."
    )


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
