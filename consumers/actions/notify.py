"""A word to people of ours: by mail to a team, to whoever looks after the customer, or to an address; or by a tool."""

from __future__ import annotations

from collections.abc import Sequence

from hub.automation.notices import notice
from hub.errors import Reject
from hub.verbs import Action, Effect, Hold, House, Scene, Tell, no_such_team, unheard
from schemas.actions import Notify

VERB = "notify"


def _effects(settings: Notify, scene: Scene) -> Sequence[Effect]:
    if settings.destination is not None:
        if problem := unheard(VERB, settings.destination, scene.destinations):
            raise Reject(problem, "destination")
        return (Tell(settings.destination),)
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
    if settings.destination is not None:
        return unheard(VERB, settings.destination, house.destinations)
    return no_such_team(settings.team, house.teams)


NOTIFY = Action(VERB, "A word to people of ours, by mail or by a tool.", Notify, _effects, wrong=_wrong)
