"""A tag more."""

from __future__ import annotations

from collections.abc import Sequence

from hub.verbs import Action, Effect, Scene, Statement
from schemas.actions import AddTag


def _effects(settings: AddTag, _scene: Scene) -> Sequence[Effect]:
    return (Statement("tag.added", {"tag": settings.tag}),)


ADD_TAG = Action("add_tag", "A tag more.", AddTag, _effects)
