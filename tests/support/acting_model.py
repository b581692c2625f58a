"""Rules as one plain function of what arrived, in its order: which deeds are done. No table, no worker, no lease.

Everybody here is one record, and rules ask events and counts: then nothing of it depends on who is who.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import orjson

from hub.automation.conditions import evaluate
from hub.automation.decisions import Occasion, decide, is_meant, sets_off
from hub.automation.program import Instruction, Pause, program, run
from hub.automation.view import Person, Trigger, View
from hub.automation.waiting import Hours, due, is_met
from hub.clock import parse
from hub.identity.evidence import Fact
from schemas.rules import Rule

Key = tuple[str, str, str]
"""Rule, trigger, step: a row of the ledger."""


@dataclass(frozen=True)
class Seen:
    """An event as rules see it."""

    fact: Fact

    @property
    def at(self) -> datetime:
        """When it happened."""
        return _time(self.fact.at)

    @property
    def received_at(self) -> datetime:
        """When it arrived."""
        return _time(self.fact.received_at)

    @property
    def occasion(self) -> Occasion:
        """As what it sets off rules."""
        return Occasion(self.fact.type, self.at, self.received_at)

    @property
    def trigger(self) -> Trigger:
        """What conditions ask of it."""
        return Trigger(self.fact.type, self.fact.source, orjson.loads(self.fact.payload))


def _time(written: str) -> datetime:
    found = parse(written)
    assert found is not None
    return found


def _view(at: datetime, about: Seen, shown: Seen, known: Sequence[Seen]) -> View:
    """What is seen at a time; counts leave out the event that it is about."""

    def counts(types: tuple[str, ...], since: datetime | None, until: datetime) -> int:
        return sum(
            one.fact.type in types and one.fact.event != about.fact.event
            and one.at <= until and (since is None or one.at > since)
            for one in known
        )  # fmt: skip

    return View(at, Person(), counts, event=shown.trigger)


def ledger(rules: Sequence[Rule], heard: Iterable[Fact]) -> set[Key]:
    """The keys of all that is done, once everybody's way has come to its end; a repeat is heard once."""
    people: dict[bytes, list[Seen]] = {}
    fired: dict[tuple[str, bytes], list[datetime]] = {}
    waiting: list[tuple[Rule, Seen, int, list[Seen]]] = []
    keys: set[Key] = set()
    for fact in {one.event: one for one in heard}.values():
        assert fact.who
        one, known = Seen(fact), people.setdefault(fact.who.record, [])
        known.append(one)
        for rule in (rule for rule in rules if sets_off(rule, one.occasion)):
            times = fired.setdefault((rule.name, fact.who.record), [])
            view = _view(one.at, one, one, known)
            last = min(times, key=lambda at, own=one.at: abs(own - at), default=None)  # type: ignore[misc] # of this turn
            if not decide(rule, one.occasion, view, last).fires:
                continue
            times.append(one.at)
            ran = run(program(rule), 0, view)
            keys |= {(rule.name, fact.id, act.step) for act in ran.acts}
            if ran.waits_at is not None:
                waiting.append((rule, one, ran.waits_at, known))
    return keys | {(rule.name, one.fact.id, step) for rule, one, place, known in waiting
                   for step in _onward(rule, one, place, known)}  # fmt: skip


def _onward(rule: Rule, one: Seen, place: int, known: Sequence[Seen]) -> Iterator[str]:
    """The steps that are done behind the first wait."""
    steps, since, at = program(rule), one.received_at, place
    while True:
        moment = _moment(rule, one, (steps[at], since), known)
        if moment is None:
            return
        ran = run(steps, at + 1, _view(moment, one, one, known))
        yield from (act.step for act in ran.acts)
        if ran.waits_at is None:
            return
        at, since = ran.waits_at, moment


def _moment(rule: Rule, one: Seen, rests: tuple[Instruction, datetime], known: Sequence[Seen]) -> datetime | None:
    """When a wait is over; None where the journey ends in it."""
    instruction, since = rests
    assert isinstance(instruction, Pause)
    until = due(instruction.wait, since, Hours())
    for heard in sorted(known, key=lambda seen: (seen.received_at, seen.fact.event)):
        if not since < heard.received_at <= until or heard.fact.event == one.fact.event:
            continue
        view = _view(heard.at, heard, heard, known)
        if any(is_meant(way, heard.occasion) and evaluate(way.condition, view).holds for way in rule.exits):
            return None
        if is_met(instruction.wait, heard.occasion):
            return None if instruction.wait.then == "end" else heard.received_at
    return until
