"""When a wait is over. Pure: the time from which it counts is given, nothing asks the clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from hub.automation.decisions import Occasion
from hub.tables import NIGHT, Span
from schemas.rules import Wait, span

UTC = ZoneInfo("UTC")


@dataclass(frozen=True, slots=True)
class Hours:
    """The customer's zone, and the quiet hours in which nobody is written to.

    `scale` shortens every wait: 1.0 is life, 5 / 86400 makes a day five seconds. A moment of the day is then as good as
    now, for a day in which a moment could be met has no length.
    """

    zone: ZoneInfo = UTC
    quiet: Span = NIGHT
    scale: float = 1.0


def zone(written: str | None, otherwise: ZoneInfo = UTC) -> ZoneInfo:
    """The zone of a name as `Europe/Berlin`; one that nobody knows is the other one."""
    return _zone(written) or otherwise if written else otherwise


@lru_cache(maxsize=1024)
def _zone(written: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(written)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def due(wait: Wait, since: datetime, hours: Hours) -> datetime:
    """When it is over by itself: after its time, at its moment, or with the timeout of the event that it waits for."""
    if wait.until is not None:
        return moment(time.fromisoformat(wait.until), since, hours) if hours.scale == 1.0 else since
    lasting = wait.for_ or wait.timeout
    return since + span(lasting) * hours.scale if lasting else since


def moment(wanted: time, since: datetime, hours: Hours) -> datetime:
    """The next time of this day's hour in the customer's zone; one within the quiet hours is moved to their end.

    A clock that is put forward has no 02:30 on that day: it is 03:30 then. One that is put back has it twice: the first
    counts. So every moment comes exactly once a day.
    """
    wanted = hours.quiet.ends if hours.quiet.holds(wanted) else wanted
    local = since.astimezone(hours.zone)
    found = datetime.combine(local.date(), wanted, hours.zone)
    if found.astimezone(UTC) < since.astimezone(UTC):
        found = datetime.combine(local.date() + timedelta(days=1), wanted, hours.zone)
    return found.astimezone(UTC)


def is_met(wait: Wait, occasion: Occasion) -> bool:
    """Whether an event is what a journey waits for."""
    return wait.event is not None and occasion.type in wait.event
