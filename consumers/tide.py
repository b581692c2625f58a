"""Up to when everything that arrived was heard of by the rules: only so far may the silence of somebody be believed.

What arrives lies on the inbound topics, becomes part of profiles, waits in the outbox, lies on `activities`, is heard.
The tide marks where the logs end at a moment, and follows that mark through the house. When the group `automation` is
past it, nothing that arrived before that moment is still on the way.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Protocol

from consumers import profiles
from hub.storage import tides
from hub.storage.offsets import Place, reached
from hub.storage.pool import Connection
from schemas.topics import ACTIVITIES, INBOUND

GROUP = "automation"
LONGEST_ACCEPTED = timedelta(seconds=10)
"""An edge stamps an event first, and gives up putting it on its topic after that long."""
SHORTEST = timedelta(seconds=1)
Spans = Mapping[Place, tuple[int, int]]
"""Partition → its first offset, and the one behind its last record."""


class Logs(Protocol):
    """Where logs begin and end: `hub.streams.ends.Ends`."""

    async def of(self, topics: list[str]) -> Spans:
        """Of every partition of these topics. Raises Retry."""


class Tide:
    """`past`: everything that arrived before was heard of. `prefix` is Kafka's, `scale` that of waits."""

    def __init__(self, prefix: str = "", scale: float = 1.0) -> None:
        self.past = datetime.min.replace(tzinfo=UTC)
        self._prefix = prefix
        self._margin = max(SHORTEST, LONGEST_ACCEPTED * scale)
        self._at: datetime | None = None
        self._inbound: Spans | None = None
        self._aside: datetime | None = None
        self._newest: int | None = None
        self._activities: Spans | None = None

    async def rise(self, connection: Connection, logs: Logs) -> bool:
        """Follow the mark as far as it has come; says whether it came through. Raises Retry."""
        if self._at is None or self._inbound is None:
            self._at = await tides.now(connection)
            self._inbound = await logs.of([topic.name for topic in INBOUND])
        if self._activities is None and not await self._told(connection, self._inbound):
            return False
        if self._activities is None:
            self._activities = await logs.of([ACTIVITIES.name])
        if not await self._is_past(connection, GROUP, self._activities):
            return False
        self.past = max(self.past, self._at - self._margin)
        self._at = self._inbound = self._aside = self._newest = self._activities = None
        return True

    async def _told(self, connection: Connection, inbound: Spans) -> bool:
        """Whether everything before the mark is part of profiles, and told on `activities`."""
        if self._aside is None:
            if not await self._is_past(connection, profiles.GROUP, inbound):
                return False
            self._aside = await tides.now(connection)
        if self._newest is None:
            if await tides.put_aside_before(connection, self._aside):
                return False
            self._newest = await tides.newest_message(connection)
        return not await tides.waits_in_outbox(connection, self._newest)

    async def _is_past(self, connection: Connection, group: str, ends: Spans) -> bool:
        found = await reached(connection, self._prefix + group, {topic for topic, _ in ends})
        return all(max(found.get(place, 0), begin) >= end for place, (begin, end) in ends.items())
