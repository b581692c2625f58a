"""The receiver in the webhook's page does what the page says."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import orjson

from consumers.destinations.webhook import Settings, call, fired, render
from consumers.instances import instances
from hub import clock
from hub.destinations import Fired, Notice
from hub.settings import check

PAGE = Path(__file__).parents[3].joinpath("docs/destinations/webhook.md").read_text(encoding="utf-8")


def sample(language: str) -> str:
    """The first code of this language on the page."""
    found = re.search(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    assert found
    return found[1]


def test_the_receiver_takes_what_is_newer_and_refuses_what_is_not_ours() -> None:
    receiver: dict[str, Any] = {}
    exec(sample("python"), receiver)
    own = instances(check(tomllib.loads(sample("toml"))))["sales"].settings
    assert isinstance(own, Settings)

    def post(event: str, profile: str, version: int, *others: str) -> int:
        line = orjson.dumps({"profile_id": profile, "version": version})
        request = call(own, "id", int(clock.now().timestamp()), render(own, Notice(event, "t", line, others)))
        status: int = receiver["receive"](dict(request.headers), request.body)
        return status

    assert post("profile.created", "ann", 1) == post("profile.created", "bob", 1) == 204
    assert post("profile.updated", "bob", 3) == post("profile.updated", "bob", 2) == 204
    assert post("profile.merged", "bob", 4, "ann") == 204
    assert receiver["known"] == {"bob": {"profile_id": "bob", "version": 4}}
    assert receiver["receive"]({"webhook-id": "id"}, b"{}") == 401


def test_the_receiver_takes_what_a_rule_did_once() -> None:
    receiver: dict[str, Any] = {}
    exec(sample("python"), receiver)
    own = instances(check(tomllib.loads(sample("toml"))))["sales"].settings
    assert isinstance(own, Settings)
    shown = orjson.loads(sample("json"))
    deed = Fired(**{"timestamp": shown["timestamp"], **shown["data"]["action"]})
    assert orjson.loads(fired(own, deed)) == shown, "the page shows what is sent"
    request = call(own, "id", int(clock.now().timestamp()), fired(own, deed))
    assert [receiver["receive"](dict(request.headers), request.body) for _ in range(2)] == [204, 204]
    assert receiver["done"] == {deed.key}


def test_every_setting_and_every_wait_stands_on_the_page() -> None:
    assert all(f"| `{name}` |" in PAGE for name in Settings.model_fields)
    assert orjson.loads(sample("http").split("\n\n")[1])["data"]["profile"]["version"] == 7
