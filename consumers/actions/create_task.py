"""Something is to be done about a customer, by whoever looks after them, by an address, or by a team."""

from __future__ import annotations

from collections.abc import Sequence

from hub.automation.duties import duty
from hub.verbs import Action, Effect, House, Scene, no_such_team
from schemas.actions import CreateTask


def _effects(settings: CreateTask, scene: Scene) -> Sequence[Effect]:
    return (duty(settings, scene),)


def _wrong(settings: CreateTask, house: House) -> str | None:
    return no_such_team(settings.team, house.teams)


CREATE_TASK = Action("create_task", "Something is to be done about a customer.", CreateTask, _effects, wrong=_wrong)
