"""Every action keeps what the rules believe of it: its settings are the verb's, its effects a function of its scene."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import orjson
import pytest

from consumers.actions import ACTIONS
from hub.components import Effect, House, Scene, Statement
from hub.errors import Reject
from schemas.actions import ACTIONS as VERBS

SETTINGS: dict[str, list[dict[str, Any]]] = {
    "add_tag": [{"tag": "urgent"}],
    "remove_tag": [{"tag": "urgent"}],
    "set_stage": [{"stage": "customer"}],
    "send_email": [{"template": "hello", "source": "subject: Hello\n---\nDear you.\n"}],
    "create_task": [{"team": "sales", "title": "Call"}, {"to": "owner", "title": "Call", "due": "4h"}],
    "set_reminder": [{"to": "eve@example.com", "title": "Call"}],
    "notify": [
        {"team": "sales", "text": "Look."},
        {"to": "eve@example.com", "text": "Look."},
        {"destination": "chat", "text": "Look."},
    ],
    "call_webhook": [{"destination": "crm"}],
    "assign_owner": [{"team": "sales"}, {"to": "pool"}, {"to": "eve@example.com"}],
}
TEAMS = {"sales": ("ann@example.com", "bob@example.com")}
HEARERS = {"crm": ("call_webhook", "notify"), "chat": ("notify",)}
HOUSE = House(TEAMS, HEARERS)
SCENE = Scene(TEAMS, 5, {"email": "ann@example.net"}, destinations=HEARERS)
CASES = [(name, settings) for name, several in SETTINGS.items() for settings in several]


def test_every_action_is_a_verb_of_rules_and_has_a_case_here() -> None:
    assert sorted(SETTINGS) == ACTIONS.names
    assert all(ACTIONS[name].settings is VERBS[name] for name in ACTIONS.names)


@pytest.mark.parametrize(("name", "given"), CASES, ids=[f"{name} {given}" for name, given in CASES])
def test_the_same_scene_has_the_same_effects_and_they_are_json(name: str, given: dict[str, Any]) -> None:
    action = ACTIONS[name]
    settings = action.settings.model_validate(given)
    assert action.wrong(settings, HOUSE) is None
    first, second = (list(action.effects(settings, SCENE)) for _ in range(2))
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
    owners = [said(action.effects(settings, Scene(TEAMS, turn))[0])["owner"] for turn in range(4)]
    assert owners == ["ann@example.com", "bob@example.com"] * 2
    with pytest.raises(Reject, match="no team sales"):
        action.effects(settings, Scene({}))
    assert "[teams.sales]" in str(action.wrong(settings, House()))


def test_the_pool_is_nobody() -> None:
    action = ACTIONS["assign_owner"]
    (nobody,) = action.effects(action.settings.model_validate({"to": "pool"}), Scene({}))
    assert said(nobody) == {"owner": None}


@pytest.mark.parametrize(("verb", "more"), [("call_webhook", {}), ("notify", {"text": "Look."})])
def test_a_destination_that_is_gone_is_refused_and_fails_alike(verb: str, more: dict[str, str]) -> None:
    action = ACTIONS[verb]
    settings = action.settings.model_validate({"destination": "gone", **more})
    assert "[destinations.gone]" in str(action.wrong(settings, HOUSE))
    with pytest.raises(Reject, match="no destination gone"):
        action.effects(settings, SCENE)


def test_a_chat_hears_what_notify_says_and_is_no_webhook_of_rules() -> None:
    action = ACTIONS["call_webhook"]
    chat = action.settings.model_validate({"destination": "chat"})
    assert "chat is of a kind" in str(action.wrong(chat, HOUSE))
    with pytest.raises(Reject, match="chat is of a kind"):
        action.effects(chat, SCENE)
