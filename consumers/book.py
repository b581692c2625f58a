"""The rules as consumers use them: read once, and again when somebody changed them. A version never changes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import orjson

from consumers.actions import ACTIONS
from hub.automation.files import parsed
from hub.automation.plan import as_it_stands
from hub.automation.program import Act, Pause, Program, program
from hub.automation.walk import roots
from hub.storage import rules
from hub.storage.pool import Connection
from hub.storage.rules import InForce
from schemas.rules import OnEvent, Rule

Key = tuple[str, int]
"""A rule's name and version."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A rule's version with its program, the conditions of its way, and those of its exits; and whether it may write
    to customers.
    """

    rule: Rule
    program: Program
    asks: Sequence[Any]
    asks_at_exits: Sequence[Any]
    writes: bool = False

    def heeds(self, place: int) -> tuple[str, ...]:
        """The types of events that may end the wait at this instruction."""
        instruction = self.program[place]
        met = instruction.wait.event if isinstance(instruction, Pause) else None
        left = (name for one in self.rule.exits if isinstance(one, OnEvent) for name in one.event)
        return tuple(dict.fromkeys((*(met or ()), *left)))

    def heeds_somewhere(self) -> set[str]:
        """The types that any of its waits heeds."""
        return {name for place, one in enumerate(self.program) if isinstance(one, Pause) for name in self.heeds(place)}


class Book:
    """Rules by what sets them off, and every version by its name and number."""

    def __init__(self) -> None:
        self._changed_at: datetime | None = None
        self._kept: dict[Key, Kept] = {}
        self._by_type: Mapping[str, Sequence[tuple[InForce, Kept]]] = {}
        self._heeded: frozenset[str] = frozenset()

    async def refresh(self, connection: Connection) -> None:
        """Read again what counts, where somebody changed it."""
        changed_at = await rules.changed_at(connection)
        if changed_at == self._changed_at:
            return
        await self.learn(connection, await rules.every_version(connection))
        found = await rules.in_force(connection)
        by_type: dict[str, list[tuple[InForce, Kept]]] = defaultdict(list)
        for one in found:
            kept = self._kept[one.name, one.version]
            kept = replace(kept, rule=as_it_stands(kept.rule, on_trial=one.on_trial))
            if isinstance(kept.rule.when, OnEvent):
                for event_type in kept.rule.when.event:
                    by_type[event_type].append((one, kept))
        self._heeded = frozenset(name for kept in self._kept.values() for name in kept.heeds_somewhere())
        self._by_type, self._changed_at = by_type, changed_at

    async def learn(self, connection: Connection, versions: Collection[Key]) -> None:
        """Read these versions, where they are not known yet."""
        if new := set(versions) - self._kept.keys():
            self._kept |= {key: _kept(body) for key, body in (await rules.bodies(connection, sorted(new))).items()}

    def set_off_by(self, event_type: str) -> Sequence[tuple[InForce, Kept]]:
        """The versions in force that look at such events."""
        return self._by_type.get(event_type, ())

    def may_be_heeded(self, event_type: str) -> bool:
        """Whether somebody who waits in any version might heed such an event."""
        return event_type in self._heeded

    def __getitem__(self, key: Key) -> Kept:
        return self._kept[key]


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
    )
