"""What a rule sees when it decides: plain values, gathered by whoever asks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any, NamedTuple

CountOf = Callable[[tuple[str, ...], datetime | None, datetime], int | None]
"""How many activities of these types have a time in (since, until]; since None: ever. The trigger is not counted.

None: nobody has counted yet.
"""


EMPTY: Mapping[str, Any] = MappingProxyType({})


class Trigger(NamedTuple):
    """The event that a rule looks at."""

    type: str
    source: str
    data: Mapping[str, Any] = EMPTY


class Person(NamedTuple):
    """The profile as its export line has it; of each field the value alone."""

    fields: Mapping[str, Any] = EMPTY
    owner: str | None = None
    stage: str | None = None
    tags: Sequence[str] = ()
    activities: int = 0


def none_at_all(_types: tuple[str, ...], _since: datetime | None, _until: datetime) -> int:
    """The counts of somebody who never did anything."""
    return 0


def not_counted(_types: tuple[str, ...], _since: datetime | None, _until: datetime) -> None:
    """The counts as long as nobody has counted."""
    return


class View(NamedTuple):
    """Everything that conditions may ask. `at` is the event's time, with its zone: durations go back from it."""

    at: datetime
    profile: Person = Person()
    counts: CountOf = none_at_all
    segments: frozenset[str] = frozenset()
    event: Trigger | None = None
