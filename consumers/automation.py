"""Automation: the topic `activities` → who is in which segment, which rules fire, what is done at once, and who waits.

It reads what profiles came to and writes decisions, journeys and deeds; what a rule sets on a profile is an event on
`inbound.hub`, for the one writer of profiles (design §2).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import orjson

from consumers import segments
from consumers.book import Book, Kept
from consumers.doing import Deed, deeds, do
from consumers.hearing import Became, Heard, hear
from consumers.sights import Look, Sights, person
from consumers.ways import Manner, outcome, rest
from hub.automation.conditions import Outcome, Truth, evaluate
from hub.automation.decisions import Decision, Verdict, judged, refusal
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
from hub.streams.pace import Sip
from schemas.topics import ACTIVITIES

GROUP = "automation"
SIP = Sip(500, 0.15)
"""A decision costs more round trips than a profile, and nobody waits for it as for an answer."""


_Key = tuple[bytes, str, int]
"""Event, rule, version."""


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
            await self._begin(transaction, *await _decided(transaction, cases, are_ours=held is not None))

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
        events = {one.event for one, _, _ in found}
        whose = await automation.whose(connection, events) if held is None and events else held or {}
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


async def _decided(connection: Connection, cases: Sequence[_Case], *, are_ours: bool) -> tuple[list[_Case], Sights]:
    """What the rules say, written down; gives those that fire, in the order of the events.

    Whom something happens to only once, or whom a rule may write to, has to be ours alone (see `consumers.budgets`): of
    whom the conditions hold, they are asked again behind the locks, as whoever they are then.
    """
    sights = Sights()
    refused = {_key(case): no for case in cases if (no := refusal(case.kept.rule, case.heard.occasion))}
    outcomes = await _outcomes(connection, sights, [case for case in cases if _key(case) not in refused])
    if not are_ours and (asking := {_key(case) for case in cases if _holds(case, outcomes) and _is_for_one(case)}):
        cases, sights = await _alone(connection, cases, asking), Sights()
        outcomes |= await _outcomes(connection, sights, [case for case in cases if _key(case) in asking])
    firings = await _firings(connection, [case for case in cases if _holds(case, outcomes)])
    rows, fired = [], []
    for case in cases:
        no, one = refused.get(_key(case)), case.heard.occasion
        decision = no or judged(case.kept.rule, one, outcomes[_key(case)], _last(case, firings))
        rows.append(_row(case, decision))
        if decision.verdict in {Verdict.FIRED, Verdict.TRIAL}:
            firings.setdefault(_place(case), []).append(case.heard.at)
        if decision.fires:
            fired.append(case)
    await automation.write_decisions(connection, rows)
    for case in fired:
        sights.ask(case.look, case.kept.asks)
    await sights.answer(connection)
    return fired, sights


def _is_for_one(case: _Case) -> bool:
    """Whether nobody else may decide about the same person meanwhile."""
    return case.kept.rule.again != "always" or case.kept.writes


async def _alone(connection: Connection, cases: Sequence[_Case], asking: Collection[_Key]) -> list[_Case]:
    """The cases, those `asking` about whom they are behind the locks; one that is nobody's any more is left out."""
    events = {event for event, _, _ in asking}
    whose = await automation.alone_with(connection, events)
    return [
        case._replace(whose=own, look=_look(case.heard, own)) if (own := whose.get(case.heard.event)) else case
        for case in cases
        if _key(case) not in asking or case.heard.event in whose
    ]


async def _outcomes(connection: Connection, sights: Sights, cases: Sequence[_Case]) -> dict[_Key, Outcome]:
    """What the conditions come to. Only where a count makes a difference it is made."""
    for case in cases:
        if case.kept.asks_segments:
            sights.ask_segments(case.look)
    await sights.answer(connection)
    found = {_key(case): evaluate(case.kept.rule.condition, sights.view(case.look)) for case in cases}
    open_ = [case for case in cases if found[_key(case)].truth is Truth.UNKNOWN]
    for case in open_:
        sights.ask(case.look, [case.kept.rule.condition])
    await sights.answer(connection)
    return found | {_key(case): evaluate(case.kept.rule.condition, sights.view(case.look)) for case in open_}


def _key(case: _Case) -> _Key:
    return case.heard.event, case.stands.name, case.stands.version


def _holds(case: _Case, outcomes: Mapping[_Key, Outcome]) -> bool:
    found = outcomes.get(_key(case))
    return found is not None and found.holds


async def _firings(connection: Connection, cases: Sequence[_Case]) -> Firings:
    """When the rules that ask for it fired before. Nobody else decides about the same profiles meanwhile."""
    asking = [case for case in cases if case.kept.rule.again != "always"]
    if not asking:
        return {}
    profiles = {case.whose.profile for case in asking}
    return await automation.fired(connection, {case.stands.name for case in asking}, profiles)


def _place(case: _Case) -> tuple[str, bool, bytes]:
    return case.stands.name, case.stands.on_trial, case.whose.profile


def _last(case: _Case, firings: Firings) -> datetime | None:
    """The time nearest to the event's for which the rule fired."""
    return min(firings.get(_place(case), ()), key=lambda at: abs(case.heard.at - at), default=None)


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
