"""A tool is told that the rule fired, whether it subscribes to such events or not."""

from __future__ import annotations

from collections.abc import Sequence

from hub.components import Action, Effect, Hearers, House, Scene, Tell
from hub.errors import Reject
from schemas.actions import CallWebhook

VERB = "call_webhook"


def _effects(settings: CallWebhook, scene: Scene) -> Sequence[Effect]:
    if problem := _problem(settings, scene.destinations):
        raise Reject(problem, "destination")
    return (Tell(settings.destination),)


def _wrong(settings: CallWebhook, house: House) -> str | None:
    return _problem(settings, house.destinations)


def _problem(settings: CallWebhook, destinations: Hearers) -> str | None:
    name = settings.destination
    if name not in destinations:
        return f"hub.toml has no destination {name}: [destinations.{name}]"
    return None if VERB in destinations[name] else f"{name} is of a kind that no {VERB} may name"


CALL_WEBHOOK = Action(VERB, "A tool is told that the rule fired.", CallWebhook, _effects, wrong=_wrong)
