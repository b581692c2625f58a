"""A mail to one of ours after a time, unless it was done before."""

from __future__ import annotations

from collections.abc import Sequence

from hub.automation.duties import duty
from hub.verbs import Action, Effect, House, Scene, no_such_team
from schemas.actions import SetReminder


def _effects(settings: SetReminder, scene: Scene) -> Sequence[Effect]:
    return (duty(settings, scene),)


def _wrong(settings: SetReminder, house: House) -> str | None:
    return no_such_team(settings.team, house.teams)


SET_REMINDER = Action("set_reminder", "A mail to one of ours after a time.", SetReminder, _effects, wrong=_wrong)
