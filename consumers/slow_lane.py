"""The slow lane: what takes more than a batch may. Erasures, one by one; and events about groups that are too large.

A stranger who posts ten thousand names under one address makes such a group. Its events wait here, one process at a
time takes what has gathered, and everybody else's go on. Who is who is a function of the set: later changes nothing.
"""

from __future__ import annotations

import asyncio

import structlog

from consumers.profiles import Profiles
from hub import clock
from hub.errors import Retry
from hub.storage import slow_lane
from hub.storage.pool import Pool, transaction

MOST = 1000
POLL_SECONDS, LONGEST_PAUSE = 0.5, 30.0
_log = structlog.get_logger("consumers.slow_lane")


async def run(pool: Pool, room: Profiles, stop: asyncio.Event) -> None:
    """Work off the lane until `stop`. What fails is tried again, in ever smaller parts, behind what does not."""
    most, rest = MOST, POLL_SECONDS
    while not stop.is_set():
        try:
            written = await once(pool, room, most)
        except Retry as error:
            _log.warning("slow_lane_retry", error=str(error))
            written, rest = 0, min(rest * 2, LONGEST_PAUSE)
        except Exception:  # noqa: BLE001 - one event that breaks must not keep all others waiting
            _log.exception("slow_lane_failed", events=most)
            await _put_back(pool, most)
            written, most, rest = 0, max(1, most // 2), min(rest * 2, LONGEST_PAUSE)
        else:
            most, rest = min(MOST, most * 2), POLL_SECONDS
        if not written:
            await clock.pause(stop, rest)


async def once(pool: Pool, room: Profiles, most: int = MOST) -> int:
    """Write the oldest facts of the lane; gives their number. Raises Retry."""
    async with transaction(pool) as connection:
        facts = await slow_lane.take(connection, most)
        erasures = [fact for fact in facts if fact.erasure][:1]
        if erasures:
            facts = erasures
            await room.erase(connection, facts[0])
        elif facts:
            await room.write_all(connection, facts)
        if facts:
            await slow_lane.done(connection, facts)
    if facts:
        room.committed()
    return len(facts)


async def _put_back(pool: Pool, most: int) -> None:
    """Let others go before those that failed."""
    try:
        async with transaction(pool) as connection:
            await slow_lane.failed(connection, await slow_lane.take(connection, most))
    except Retry as error:
        _log.warning("slow_lane_retry", error=str(error))
