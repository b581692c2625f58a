"""A tool is told that the rule fired, whether it subscribes to such events or not."""

from __future__ import annotations

from collections.abc import Sequence

from hub.errors import Reject
from hub.verbs import Action, Effect, House, Scene, Tell, unheard
from schemas.actions import CallWebhook

VERB = "call_webhook"


def _effects(settings: CallWebhook, scene: Scene) -> Sequence[Effect]:
    if problem := unheard(VERB, settings.destination, scene.destinations):
        raise Reject(problem, "destination")
    return (Tell(settings.destination),)


def _wrong(settings: CallWebhook, house: House) -> str | None:
    return unheard(VERB, settings.destination, house.destinations)


CALL_WEBHOOK = Action(VERB, "A tool is told that the rule fired.", CallWebhook, _effects, wrong=_wrong)
