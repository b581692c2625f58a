"""The funnel, who stands in one stage, and one person's way, as the command line and HTTP tell them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import orjson

from hub import clock
from hub.api import people
from hub.api.people import Moved
from hub.api.problems import NotFound
from hub.automation.funnel import Tally
from hub.automation.problems import no_such
from hub.automation.stages import Stay, history
from hub.identity.ids import as_text
from hub.storage import stages
from hub.storage.pool import Pool, reading, snapshot
from schemas.funnel import Funnel


async def report(pool: Pool, funnel: Funnel, period: timedelta) -> dict[str, Any]:
    """`hub.api.funnel_shapes.FunnelReport`. Raises Retry."""
    now = clock.now()
    tally = Tally(funnel, now - period, now)
    async with snapshot(pool) as connection:
        async for _, said in stages.everybody(connection):
            tally.add(history(said))
        profiles = await stages.profiles(connection)
    return {
        "since": clock.text(now - period),
        "until": clock.text(now),
        "stages": tally.stages(),
        "others": tally.others(),
        "without": profiles - tally.persons,
    }


async def standing(pool: Pool, funnel: Funnel, stage: str, limit: int) -> dict[str, Any]:
    """Who stands in a stage, the longest first. Raises NotFound for a stage that is not there, Retry."""
    found: list[tuple[Stay, bytes]] = []
    seen = {*funnel.stages}
    async with snapshot(pool) as connection:
        async for profile, said in stages.everybody(connection):
            last = history(said)[-1]
            seen.add(last.stage)
            if last.stage == stage:
                found.append((last, profile))
        found.sort(key=lambda one: (one[0].since, one[1]))
        lines = await stages.lines(connection, [profile for _, profile in found[:limit]])
    if stage not in seen:
        raise NotFound(no_such("stage", stage, seen), "stage")
    now = clock.now()
    persons = [_person(lines[profile], profile) | _told(one, now) for one, profile in found[:limit]]
    return {"stage": stage, "now": len(found), "profiles": persons}


async def way(pool: Pool, written: str) -> dict[str, Any]:
    """The stages of one profile; an absorbed id leads to who lives. Raises Reject for no id, NotFound, Retry."""
    try:
        told = await people.profile(pool, written)
    except Moved as moved:
        told = await people.profile(pool, as_text(moved.heir))
    async with reading(pool) as connection:
        stays = history(await stages.of(connection, told.profile))
    now = clock.now()
    return _person(told.line, told.profile) | {"stages": [{"stage": one.stage, **_told(one, now)} for one in stays]}


def _person(line: str, profile: bytes) -> dict[str, Any]:
    told = orjson.loads(line)
    words = {word: told["fields"].get(word, {}).get("value") for word in ("name", "email")}
    return {"profile_id": as_text(profile), **words, "owner": told["owner"]}


def _told(one: Stay, now: datetime) -> dict[str, Any]:
    return {
        "since": clock.text(one.since),
        "until": clock.text(one.until) if one.until else None,
        "seconds": round(one.seconds(now)),
        "by": one.by,
        "event_id": as_text(one.event),
    }
