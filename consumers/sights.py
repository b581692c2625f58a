"""What rules see: the profile out of its line, the trigger, and counts and segments that are asked for all together."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from hub.automation.values import before
from hub.automation.view import Person, Trigger, View
from hub.automation.walk import leaves
from hub.storage import automation, segments
from hub.storage.automation import Question
from hub.storage.pool import Connection
from schemas.conditions import CountAsked, SegmentAsked
from schemas.rules import span


class _Field(msgspec.Struct):
    value: str


class _Line(msgspec.Struct):
    """What rules ask of a profile's line."""

    fields: dict[str, _Field]
    owner: str | None
    stage: str | None
    tags: list[str]
    activities: int


_line = msgspec.json.Decoder(_Line).decode


def person(line: str | None) -> Person:
    """The profile of a line; without one, somebody of whom nothing is known."""
    if line is None:
        return Person()
    told = _line(line)
    values = {name: one.value for name, one in told.fields.items()}
    return Person(values, told.owner, told.stage, told.tags, told.activities)


def _whose(question: Question) -> bytes:
    """Questions about one person stand together: they lead to the same pages."""
    return question.profile


class Look(NamedTuple):
    """A moment at which a rule looks: whom at, when, and which event it is about, as trigger and by its id.

    `hops` says how many tools that event has passed, `origin` which.
    """

    profile: bytes
    person: Person
    at: datetime
    event: bytes
    trigger: Trigger
    hops: int = 0
    origin: str = ""


@dataclass(slots=True)
class Sights:
    """Views of many looks; ask for all of them first, so that their counts are one query."""

    _asked: set[Question] = field(default_factory=set)
    _answers: dict[Question, int] = field(default_factory=dict)
    _members: set[bytes] = field(default_factory=set)
    _segments: dict[bytes, frozenset[str]] = field(default_factory=dict)

    def ask(self, look: Look, trees: Iterable[Any]) -> None:
        """The counts and segments that these conditions want."""
        for tree in trees:
            for _, leaf in leaves(tree):
                if isinstance(leaf, CountAsked):
                    since = before(look.at, span(leaf.window)) if leaf.window else None
                    self._asked.add(Question(look.profile, leaf.types, since, look.at, look.event))
                elif isinstance(leaf, SegmentAsked):
                    self._members.add(look.profile)

    def ask_segments(self, look: Look) -> None:
        """The segments alone."""
        self._members.add(look.profile)

    async def answer(self, connection: Connection) -> None:
        """Count, and see who is in which segment now; what was answered before is not asked again."""
        if new := self._asked - self._answers.keys():
            self._answers |= await automation.counted(connection, sorted(new, key=_whose))
        if members := self._members - self._segments.keys():
            self._segments |= dict.fromkeys(members, frozenset()) | await segments.memberships(connection, members)

    def view(self, look: Look) -> View:
        """What conditions see at this look."""

        def counts(types: tuple[str, ...], since: datetime | None, until: datetime) -> int | None:
            return self._answers.get(Question(look.profile, types, since, until, look.event))

        return View(look.at, look.person, counts, self._segments.get(look.profile, frozenset()), look.trigger)
