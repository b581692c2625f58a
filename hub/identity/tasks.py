"""What is to be done about somebody: a task is a function of the set of its events, whatever their order.

Of its creations the first counts, of everything else the last, by time and then by event id. What became of a task may
be heard of before the task itself is. It hangs on the record that its events name, so merges and splits move nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import msgspec

CREATED, STATUS, TO, DUE = "created", "status", "to", "due"
"""The parts of a task, each said by an event of its own."""
OPEN, WAITING, DONE, DROPPED = "open", "waiting", "done", "dropped"
TASK = "task"


class TaskWord(NamedTuple):
    """What one event says of a task (16 bytes): a part of it, by whom.

    The value of `created` is (kind, title, to, team, due), of the other parts it is one text, or None.
    """

    task: bytes
    part: str
    value: tuple[str | None, ...]
    by: str


class Said(msgspec.Struct, array_like=True, frozen=True):
    """A part as it is kept, of whichever event counts. `at` is event time as text, `event` the event id as text."""

    at: str
    event: str
    by: str
    value: tuple[str | None, ...]

    @property
    def rank(self) -> tuple[str, str]:
        """The total order of events."""
        return self.at, self.event


Parts = dict[str, Said]
"""Everything that is known of a task, part by part."""


class Task(NamedTuple):
    """A task as it stands. Times are text; `since` is when it came to its status."""

    kind: str
    title: str
    to: str | None
    team: str | None
    due: str
    status: str
    since: str

    @property
    def is_open(self) -> bool:
        """Whether it is still to be done, maybe once the customer has answered."""
        return self.status in {OPEN, WAITING}


def learn(parts: Parts, part: str, said: Said) -> None:
    """Fold one event into what is known, in place."""
    known = parts.get(part)
    if known is None or (said.rank < known.rank if part == CREATED else said.rank > known.rank):
        parts[part] = said


def folded(parts: Parts, words: Iterable[tuple[str, Said]]) -> Parts:
    """What is known with these events as well."""
    found = dict(parts)
    for part, said in words:
        learn(found, part, said)
    return found


def standing(parts: Parts) -> Task | None:
    """The task; None as long as nobody heard of its creation."""
    if CREATED not in parts:
        return None
    made = parts[CREATED]
    kind, title, to, team, due = made.value
    if TO in parts:
        (to,) = parts[TO].value
    if DUE in parts:
        (due,) = parts[DUE].value
    last = parts.get(STATUS)
    status = (last.value[0] if last else None) or OPEN
    return Task(kind or TASK, title or "", to, team, due or made.at, status, last.at if last else made.at)
