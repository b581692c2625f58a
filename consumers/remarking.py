"""What people and rules of the hub say of a record, as its event on `inbound.hub` says it. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal

import msgspec

from hub import clock
from hub.errors import Unreadable
from hub.identity import tasks
from hub.identity.decisions import Remark
from hub.identity.ids import from_text
from hub.identity.remarks import ADDED, OWNER, REMOVED, STAGE, TAG
from hub.identity.tasks import TaskWord
from schemas.envelope import (
    NOTES,
    OWNER_ASSIGNED,
    SETTINGS,
    STAGE_SET,
    TAG_ADDED,
    TAG_REMOVED,
    TASK_ASSIGNED,
    TASK_CREATED,
    TASK_DONE,
    TASK_DROPPED,
    TASK_POSTPONED,
    TASK_REOPENED,
    TASK_WAITING,
    TASKS,
)
from schemas.events.hub import A_TIME, LONGEST_NOTE

BY_RULE = "rule:"
"""How `by` begins where a rule did it."""
REMARKS = SETTINGS | NOTES | TASKS
_BY_RULES = SETTINGS | {TASK_CREATED}
Text = Annotated[str, msgspec.Meta(max_length=4096)]
Label = Annotated[str, msgspec.Meta(max_length=100, pattern=r"\S")]
Whom = Annotated[str, msgspec.Meta(max_length=320, pattern=r"^[^@\s]+@[^@\s]+$")]


class Remarked(msgspec.Struct):
    """`schemas.events.hub`, all of them together; a test proves that they agree."""

    by: Text
    record: Text
    rule: Text | None = None
    hops: Annotated[int, msgspec.Meta(ge=0)] | None = None
    owner: Whom | msgspec.UnsetType | None = msgspec.UNSET
    stage: Label | msgspec.UnsetType = msgspec.UNSET
    tag: Label | msgspec.UnsetType = msgspec.UNSET
    text: Annotated[str, msgspec.Meta(max_length=LONGEST_NOTE)] | msgspec.UnsetType = msgspec.UNSET
    outcome: Text | None = None
    duration_seconds: Annotated[int, msgspec.Meta(ge=0)] | None = None
    task: Text | msgspec.UnsetType = msgspec.UNSET
    title: Annotated[str, msgspec.Meta(max_length=300, pattern=r"\S")] | msgspec.UnsetType = msgspec.UNSET
    kind: Literal["task", "reminder"] | msgspec.UnsetType = msgspec.UNSET
    to: Whom | msgspec.UnsetType | None = msgspec.UNSET
    team: Label | None = None
    due: Annotated[str, msgspec.Meta(pattern=A_TIME)] | msgspec.UnsetType = msgspec.UNSET


decode = msgspec.json.Decoder(Remarked).decode
_WORDS: dict[str, tuple[str, Callable[[str], tuple[str, str]]]] = {
    OWNER_ASSIGNED: ("owner", lambda owner: (OWNER, owner.lower())),
    STAGE_SET: ("stage", lambda stage: (STAGE, stage)),
    TAG_ADDED: ("tag", lambda tag: (TAG + tag, ADDED)),
    TAG_REMOVED: ("tag", lambda tag: (TAG + tag, REMOVED)),
}
"""Type → the field of its data, and what is set by it."""


def remark(event_type: str, said: Remarked) -> Remark:
    """What an event of `REMARKS` says. Raises Unreadable with the field that is missing or no id."""
    record = from_text(said.record)
    if record is None:
        raise Unreadable(f"{said.record[:64]!r} is no id", "data.record")
    by_person = said.rule is None and not said.by.startswith(BY_RULE)
    if not by_person and event_type not in _BY_RULES:
        raise Unreadable("a rule writes no notes, makes no calls and does no tasks", "data.by")
    if event_type in TASKS:
        return Remark(record, by_person=by_person, task=_task(event_type, said))
    field, told = _WORDS.get(event_type, ("text", None))
    value = _there(said, field)
    return Remark(record, *told(value or ""), by_person=by_person) if told else Remark(record)


_MARKS = {
    TASK_DONE: tasks.DONE, TASK_WAITING: tasks.WAITING, TASK_REOPENED: tasks.OPEN, TASK_DROPPED: tasks.DROPPED
}  # fmt: skip
"""Type → what becomes of a task by it."""


def _task(event_type: str, said: Remarked) -> TaskWord:
    task = from_text(_there(said, "task"))
    if task is None:
        raise Unreadable(f"{said.task!r:.66} is no id", "data.task")
    if event_type in _MARKS:
        return TaskWord(task, tasks.STATUS, (_MARKS[event_type],), said.by)
    if event_type == TASK_ASSIGNED:
        return TaskWord(task, tasks.TO, (_small(_there(said, "to")),), said.by)
    due = clock.parse(_there(said, "due"))
    if due is None:
        raise Unreadable("no day of the calendar, or no time of the day", "data.due")
    if event_type == TASK_POSTPONED:
        return TaskWord(task, tasks.DUE, (clock.text(due),), said.by)
    to = None if said.to is msgspec.UNSET else _small(said.to)
    made = (_there(said, "kind"), _there(said, "title"), to, said.team, clock.text(due))
    return TaskWord(task, tasks.CREATED, made, said.by)


def _small(address: str | None) -> str | None:
    return address and address.lower()


def _there(said: Remarked, field: str) -> Any:
    """A field of the data. Raises Unreadable where it is missing."""
    value = getattr(said, field)
    if value is msgspec.UNSET:
        raise Unreadable("missing", f"data.{field}")
    return value
