"""Automation: the topic `activities` → who is in which segment, which rules fire, what is done at once, and who waits.

It reads what profiles came to and writes decisions, journeys and deeds; what a rule sets on a profile is an event on
`inbound.hub`, for the one writer of profiles (design §2).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

import orjson

from consumers import segments
from consumers.book import Book, Kept
from consumers.doing import Deed, deeds, do
from consumers.hearing import Became, Heard, hear
from consumers.sights import Look, Sights, person
from consumers.ways import Manner, outcome, rest
from hub.automation.conditions import Outcome
from hub.automation.decisions import Decision, Verdict, decide
from hub.automation.problems import path
from hub.automation.program import run
from hub.automation.view import Trigger
from hub.components import Hints, Record
from hub.identity.ids import as_text, hash_id
from hub.storage import automation, erasure, journeys
from hub.storage.automation import Decided, Firings, Whose
from hub.storage.journeys import Begun, Rest
from hub.storage.pool import Connection
from hub.storage.rules import InForce
from schemas.topics import ACTIVITIES

GROUP = "automation"


class _Case(NamedTuple):
    """A rule's version that looks at an event."""

    heard: Heard
    whose: Whose
    stands: InForce
    kept: Kept
    look: Look


class Automation:
    """The `hub.components.Work` of the group `automation`."""

    group = GROUP
    topics: tuple[str, ...] = (ACTIVITIES.name,)

    def __init__(self, hints: Hints, manner: Manner) -> None:
        self._hints = hints
        self._manner = manner
        self._book = Book()

    def read(self, record: Record) -> Heard | Became | None:
        """One record, decoded; None where it is nothing to rules and segments. Raises Unreadable."""
        return hear(record)

    async def write(self, transaction: Connection, items: Sequence[Heard | Became | None]) -> None:
        """Who is in which segment now? Rouse who waits for these events; decide what they set off, and begin it."""
        told = [one for one in items if one is not None]
        if not told:
            return
        await self._book.refresh(transaction)
        heard = {one.event: one for one in told if isinstance(one, Heard) and not one.by_rule}
        heeded = {one.event for one in heard.values() if self._book.may_be_heeded(one.type)}
        became = {each for one in told if isinstance(one, Became) for each in one.profiles}
        sets_off = any(self._book.set_off_by(one.type, one.subject) for one in heard.values())
        if not (self._book.segments or heeded or became or sets_off):
            return
        await erasure.enter(transaction)
        if heeded or became:  # first: whoever walks on holds journeys, and waits for profiles
            await journeys.rouse(transaction, heeded, became)
        held = await segments.follow(transaction, self._book, told) if self._book.segments else None
        cases = await self._cases(transaction, heard, held)
        if cases:
            await self._begin(transaction, *await _decided(transaction, cases))

    def committed(self) -> None:
        """Wake the relay, for what was said, and whoever looks after journeys."""
        self._hints.wake("outbox")
        self._hints.wake("journeys")
        self._hints.wake("mails")
        self._hints.wake("deliveries")

    async def _cases(
        self, connection: Connection, heard: Mapping[bytes, Heard], held: Mapping[bytes, Whose] | None
    ) -> list[_Case]:
        """Every rule's version that has yet to decide about one of these events.

        Whom something happens to only once, or whom a rule may write to, is ours alone: see `consumers.budgets`.
        `held` are whom the events are about, where all of them are ours already.
        """
        found = [
            (one, stands, kept)
            for one in heard.values()
            for stands, kept in self._book.set_off_by(one.type, one.subject)
            if one.received_at > stands.since
        ]
        if not found:
            return []
        before = await automation.decided(connection, {one.event for one, _, _ in found})
        found = [(one, stands, kept) for one, stands, kept in found if _undecided(one, stands, before)]
        asking = {one.event for one, _, kept in found if kept.rule.again != "always" or kept.writes}
        events = {one.event for one, _, _ in found}
        whose = await automation.alone_with(connection, events, asking) if held is None else held
        looks = {event: _look(heard[event], whose[event]) for event in events if event in whose}
        return [
            _Case(one, whose[one.event], stands, kept, looks[one.event])
            for one, stands, kept in found
            if one.event in whose
        ]

    async def _begin(self, connection: Connection, fired: Sequence[_Case], sights: Sights) -> None:
        """Journeys for what fired, and what is done at once. Whatever began before does nothing."""
        begun: list[Begun] = []
        wanted: dict[bytes, list[Deed]] = {}
        for case in fired:
            since, stands = case.heard.received_at, case.stands
            ran = run(case.kept.program, 0, sights.view(case.look))
            waits = rest(case.kept, ran, since, self._manner.hours(case.look.person))
            begun.append(_begun(case, waits, outcome(ran) if waits is None else None))
            own = deeds((stands.name, stands.version), case.look, case.whose.record, ran.acts, since)
            wanted[begun[-1].id] = list(own)
        if begun:
            new = await journeys.begin(connection, begun)
            await do(connection, [one for journey in begun if journey.id in new for one in wanted[journey.id]],
                     self._manner)  # fmt: skip


