"""What rules give people to do: a task or a reminder as the event that makes it. Pure."""

from __future__ import annotations

from hub import clock
from hub.errors import Reject
from hub.verbs import Scene, Statement, no_such_team
from schemas.actions import CreateTask, SetReminder
from schemas.envelope import TASK_CREATED
from schemas.rules import span


def duty(wanted: CreateTask | SetReminder, scene: Scene) -> Statement:
    """What is to be done, and until when, from the deed's time; its id is the deed's.

    Without an owner `to: owner` is nobody in particular. Raises Reject where the team is gone.
    """
    if reason := no_such_team(wanted.team, scene.teams):
        raise Reject(reason, "team")
    to = scene.owner if wanted.to == "owner" else wanted.to
    kind, after = ("task", wanted.due) if isinstance(wanted, CreateTask) else ("reminder", wanted.after)
    due = clock.text(scene.at + span(after) * scene.scale)
    data = {"task": scene.deed, "title": wanted.title, "kind": kind, "to": to, "team": wanted.team, "due": due}
    return Statement(TASK_CREATED, data)
