"""Somebody of ours looks after a customer: the next of a team, a certain one, or nobody."""

from __future__ import annotations

from collections.abc import Sequence

from hub.components import Action, Effect, House, Scene, Statement
from hub.errors import Reject
from schemas.actions import AssignOwner


def _effects(settings: AssignOwner, scene: Scene) -> Sequence[Effect]:
    owner = None if settings.to == "pool" else settings.to
    if settings.team is not None:
        members = scene.teams.get(settings.team, ())
        if not members:
            raise Reject(f"hub.toml has no team {settings.team} any more", "team")
        owner = members[scene.turn % len(members)]
    return (Statement("owner.assigned", {"owner": owner}),)


def _team(settings: AssignOwner) -> str | None:
    return settings.team


def _wrong(settings: AssignOwner, house: House) -> str | None:
    if settings.team is None:
        return None
    if settings.strategy != "round_robin":
        return f"the strategy {settings.strategy} is not built yet; round_robin is"
    return None if settings.team in house.teams else f"hub.toml has no team {settings.team}: [teams.{settings.team}]"


ASSIGN_OWNER = Action("assign_owner", "Somebody of ours looks after a customer.", AssignOwner, _effects, _team, _wrong)
