"""A word to people of ours, by mail: to everybody of a team, to whoever looks after the customer, or to an address."""

from __future__ import annotations

from collections.abc import Sequence

from hub.automation.notices import notice
from hub.components import Action, Effect, Hold, Scene, Teams
from hub.errors import Reject
from schemas.actions import Notify


def _effects(settings: Notify, scene: Scene) -> Sequence[Effect]:
    if settings.team is not None:
        members = scene.teams.get(settings.team, ())
        if not members:
            raise Reject(f"hub.toml has no team {settings.team} any more", "team")
        return tuple(notice(member, settings.text, scene.fields, scene.profile) for member in dict.fromkeys(members))
    to = scene.owner if settings.to == "owner" else settings.to
    if to is None:
        return (Hold("nobody looks after this customer"),)
    return (notice(to, settings.text, scene.fields, scene.profile),)


def _wrong(settings: Notify, teams: Teams) -> str | None:
    if settings.team is None or settings.team in teams:
        return None
    return f"hub.toml has no team {settings.team}: [teams.{settings.team}]"


NOTIFY = Action("notify", "A word to people of ours, by mail.", Notify, _effects, wrong=_wrong)
