"""What a rule sees when it decides: plain values, gathered by whoever asks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

CountOf = Callable[[tuple[str, ...], datetime | None, datetime], int]
"""How many activities of these types have a time in (since, until]; since None: ever. The trigger is not counted."""


@dataclass(frozen=True, slots=True)
class Trigger:
    """The event that a rule looks at."""

    type: str
    source: str
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Person:
    """The profile as its export line has it; of each field the value alone."""

    fields: Mapping[str, Any] = field(default_factory=dict)
    owner: str | None = None
    stage: str | None = None
    tags: Sequence[str] = ()
    activities: int = 0


def none_at_all(_types: tuple[str, ...], _since: datetime | None, _until: datetime) -> int:
    """The counts of somebody who never did anything."""
    return 0


@dataclass(frozen=True, slots=True)
class View:
    """Everything that conditions may ask. `at` is the event's time, with its zone: durations go back from it."""

    at: datetime
    profile: Person = Person()
    counts: CountOf = none_at_all
    segments: frozenset[str] = frozenset()
    event: Trigger | None = None
