"""Where in the funnel a customer stands."""

from __future__ import annotations

from collections.abc import Sequence

from hub.verbs import Action, Effect, Scene, Statement
from schemas.actions import SetStage


def _effects(settings: SetStage, _scene: Scene) -> Sequence[Effect]:
    return (Statement("stage.set", {"stage": settings.stage}),)


SET_STAGE = Action("set_stage", "Where in the funnel a customer stands.", SetStage, _effects)
