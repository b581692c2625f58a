"""A tag less."""

from __future__ import annotations

from collections.abc import Sequence

from hub.verbs import Action, Effect, Scene, Statement
from schemas.actions import RemoveTag


def _effects(settings: RemoveTag, _scene: Scene) -> Sequence[Effect]:
    return (Statement("tag.removed", {"tag": settings.tag}),)


REMOVE_TAG = Action("remove_tag", "A tag less.", RemoveTag, _effects)
