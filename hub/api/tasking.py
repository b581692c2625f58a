"""Tasks as people see them, and what people do about them: as events, and waited for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import orjson

from hub import clock
from hub.api import people, remarking
from hub.api.deciding import living
from hub.api.problems import NotFound
from hub.api.remarking import Author, Draft
from hub.api.side_by_side import called
from hub.api.tasks_shapes import TaskFilter
from hub.automation.buckets import Standing, among, bucket
from hub.errors import Reject
from hub.identity.ids import as_text, hash_id
from hub.identity.tasks import CREATED, DUE, STATUS, TO, standing
from hub.settings import Settings
from hub.storage import todo
from hub.storage.pool import Pool
from hub.storage.todo import Listed, Wanted
from hub.verbs import no_such_team
from producers.deeds import deed
from schemas.conditions import DURATION
from schemas.envelope import (
    TASK_ASSIGNED,
    TASK_CREATED,
    TASK_DONE,
    TASK_DROPPED,
    TASK_POSTPONED,
    TASK_REOPENED,
    TASK_WAITING,
)
from schemas.rules import span

MARKS = {"done": TASK_DONE, "wait": TASK_WAITING, "reopen": TASK_REOPENED, "drop": TASK_DROPPED}
"""What people do with a task, and the event that says so."""
_PARTS = {TASK_ASSIGNED: TO, TASK_POSTPONED: DUE}


async def listed(pool: Pool, settings: Settings, asked: TaskFilter) -> dict[str, Any]:
    """Tasks, what is due first first (`hub.api.tasks_shapes.TaskList`). Raises Reject, NotFound, Retry."""
    now, zone = clock.now(), settings.rules.zone
    whose = await living(pool, asked.profile) if asked.profile else None
    place = among(asked.bucket, now, zone)
    found = await todo.tasks(pool, Wanted(*place, asked.to and asked.to.lower(), asked.team, whose, asked.limit))
    return {"tasks": [shown(one, now, zone) for one in found]}


def shown(one: Listed, now: datetime, zone: ZoneInfo) -> dict[str, Any]:
    """A task as it is told (`hub.api.tasks_shapes.Task`)."""
    task, made = standing(one.parts), one.parts[CREATED]
    if task is None:
        raise TypeError(f"{as_text(one.id)} was never made")
    where = Standing(one.status, one.due, one.since, one.heard_at)
    return {
        "id": as_text(one.id),
        "profile_id": as_text(one.profile),
        "customer": called(orjson.loads(one.line)),
        "title": task.title,
        "kind": task.kind,
        "to": task.to,
        "team": task.team,
        "due": task.due,
        "status": task.status,
        "since": task.since,
        "bucket": bucket(where, now, zone),
        "answered_at": clock.text(one.heard_at) if one.heard_at and where.is_answered else None,
        "created_at": made.at,
        "created_by": made.by,
        "reminded_for": clock.text(one.reminded_for) if one.reminded_for else None,
        "reminded_to": one.reminded_to,
    }


async def added(pool: Pool, settings: Settings, written: str, said: Mapping[str, Any], author: Author) -> Draft:
    """A new task about the person behind an id; `said` has `title`, `kind`, and may have `to` or `team`, and `due`.

    Under the same key it is the same task. Raises Reject with the field that is wrong, NotFound, Retry.
    """
    team = said.get("team")
    if team is not None and said.get("to") is not None:
        raise Reject("give `to` or `team`, one of the two", "to")
    if reason := no_such_team(team, {name: one.addresses for name, one in settings.teams.items()}):
        raise Reject(reason, "team")
    task = as_text(hash_id("task", author.by, author.key)) if author.key else str(uuid4())
    data = {"task": task, **said, "due": _due(said.get("due") or "1d")}
    return await remarking.draft(pool, written, TASK_CREATED, data, author)


async def marked(pool: Pool, written: str, event_type: str, said: Mapping[str, Any], author: Author) -> Draft:
    """Something becomes of a task; `said` is `to` or `due` where the type has it. Raises Reject, NotFound, Retry."""
    identity = people.id_of(written)
    one = await todo.task(pool, identity)
    if one is None:
        raise NotFound(f"there is no task {written}", "id")
    words = {**said, "due": _due(said["due"])} if "due" in said else said
    data = {"by": author.by, "record": as_text(one.record), "task": as_text(identity), **words}
    remarking.checked(event_type, data)
    natural_id = f"{event_type} {written} {author.by} {author.key}" if author.key else None
    return Draft(one.profile, deed(event_type, data, _at(one, _PARTS.get(event_type, STATUS)), natural_id))


def _at(one: Listed, part: str) -> str:
    """After whatever was said of this part of it: the last counts, whichever clock wrote the others."""
    newest = clock.parse(one.parts[part].at) if part in one.parts else None
    now = clock.now()
    return clock.text(max(now, newest + timedelta(milliseconds=1)) if newest else now)


def _due(written: str) -> str:
    """A time as text: from now on (`2d`), or as it is written. Raises Reject."""
    if re.fullmatch(DURATION, written):
        return clock.text(clock.now() + span(written))
    at = clock.parse(written)
    if at is None:
        raise Reject("a time is `90m`, `4h`, `2d`, or 2026-11-22T08:15:30Z", "due")
    return clock.text(at)
