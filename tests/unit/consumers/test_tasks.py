"""What rules give people to do, and who is reminded of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from consumers.actions import ACTIONS
from consumers.reminders import recipients
from hub.automation.view import Person
from hub.components import House, Scene, Statement
from hub.errors import Reject
from hub.identity.ids import as_text, hash_id
from hub.storage.tasks import Reminder
from schemas.events.hub import TaskCreated

TEAMS = {"sales": ("ann@example.com", "bob@example.com", "ann@example.com")}
AT = datetime(2026, 11, 22, 8, tzinfo=UTC)
DEED = as_text(hash_id("deed", "some key"))
SCENE = Scene(TEAMS, owner="eve@example.com", at=AT, deed=DEED)
REMINDER = Reminder(b"t" * 16, b"r" * 16, "Call", None, "sales", AT, False, b"p" * 16, "{}")


def made(verb: str, scene: Scene = SCENE, **settings: str) -> Mapping[str, Any]:
    action = ACTIONS[verb]
    (one,) = action.effects(action.settings.model_validate({"title": "Call"} | settings), scene)
    assert isinstance(one, Statement)
    assert one.type == "task.created"
    TaskCreated.model_validate({"by": "rule:some", "record": DEED, **one.data})
    return one.data


def test_a_task_is_due_from_the_time_of_its_deed_and_its_id_is_the_deed_s() -> None:
    assert made("create_task", team="sales", due="4h") == {
        "task": DEED, "title": "Call", "kind": "task", "to": None, "team": "sales", "due": "2026-11-22T12:00:00.000Z"
    }  # fmt: skip


def test_a_reminder_comes_after_its_time_as_waits_last() -> None:
    assert made("set_reminder", to="bob@example.com") == {
        "task": DEED, "title": "Call", "kind": "reminder", "to": "bob@example.com", "team": None,
        "due": "2026-11-23T08:00:00.000Z",
    }  # fmt: skip
    assert made("set_reminder", replace(SCENE, scale=0.5), to="owner", after="2h")["due"] == "2026-11-22T09:00:00.000Z"


@pytest.mark.parametrize("verb", ["create_task", "set_reminder"])
def test_it_is_the_owner_s_and_without_one_nobody_s_in_particular(verb: str) -> None:
    assert made(verb, to="owner")["to"] == "eve@example.com"
    nobodys = made(verb, replace(SCENE, owner=None), to="owner")
    assert (nobodys["to"], nobodys["team"]) == (None, None)


@pytest.mark.parametrize("verb", ["create_task", "set_reminder"])
def test_a_team_that_is_not_there_is_a_reason(verb: str) -> None:
    action = ACTIONS[verb]
    settings = action.settings.model_validate({"title": "Call", "team": "sail"})
    assert "[teams.sail]" in str(action.wrong(settings, House(TEAMS)))
    with pytest.raises(Reject, match="no team sail"):
        action.effects(settings, SCENE)


@pytest.mark.parametrize(
    ("one", "owner", "to"),
    [
        (REMINDER._replace(assignee="eve@example.com"), "joe@example.com", ["eve@example.com"]),
        (REMINDER, "joe@example.com", ["joe@example.com"]),
        (REMINDER, None, ["ann@example.com", "bob@example.com"]),
        (REMINDER._replace(team=None), None, []),
        (REMINDER._replace(team="gone"), None, []),
        (REMINDER._replace(is_late=True), "joe@example.com", []),
        (REMINDER._replace(profile=None, line=None), None, []),
    ],
)
def test_whose_it_is_is_reminded_else_the_owner_else_the_team_else_nobody(
    one: Reminder, owner: str | None, to: list[str]
) -> None:
    assert recipients(one, Person(owner=owner), TEAMS) == to