def _undecided(one: Heard, stands: InForce, before: Collection[tuple[bytes, str, int | None]]) -> bool:
    """A version decides once: what it looked at on trial is past when it is switched. Of live ones one decides."""
    if (one.event, stands.name, stands.version) in before:
        return False
    return stands.on_trial or (one.event, stands.name, None) not in before


def _look(one: Heard, whose: Whose) -> Look:
    trigger = Trigger(one.type, one.source, one.told)
    return Look(whose.profile, person(whose.line), one.at, one.event, trigger, one.hops, one.origin)


async def _decided(connection: Connection, cases: Sequence[_Case]) -> tuple[list[_Case], Sights]:
    """What the rules say, written down; gives those that fire, in the order of the events."""
    sights = Sights()
    for case in cases:
        sights.ask(case.look, case.kept.asks)
    await sights.answer(connection)
    firings = await _firings(connection, cases)
    rows, fired = [], []
    for case in cases:
        decision = _decision(case, sights, firings)
        rows.append(_row(case, decision))
        if decision.verdict in {Verdict.FIRED, Verdict.TRIAL}:
            firings.setdefault(_place(case), []).append(case.heard.at)
        if decision.fires:
            fired.append(case)
    await automation.write_decisions(connection, rows)
    return fired, sights


async def _firings(connection: Connection, cases: Sequence[_Case]) -> Firings:
    """When the rules that ask for it fired before. Nobody else decides about the same profiles meanwhile."""
    asking = [case for case in cases if case.kept.rule.again != "always"]
    if not asking:
        return {}
    profiles = {case.whose.profile for case in asking}
    return await automation.fired(connection, {case.stands.name for case in asking}, profiles)


def _place(case: _Case) -> tuple[str, bool, bytes]:
    return case.stands.name, case.stands.on_trial, case.whose.profile


def _decision(case: _Case, sights: Sights, firings: Firings) -> Decision:
    one = case.heard
    times = firings.get(_place(case), ())
    last = min(times, key=lambda at: abs(one.at - at), default=None)
    return decide(case.kept.rule, one.occasion, sights.view(case.look), last)


def _row(case: _Case, decision: Decision) -> Decided:
    stands = case.stands
    return Decided(case.heard.event, stands.name, stands.version, case.whose.record, decision.verdict.value,
                   decision.reason, orjson.dumps(seen(decision.outcome)).decode(), stands.on_trial)  # fmt: skip


def seen(found: Outcome) -> list[dict[str, Any]]:
    """The values that were seen, as they are kept."""
    return [
        {"place": path(one.place), "asked": one.asked, "value": one.value, "truth": one.truth.value}
        | ({"reason": one.reason} if one.reason else {})
        for one in found.seen
    ]


def _begun(case: _Case, waits: Rest | None, ended: str | None) -> Begun:
    one, rule = case.heard, case.stands.name
    occasion: dict[str, Any] = {"type": one.type, "source": one.source, "data": case.look.trigger.data}
    if one.hops or one.origin:
        occasion |= {"hops": one.hops, "origin": one.origin}
    journey = hash_id("journey", rule, as_text(one.event))
    told = orjson.dumps(occasion).decode()
    return Begun(journey, rule, case.stands.version, one.event, case.whose.record, told, one.at, waits, ended)
