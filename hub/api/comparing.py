"""A version on trial beside the live one, as the command line and HTTP tell it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import orjson

from hub import clock
from hub.api.problems import NotFound
from hub.automation.compare import Stand, Summary, different, differing, sentence, summary, treated
from hub.automation.plan import same_steps
from hub.automation.problems import no_such
from hub.identity.ids import as_text
from hub.storage import comparing
from hub.storage.comparing import Decided, Side, Tried, Window
from hub.storage.pool import Connection, Pool, snapshot


async def compared(pool: Pool, name: str, period: timedelta, limit: int) -> dict[str, Any]:
    """`hub.api.comparing_shapes.Comparison`. Raises NotFound without such a rule or a version on trial, Retry."""
    since = clock.now() - period
    async with snapshot(pool) as connection:
        one = await _tried(connection, name)
        window = Window(name, one.live, one.trial or 0, since, one.trial_since or since)
        counts = await comparing.counts(connection, window)
        found = await comparing.differences(connection, window, different(list(counts)), limit)
    summed = summary(counts)
    return {**_told(one, since, summed), "different": [_different(one, each) for each in found],
            "more": summed.different - len(found)}  # fmt: skip


async def _tried(connection: Connection, name: str) -> Tried:
    known = await comparing.tried(connection)
    if name not in known:
        raise NotFound(no_such("rule", name, known), "name")
    if known[name].trial is None:
        raise NotFound(
            f"no version of {name} is on trial: `mode: trial` and a higher version in its file, then hub rules apply",
            "name",
        )
    return known[name]


def _told(one: Tried, since: datetime, found: Summary) -> dict[str, Any]:
    stand = Stand(one.live, one.trial or 0, clock.text(one.trial_since or since), one.paused)
    return {
        "name": one.name,
        "live": one.live,
        "trial": one.trial,
        "trial_since": stand.trial_since,
        "paused": one.paused,
        "since": clock.text(since),
        "sentence": sentence(stand, found),
        "asked": found.asked,
        "treated": {"both": found.both, "neither": found.neither, "only_live": found.only_live,
                    "only_trial": found.only_trial},
        "asked_alone": {"live": found.live.asked, "trial": found.trial.asked},
        "treated_alone": {"live": found.live.treated, "trial": found.trial.treated},
        "same_steps": same_steps(one.live_body, one.trial_body) if one.live_body and one.trial_body else None,
    }  # fmt: skip


def _different(one: Tried, each: Decided) -> dict[str, Any]:
    fields = orjson.loads(each.line)["fields"] if each.line else {}
    seen = [orjson.loads(side.seen) if side else [] for side in (each.live, each.trial)]
    pair = tuple(side.verdict if side else None for side in (each.live, each.trial))
    return {
        "profile_id": as_text(each.profile) if each.profile else None,
        "name": fields.get("name", {}).get("value"),
        "email": fields.get("email", {}).get("value"),
        "event_id": as_text(each.event),
        "type": each.type,
        "source": each.source,
        "at": clock.text(each.at),
        "treated": treated((pair[0], pair[1])),
        "live": _side(one.live, each.live),
        "trial": _side(one.trial, each.trial),
        "values": differing(seen[0], seen[1]),
    }


def _side(version: int | None, side: Side | None) -> dict[str, Any] | None:
    return {"version": version, "verdict": side.verdict, "reason": side.reason} if side else None
