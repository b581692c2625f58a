"""Looks at profiles that nothing was heard of: what time alone changes, and everybody once for a new segment.

A timer is a moment after which the answer may be another one. Somebody leaves because they were silent, and silence
counts only when nothing that arrived before is still on the way (`consumers.tide`).
"""

from __future__ import annotations

from datetime import datetime

from consumers.book import Book
from consumers.segments import Cause, leave, look_at
from consumers.tide import Tide
from hub.automation.segments import TIME
from hub.storage import automation, erasure, rules, segment_checks
from hub.storage.pool import Connection, Pool, reading, transaction
from hub.storage.segment_checks import LEASES

LEASE_SECONDS = 30.0
SLICE = 500
"""Profiles that are looked at in one transaction, when a segment is new."""


class Looks:
    """The worker beside that of the journeys; several share the work."""

    def __init__(self, pool: Pool, tide: Tide) -> None:
        self._pool = pool
        self._tide = tide
        self._book = Book()
        self._settled_at: datetime | None = None
        self._is_asked = False

    async def turn(self) -> int:
        """One round; says how much there was to do, 0 where nothing is due. Raises Retry."""
        moved = await self._anew()
        return moved + await self._due() if self._is_asked else moved

    async def _anew(self) -> int:
        """Whatever segments that were taken over, changed or retired ask for; nothing, once that is done."""
        async with reading(self._pool) as connection:
            changed_at = await rules.changed_at(connection)
        if changed_at == self._settled_at:
            return 0
        moved = await self._new() + await self._retired()
        async with reading(self._pool) as connection:
            await self._book.refresh(connection)
            self._is_asked = bool(self._book.segments)
            if await segment_checks.is_settled(connection):
                self._settled_at = changed_at
        return moved

    async def is_held_up(self) -> bool:
        """Whether a look waits for nothing but the tide. Raises Retry."""
        if not self._is_asked:
            return False
        async with reading(self._pool) as connection:
            return await segment_checks.held_up(connection, self._tide.past)

    async def until_due(self, at_most: float) -> float:
        """Seconds until the next look. Raises Retry."""
        if not self._is_asked:
            return at_most
        async with reading(self._pool) as connection:
            return await segment_checks.next_due(connection, at_most)

    async def _due(self) -> int:
        """Timers that have run out."""
        async with transaction(self._pool) as connection:
            leases = await segment_checks.take(connection, self._tide.past, LEASE_SECONDS)
        if leases:
            async with transaction(self._pool) as connection:
                await erasure.enter(connection)
                await automation.one_by_one(connection, [one.id for one in leases])
                held = await LEASES.hold(connection, leases)
                due = await segment_checks.due(connection, held)
                await self._look(connection, {one.profile: Cause(one.because, one.until) for one in due})
        return len(leases)

    async def _new(self) -> int:
        """A slice of everybody, for a segment that was taken over or changed; the slice counts as well.

        Whoever of them was to be looked at before comes first: that look waits for the tide, and this one does not.
        """
        async with transaction(self._pool) as connection:
            await segment_checks.begin(connection)
            at = await segment_checks.unfinished(connection)
            if at is None:
                return 0
            await erasure.enter(connection)
            profiles = await segment_checks.behind(connection, at.upto, SLICE)
            await automation.one_by_one(connection, profiles)
            if await segment_checks.is_late(connection, profiles, at.since):
                return 0
            await self._look(connection, dict.fromkeys(profiles, Cause(TIME, at.since)))
            # Whoever comes later behind the last of them is new, and looked at when they are heard of.
            await segment_checks.went(connection, at.segment, profiles[-1] if len(profiles) == SLICE else None)
            return len(profiles) + 1

    async def _retired(self) -> int:
        """Some of those who are in a segment that counts no more."""
        async with transaction(self._pool) as connection:
            gone = await segment_checks.retired(connection, SLICE)
            if gone is None:
                return 0
            await erasure.enter(connection)
            if gone.members:
                await leave(connection, (gone.segment, gone.version), gone.members, gone.since)
            else:
                await segment_checks.end(connection, gone.segment)
            return len(gone.members)

    async def _look(self, connection: Connection, causes: dict[bytes, Cause]) -> None:
        """The caller keeps everybody else from them."""
        if causes:
            await self._book.refresh(connection)
            await look_at(connection, self._book.segments, causes)
