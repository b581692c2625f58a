"""What of a rule this hub cannot do, though the rule is right: so that it is refused, and not found out later. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from consumers.actions import ACTIONS
from hub.automation.files import Loaded
from hub.automation.problems import Place, Problem
from hub.automation.walk import steps_of
from hub.verbs import House
from schemas.rules import ActionStep, Rule


def beyond(one: Loaded, house: House) -> list[Problem]:
    """Everything in a file that this hub cannot do, with what hub.toml names."""
    if not isinstance(one.value, Rule):
        return []
    return [one.where.problem(place, reason) for place, reason in _verbs(one.value, house)]


def _verbs(rule: Rule, house: House) -> Iterator[tuple[Place, str]]:
    for place, step in steps_of(rule.steps):
        if not isinstance(step, ActionStep):
            continue
        if step.verb not in ACTIONS.names:
            yield (*place, step.verb), f"{step.verb} is not built yet; there are {', '.join(ACTIONS.names)}"
            continue
        action = ACTIONS[step.verb]
        if reason := action.wrong(action.settings.model_validate(step.settings), house):
            yield (*place, step.verb), reason
