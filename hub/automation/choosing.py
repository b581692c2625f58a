"""Who of a team is given a customer. Pure: whose turn it is, and how much each has, are values that are given."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from hub.tables import Colleague, Member

Crew = Sequence[Colleague]


def is_on_duty(member: Member, at: datetime, zone: ZoneInfo) -> bool:
    """Whether somebody is at work at a time; `zone` is that of whoever has none. Hours over midnight are of the day on
    which they begin.
    """
    local = at.astimezone(member.zone or zone)
    day, now = local.weekday(), local.time()
    if member.hours is None:
        return day in member.days
    over_midnight = member.hours.begins > member.hours.ends and now < member.hours.ends
    return member.hours.holds(now) and (day - over_midnight) % 7 in member.days


def of_all(crew: Crew) -> list[str]:
    """In turn: all; who is at work comes before who is not."""
    return [one.address for one in _present(crew)]


def of_territory(crew: Crew, country: str | None) -> list[str]:
    """In turn among whoever looks after that country; nobody does: among those who look after none in particular; there
    is no such: among all. At work or not comes second, so a customer never leaves the territory.
    """
    wanted = (country or "").strip().casefold()
    theirs = [one for one in crew if wanted and wanted in {place.strip().casefold() for place in one.territory}]
    return of_all(theirs or [one for one in crew if not one.territory] or crew)


def of_room(crew: Crew) -> list[str]:
    """The one with the most room left, at work before not; nobody where all are full.

    Without a capacity there is room without end: of several such, whoever has the fewest. The first of the team wins
    where it is all the same.
    """
    free = _present([one for one in crew if one.capacity is None or one.owned < one.capacity])
    return [min(free, key=_fullness).address] if free else []


def _present(crew: Crew) -> Crew:
    return [one for one in crew if one.on_duty] or crew


def _fullness(one: Colleague) -> tuple[bool, int]:
    return (False, one.owned) if one.capacity is None else (True, one.owned - one.capacity)
