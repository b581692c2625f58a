"""Every action keeps what the rules believe of it: its settings are the verb's, its effects a function of its scene."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import orjson
import pytest

from consumers.actions import ACTIONS
from hub.components import Effect, Scene, Statement
from hub.errors import Reject
from hub.tables import Colleague
from schemas.actions import ACTIONS as VERBS

SETTINGS: dict[str, list[dict[str, Any]]] = {
    "add_tag": [{"tag": "urgent"}],
    "remove_tag": [{"tag": "urgent"}],
    "set_stage": [{"stage": "customer"}],
    "send_email": [{"template": "hello", "source": "subject: Hello\n---\nDear you.\n"}],
    "notify": [{"team": "sales", "text": "Look."}, {"to": "eve@example.com", "text": "Look."}],
    "assign_owner": [
        *({"team": "sales", "strategy": strategy} for strategy in ("round_robin", "territory", "capacity")),
        {"to": "pool"},
        {"to": "eve@example.com"},
    ],
}
TEAMS = {"sales": ("ann@example.com", "bob@example.com")}
CREW = [Colleague(one) for one in TEAMS["sales"]]
CASES = [(name, settings) for name, several in SETTINGS.items() for settings in several]


def test_every_action_is_a_verb_of_rules_and_has_a_case_here() -> None:
    assert sorted(SETTINGS) == ACTIONS.names
    assert all(ACTIONS[name].settings is VERBS[name] for name in ACTIONS.names)


@pytest.mark.parametrize(("name", "given"), CASES, ids=[f"{name} {given}" for name, given in CASES])
def test_the_same_scene_has_the_same_effects_and_they_are_json(name: str, given: dict[str, Any]) -> None:
    action = ACTIONS[name]
    settings = action.settings.model_validate(given)
    assert action.wrong(settings, TEAMS) is None
    scene = Scene(TEAMS, 5, {"email": "ann@example.net"}, crew=CREW)
    first, second = (list(action.effects(settings, scene)) for _ in range(2))
    assert first == second != []
    told = [asdict(one) for one in first]
    assert orjson.loads(orjson.dumps(told)) == told


def said(effect: Effect) -> Mapping[str, Any]:
    """What is stated of the profile."""
    assert isinstance(effect, Statement)
    return effect.data


def test_a_team_is_chosen_from_in_turn_and_a_team_that_is_gone_is_a_reason() -> None:
    action = ACTIONS["assign_owner"]
    settings = action.settings.model_validate({"team": "sales"})
    assert action.team(settings) == "sales"
    owners = [said(action.effects(settings, Scene(TEAMS, turn, crew=CREW))[0])["owner"] for turn in range(4)]
    assert owners == ["ann@example.com", "bob@example.com"] * 2
    with pytest.raises(Reject, match="no team sales"):
        action.effects(settings, Scene({}))
    assert "[teams.sales]" in str(action.wrong(settings, {}))


def test_the_pool_is_nobody() -> None:
    action = ACTIONS["assign_owner"]
    (nobody,) = action.effects(action.settings.model_validate({"to": "pool"}), Scene({}))
    assert said(nobody) == {"owner": None}
