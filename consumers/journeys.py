"""Journeys: whoever waits in a rule goes on when the wait is over, or when something is heard that ends it.

A wait lasts from one time to another, and what ends it is looked for among what arrived in between, in that order: so
it does not matter when or in which order the house heard of it. A wait that heeds something is over only when nothing
that arrived in time is still on the way (`consumers.tide`).
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from contextlib import AsyncExitStack
from datetime import datetime
from typing import NamedTuple

import orjson
import structlog

from consumers.book import Book, Kept
from consumers.doing import Deed, deeds, do
from consumers.looks import Looks
from consumers.sights import Look, Sights, person
from consumers.tide import Logs, Tide
from consumers.ways import Manner, outcome, rest
from hub import clock
from hub.automation.conditions import evaluate
from hub.automation.decisions import Occasion, is_meant
from hub.automation.program import Pause, run
from hub.automation.segments import occasion as occasion_of
from hub.automation.view import Person, Trigger
from hub.automation.waiting import is_met
from hub.components import Hints
from hub.crashpoints import crash_here
from hub.errors import Retry
from hub.settings import Kafka
from hub.storage import erasure, journeys, segment_checks
from hub.storage.journeys import LEASES, Heard, Moved, Rest, Waiting
from hub.storage.pool import Connection, Pool, reading, transaction
from hub.streams.ends import open_ends
from schemas.rules import span

LEASE_SECONDS = 30.0
POLL_SECONDS, IDLE_SECONDS = 0.25, 1.0
_log = structlog.get_logger("hub.journeys")


async def run_journeys(pool: Pool, kafka: Kafka, manner: Manner, hints: Hints, stop: asyncio.Event) -> None:
    """Look after everybody who waits until `stop`, and after segments. A broker or database that is away is waited for.

    Segments come first: who left one because of time may end a journey by it.
    """
    tide = Tide(kafka.prefix, manner.scale)
    looks, walker = Looks(pool, tide), Walker(pool, manner, tide)
    async with AsyncExitStack() as line:
        logs: Logs | None = None
        while not stop.is_set():
            try:
                moved = await looks.turn() + await walker.turn()
                if moved:
                    hints.wake("outbox")
                    hints.wake("mails")
                    hints.wake("deliveries")
                elif await looks.is_held_up() or await walker.is_held_up():
                    if logs is None:
                        logs = await line.enter_async_context(open_ends(kafka))
                    await walker.follow(logs)
                    await clock.pause(stop, POLL_SECONDS)
                else:
                    await hints.wait("journeys", await looks.until_due(await walker.until_due()))
            except Retry as error:
                _log.warning("journeys_wait", error=str(error))
                await line.aclose()
                logs = None
                await clock.pause(stop, error.after or IDLE_SECONDS)


class Walker:
    """Takes journeys that are due and brings each to its next wait, or to its end.

    Silence has to hold for segments as well: whoever leaves one by time left it when that was due, however late it is
    looked at.
    """

    def __init__(self, pool: Pool, manner: Manner, tide: Tide) -> None:
        self._pool = pool
        self._manner = manner
        self._tide = tide
        self._book = Book()

    async def turn(self) -> int:
        """One round; says how many were looked at. Raises Retry."""
        async with transaction(self._pool) as connection:
            tide = await segment_checks.silent_until(connection, self._tide.past)
            leases = await journeys.take(connection, tide, LEASE_SECONDS)
        if leases:
            crash_here("after_journeys_taken")
            async with transaction(self._pool) as connection:
                await erasure.enter(connection)
                held = await LEASES.hold(connection, leases)
                await self._advance(connection, held, tide)
        return len(leases)

    async def is_held_up(self) -> bool:
        """Whether somebody waits for nothing but the tide. Raises Retry."""
        async with reading(self._pool) as connection:
            return await journeys.held_up(connection, self._tide.past)

    async def follow(self, logs: Logs) -> bool:
        """Let the tide rise; says whether it did. Raises Retry."""
        async with reading(self._pool) as connection:
            return await self._tide.rise(connection, logs)

    async def until_due(self) -> float:
        """Seconds until the next look. Raises Retry."""
        async with reading(self._pool) as connection:
            return max(0.005, await journeys.next_due(connection, IDLE_SECONDS))

    async def _advance(self, connection: Connection, held: Collection[bytes], tide: datetime) -> None:
        """What becomes of these, and what is done: in one transaction."""
        waiting = await journeys.load(connection, held)
        if not waiting:
            return
        await self._book.learn(connection, {(one.rule, one.version) for one in waiting})
        places = await self._places(connection, waiting)
        sights = Sights()
        for place in places:
            place.ask(sights)
        await sights.answer(connection)
        onward = [place.onward(sights, self._manner, tide) for place in places]
        await journeys.move(connection, [moved for moved, _ in onward])
        await do(connection, [deed for _, own in onward for deed in own], self._manner)

    async def _places(self, connection: Connection, waiting: Sequence[Waiting]) -> list[Place]:
        """Where everybody is, with what they heard there."""
        heard: dict[bytes, list[Heard]] = defaultdict(list)
        for one in await journeys.heard(connection, [one.id for one in waiting if one.heeds]):
            heard[one.journey].append(one)
        kept = {one.id: self._book[one.rule, one.version] for one in waiting}
        asking = [one.id for one in waiting if kept[one.id].rule.again != "always"]
        earlier = await journeys.earlier(connection, asking) if asking else {}
        return [Place(one, kept[one.id], heard[one.id], _is_second(one, kept[one.id], earlier)) for one in waiting]


def _is_second(one: Waiting, kept: Kept, earlier: Mapping[bytes, Sequence[datetime]]) -> bool:
    """Whether the same person began the same journey before: a merge brought the two together."""
    again, times = kept.rule.again, earlier.get(one.id, ())
    return any(again == "once" or abs(one.happened_at - at) < span(again) for at in times)


class Place(NamedTuple):
    """Where a journey waits, and everything that decides how it goes on."""

    journey: Waiting
    kept: Kept
    heard: Sequence[Heard]
    is_second: bool

    def ask(self, sights: Sights) -> None:
        """The counts that may be wanted: at the events that were heard, and wherever the journey may go on."""
        for one in self.heard:
            sights.ask(self._at_event(one), self.kept.asks_at_exits)
        for moment in (self.journey.until, *(one.received_at for one in self.heard)):
            sights.ask(self._at(moment), self.kept.asks)

    def onward(self, sights: Sights, manner: Manner, tide: datetime) -> tuple[Moved, list[Deed]]:
        """What becomes of the journey, and what is done on the way."""
        journey = self.journey
        if journey.profile is None:
            return self._ends("nobody is left"), []
        for one in self.heard:
            occasion = occasion_of(one.type, one.at, one.received_at, orjson.loads(one.data))
            if self._leaves(occasion, one, sights):
                return self._ends(f"left at {one.type}"), []
            if is_met(self._wait.wait, occasion):
                if self._wait.wait.then == "end":
                    return self._ends(f"ended by {one.type}"), []
                return self._goes_on_once(one.received_at, sights, manner)
        if journey.is_over and (not journey.heeds or journey.until <= tide):
            moved, own = self._goes_on_once(journey.until, sights, manner)
            return moved._replace(in_silence=bool(journey.heeds)), own
        return Moved(journey.id, self._rest, None, is_new=False), []

    @property
    def _wait(self) -> Pause:
        instruction = self.kept.program[self.journey.place]
        if not isinstance(instruction, Pause):
            raise TypeError(f"instruction {self.journey.place} of {self.journey.rule} is no wait")
        return instruction

    @property
    def _rest(self) -> Rest:
        return Rest(self.journey.place, self.journey.since, self.journey.until, tuple(self.journey.heeds))

    @property
    def _person(self) -> Person:
        return person(self.journey.line)

    def _at_event(self, one: Heard) -> Look:
        trigger = Trigger(one.type, one.source, orjson.loads(one.data))
        return Look(self.journey.profile or b"", self._person, one.at, one.event, trigger)

    def _at(self, moment: datetime) -> Look:
        told = orjson.loads(self.journey.occasion)
        trigger = Trigger(told["type"], told["source"], told["data"])
        passed = told.get("hops", 0), told.get("origin", "")
        return Look(self.journey.profile or b"", self._person, moment, self.journey.event, trigger, *passed)

    def _leaves(self, occasion: Occasion, one: Heard, sights: Sights) -> bool:
        meant = [leaving for leaving in self.kept.rule.exits if is_meant(leaving, occasion)]
        return any(evaluate(leaving.condition, sights.view(self._at_event(one))).holds for leaving in meant)

    def _ends(self, why: str) -> Moved:
        return Moved(self.journey.id, None, why)

    def _goes_on_once(self, since: datetime, sights: Sights, manner: Manner) -> tuple[Moved, list[Deed]]:
        """As `_goes_on`. Only now it matters whether a merge brought two together: a split may come before."""
        if self.is_second:
            return self._ends("the same customer is on this way already"), []
        return self._goes_on(since, sights, manner)

    def _goes_on(self, since: datetime, sights: Sights, manner: Manner) -> tuple[Moved, list[Deed]]:
        """From behind the wait, which was over at that time."""
        journey = self.journey
        look = self._at(since)
        ran = run(self.kept.program, journey.place + 1, sights.view(look))
        waits = rest(self.kept, ran, since, manner.hours(look.person))
        own = deeds((journey.rule, journey.version), look, journey.record, ran.acts, since)
        return Moved(journey.id, waits, outcome(ran) if waits is None else None), list(own)
