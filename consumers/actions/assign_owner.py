"""Somebody of ours looks after a customer: one of a team, a certain one, or nobody."""

from __future__ import annotations

from collections.abc import Sequence

import orjson

from hub.automation.choosing import of_all, of_room, of_territory
from hub.errors import Reject
from hub.verbs import Action, Effect, Hold, House, Scene, Statement, no_such_team
from schemas.actions import AssignOwner


def _effects(settings: AssignOwner, scene: Scene) -> Sequence[Effect]:
    if settings.team is None:
        return (Statement("owner.assigned", {"owner": None if settings.to == "pool" else settings.to}),)
    if not scene.crew:
        raise Reject(f"hub.toml has no team {settings.team} any more", "team")
    among = _among(settings, scene)
    if not among:
        return (Hold(f"everybody of team {settings.team} has as many customers as they look after"),)
    return (Statement("owner.assigned", {"owner": among[scene.turn % len(among)]}),)


def _among(settings: AssignOwner, scene: Scene) -> Sequence[str]:
    match settings.strategy:
        case "territory":
            return of_territory(scene.crew, _country(scene))
        case "capacity":
            return of_room(scene.crew)
        case "round_robin":
            return of_all(scene.crew)


def _country(scene: Scene) -> str | None:
    """The customer's country: a field of its own, or that of their address (JSON)."""
    country, address = scene.fields.get("country"), scene.fields.get("address")
    if not country and address:
        try:
            country = orjson.loads(address).get("country")
        except (orjson.JSONDecodeError, AttributeError):  # what a source states of its own is any text
            return None
    return country if isinstance(country, str) else None


def _team(settings: AssignOwner) -> str | None:
    return settings.team


def _weighs(settings: AssignOwner) -> bool:
    return settings.strategy == "capacity"


def _wrong(settings: AssignOwner, house: House) -> str | None:
    return no_such_team(settings.team, house.teams)


ASSIGN_OWNER = Action(
    "assign_owner",
    "Somebody of ours looks after a customer.",
    AssignOwner,
    _effects,
    _team,
    _wrong,
    among=_among,
    weighs=_weighs,
)
