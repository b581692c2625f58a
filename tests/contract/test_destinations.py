"""Every kind of destination keeps what the rooms believe of it: one body per deed, and no secret told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from consumers.destinations import DESTINATIONS
from consumers.instances import check_destinations, instances
from consumers.tools import PROFILE_TYPES, Manners, Tool, hears_of_profiles
from hub.destinations import Fired, Notice
from hub.settings import check
from schemas.actions import ACTIONS
from schemas.envelope import ACTION_FIRED

ROOT = Path(__file__).parents[2]
SAMPLES = ROOT / "tests" / "support" / "deliveries"
SECRET = "AaBbCcDdEeFfGgHhIiJjKkLlMmNnOoPp"
SETTINGS: dict[str, dict[str, Any]] = {
    "webhook": {"url": "https://tool.example/hub", "secret": f"whsec_{SECRET}"},
    "slack": {"url": f"https://chat.example/services/{SECRET}"},
}
DEED = Fired(
    key="new-lead:0190c8a0-0000-8000-8000-000000000001:2.then.1",
    rule="new-lead",
    verb="notify",
    profile_id="5c1d0f9a-6f0e-8c5e-9a3b-2f1d8e7c6b5a",
    event_id="0190c8a0-0000-8000-8000-000000000001",
    timestamp="2026-11-22T08:15:30.123Z",
    hops=2,
    origin="crm,hub",
    text='Call her <today> & say "hello".',
    customer="Ann Lee <!channel> @here",
)
LINE = b'{"profile_id":"5c1d0f9a-6f0e-8c5e-9a3b-2f1d8e7c6b5a","version":7}'
KINDS = DESTINATIONS.names


def a_tool(kind: str, **more: Any) -> Tool:
    """One of this kind, with settings that are right."""
    return instances(check({"destinations": {"one": {"kind": kind, **SETTINGS[kind], **more}}}))["one"]


def test_every_kind_has_settings_a_sample_and_a_page_here() -> None:
    assert sorted(SETTINGS) == KINDS
    for kind in KINDS:
        assert sample(kind).is_file()
        page = (ROOT / "docs" / "destinations" / f"{kind}.md").read_text(encoding="utf-8")
        assert all(f"| `{name}` |" in page for name in DESTINATIONS[kind].settings.model_fields)
        assert f'kind = "{kind}"' in page


def sample(kind: str) -> Path:
    """What this kind is sent when a rule did something."""
    return SAMPLES / f"{kind}.json"


@pytest.mark.parametrize("kind", KINDS)
def test_a_deed_has_one_body_and_it_is_the_sample(kind: str) -> None:
    tool = a_tool(kind)
    first, second = (tool.destination.fired(tool.settings, DEED) for _ in range(2))
    assert first == second
    assert orjson.loads(first) == orjson.loads(sample(kind).read_bytes())


@pytest.mark.parametrize("kind", KINDS)
def test_every_try_carries_the_body_as_it_is_to_the_configured_place(kind: str) -> None:
    tool = a_tool(kind)
    for at in (1_790_000_000, 1_790_000_005):
        call = tool.destination.call(tool.settings, "an-id", at, b'{"as":"it is"}')
        assert (call.url, call.body) == (SETTINGS[kind]["url"], b'{"as":"it is"}')
        assert call.headers["content-type"] == "application/json"
        assert all(name == name.lower() for name in call.headers)


@pytest.mark.parametrize("kind", KINDS)
def test_who_wants_profiles_can_be_told_of_them_and_nobody_else_is(kind: str) -> None:
    tool = a_tool(kind)
    wanted = [one for one in PROFILE_TYPES if tool.destination.wants(tool.settings, one)]
    assert hears_of_profiles(tool) == bool(wanted)
    notice = Notice("profile.updated", "2026-11-22T08:15:30.123Z", LINE)
    if wanted:
        assert LINE in tool.destination.render(tool.settings, notice)
    else:
        with pytest.raises(TypeError, match="never told of profiles"):
            tool.destination.render(tool.settings, notice)


@pytest.mark.parametrize("kind", KINDS)
def test_the_verbs_that_may_name_it_are_verbs_that_name_a_destination(kind: str) -> None:
    hears = DESTINATIONS[kind].hears
    assert hears, "else nothing would ever be told"
    assert all("destination" in ACTIONS[verb].model_fields for verb in hears)
    assert isinstance(DESTINATIONS[kind].wants(a_tool(kind).settings, ACTION_FIRED), bool)


@pytest.mark.parametrize("kind", KINDS)
def test_no_secret_is_told_by_settings_or_by_what_is_wrong_with_them(kind: str) -> None:
    tool = a_tool(kind)
    assert isinstance(tool.settings, Manners)
    assert SECRET not in repr(tool)
    table = {"kind": kind, **SETTINGS[kind], "colour": "red", "concurrency": 0}
    problems = check_destinations(check({"destinations": {"one": table}}))
    assert len(problems) == 2
    assert SECRET not in "".join(problems)
