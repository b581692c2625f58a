"""The one place that asks the machine what time it is, and the one text form of time.

Times travel as text of fixed width in UTC, `2026-11-22T08:15:30.123Z`: as text they sort as they do as times.
"""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta
from functools import lru_cache

EARLIEST = timedelta(days=5 * 366)
LATEST = timedelta(minutes=5)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
WIDTH = len("2026-11-22T08:15:30.123Z")


def now() -> datetime:
    """The time of this machine, in UTC."""
    return datetime.now(UTC)


def monotonic() -> float:
    """Seconds on a clock that never goes back; for waiting, never for state."""
    return time.monotonic()


async def pause(stop: asyncio.Event, seconds: float) -> None:
    """Wait so long, or less where the process is to stop."""
    if seconds <= 0:
        return
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        return


def text(at: datetime) -> str:
    """A time as text of fixed width: UTC, milliseconds, `Z`."""
    at = at.astimezone(UTC)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z"


def from_milliseconds(milliseconds: int) -> str:
    """Milliseconds since 1970 (a Kafka timestamp) as text."""
    seconds, rest = divmod(milliseconds, 1000)
    return f"{_second(seconds)}.{rest:03d}Z"


def from_seconds(seconds: int) -> datetime:
    """Seconds since 1970 (what most tools call a time stamp)."""
    return datetime.fromtimestamp(seconds, UTC)


@lru_cache(maxsize=4096)
def _second(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}"


@lru_cache(maxsize=65536)
def parse(written: str) -> datetime | None:
    """An RFC 3339 time (an ISO 8601 one with an offset as well), or None where it is none. No offset means UTC."""
    try:
        at = datetime.fromisoformat(written.strip())
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def event_time(written: str | None, received: str) -> str:
    """When it happened: as its source wrote it, kept between five years before and five minutes after its arrival.

    Absent or unreadable: the arrival (design §4, clamp of identity §3.1).
    """
    at = parse(written) if written else None
    arrival = parse(received) if at else None
    if at is None or arrival is None:
        return received
    return text(min(max(at, arrival - EARLIEST), arrival + LATEST))


def is_text(written: str) -> bool:
    """Whether it is a time in the one text form of this module."""
    return len(written) == WIDTH and written[-1] == "Z" and parse(written) is not None
