"""A word to people of ours: by mail to a team, to whoever looks after the customer, or to an address; or by a tool."""

from __future__ import annotations

from collections.abc import Sequence

from hub.automation.notices import notice
from hub.components import Action, Effect, Hold, House, Scene, Tell
from hub.errors import Reject
from schemas.actions import Notify


def _effects(settings: Notify, scene: Scene) -> Sequence[Effect]:
    if settings.destination is not None:
        if settings.destination not in scene.destinations:
            raise Reject(f"hub.toml has no destination {settings.destination} any more", "destination")
        return (Tell(settings.destination, settings.text),)
    if settings.team is not None:
        members = scene.teams.get(settings.team, ())
        if not members:
            raise Reject(f"hub.toml has no team {settings.team} any more", "team")
        return tuple(notice(member, settings.text, scene.fields, scene.profile) for member in dict.fromkeys(members))
    to = scene.owner if settings.to == "owner" else settings.to
    if to is None:
        return (Hold("nobody looks after this customer"),)
    return (notice(to, settings.text, scene.fields, scene.profile),)


def _wrong(settings: Notify, house: House) -> str | None:
    name = settings.destination
    if name is not None and name not in house.destinations:
        return f"hub.toml has no destination {name}: [destinations.{name}]"
    if settings.team is None or settings.team in house.teams:
        return None
    return f"hub.toml has no team {settings.team}: [teams.{settings.team}]"


NOTIFY = Action("notify", "A word to people of ours, by mail or by a tool.", Notify, _effects, wrong=_wrong)
