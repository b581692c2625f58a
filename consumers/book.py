"""Rules and segments as consumers use them: read once, and again when somebody changed them. No version changes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple

import orjson

from consumers.actions import ACTIONS
from hub.automation.decisions import ENTERED, LEFT
from hub.automation.files import parsed
from hub.automation.plan import as_it_stands
from hub.automation.program import Act, Pause, Program, program
from hub.automation.segments import in_order
from hub.automation.walk import leaves, roots
from hub.storage import rules
from hub.storage.pool import Connection
from hub.storage.rules import Counting, InForce
from schemas.conditions import SegmentAsked
from schemas.rules import OnEnter, OnEvent, OnLeave, Rule, Segment

Key = tuple[str, int]
"""A rule's name and version."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A rule's version with its program, the conditions of its way, and those of its exits; whether it may write to
    customers, and whether it asks for segments.
    """

    rule: Rule
    program: Program
    asks: Sequence[Any]
    asks_at_exits: Sequence[Any]
    writes: bool = False
    asks_segments: bool = False

    def heeds(self, place: int) -> tuple[str, ...]:
        """The types of events that may end the wait at this instruction."""
        instruction = self.program[place]
        met = instruction.wait.event if isinstance(instruction, Pause) else None
        left = (name for one in self.rule.exits for name, _ in kinds(one))
        return tuple(dict.fromkeys((*(met or ()), *left)))

    def heeds_somewhere(self) -> set[str]:
        """The types that any of its waits heeds."""
        return {name for place, one in enumerate(self.program) if isinstance(one, Pause) for name in self.heeds(place)}


class Followed(NamedTuple):
    """A segment's version that counts, and since when."""

    name: str
    version: int
    since: datetime
    value: Segment


def kinds(when: OnEvent | OnEnter | OnLeave) -> Iterator[tuple[str, str | None]]:
    """What a trigger or an exit looks at: types of events, each with the segment that it tells of (None: of none)."""
    match when:
        case OnEvent(event=types):
            yield from ((name, None) for name in types)
        case OnEnter(enters=name):
            yield ENTERED, name
        case OnLeave(leaves=name):
            yield LEFT, name


class Book:
    """Rules by what sets them off, every version by its name and number; and the segments that count.

    `segments` stand each behind those that it asks.
    """

    segments: Sequence[Followed] = ()

    def __init__(self) -> None:
        self._changed_at: datetime | None = None
        self._kept: dict[Key, Kept] = {}
        self._set_off: Mapping[tuple[str, str | None], Sequence[tuple[InForce, Kept]]] = {}
        self._heeded: frozenset[str] = frozenset()

    async def refresh(self, connection: Connection) -> None:
        """Read again what counts, where somebody changed it."""
        changed_at = await rules.changed_at(connection)
        if changed_at == self._changed_at:
            return
        await self.learn(connection, await rules.every_version(connection))
        found = await rules.in_force(connection)
        set_off: dict[tuple[str, str | None], list[tuple[InForce, Kept]]] = defaultdict(list)
        for one in found:
            kept = self._kept[one.name, one.version]
            kept = replace(kept, rule=as_it_stands(kept.rule, on_trial=one.on_trial))
            for kind in kinds(kept.rule.when):
                set_off[kind].append((one._replace(since=one.looks_since(*kind)), kept))
        self.segments = _followed(await rules.segments(connection))
        self._heeded = frozenset(name for kept in self._kept.values() for name in kept.heeds_somewhere())
        self._set_off, self._changed_at = set_off, changed_at

    async def learn(self, connection: Connection, versions: Collection[Key]) -> None:
        """Read these versions, where they are not known yet."""
        if new := set(versions) - self._kept.keys():
            self._kept |= {key: _kept(body) for key, body in (await rules.bodies(connection, sorted(new))).items()}

    def set_off_by(self, event_type: str, subject: str | None = None) -> Sequence[tuple[InForce, Kept]]:
        """The versions in force that look at such events; `subject` is the segment that one tells of."""
        return self._set_off.get((event_type, subject), ())

    def may_be_heeded(self, event_type: str) -> bool:
        """Whether somebody who waits in any version might heed such an event."""
        return event_type in self._heeded

    def __getitem__(self, key: Key) -> Kept:
        return self._kept[key]


def _followed(found: Sequence[Counting]) -> list[Followed]:
    values = {one.name: parsed(orjson.loads(one.body)) for one in found}
    order = in_order(value for value in values.values() if isinstance(value, Segment))
    stands = {one.name: one for one in found}
    return [Followed(one.name, stands[one.name].version, stands[one.name].since, one) for one in order]


def _kept(body: str) -> Kept:
    rule = parsed(orjson.loads(body))
    if not isinstance(rule, Rule):
        raise TypeError(f"{rule.name} is a segment, no rule")
    found, steps = list(roots(rule)), program(rule)
    return Kept(
        rule,
        steps,
        [tree for place, tree in found if place[0] != "exits"],
        [tree for place, tree in found if place[0] == "exits"],
        any(isinstance(one, Act) and one.verb in ACTIONS.names and ACTIONS[one.verb].channel for one in steps),
        any(isinstance(leaf, SegmentAsked) for _, tree in found for _, leaf in leaves(tree)),
    )
