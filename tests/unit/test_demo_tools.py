"""The demo's tools believe signatures alone, keep the last state of each person, and are out for a while."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx
import orjson
import pytest
from standardwebhooks import Webhook

from hub import clock
from hub.demo import tools
from hub.demo.tools import Application, Outage, Tool


def a_profile(profile_id: str = "p1", version: int = 1, **fields: str) -> dict[str, Any]:
    said = {name: {"value": value, "source": "crm", "key": "1", "at": "now"} for name, value in fields.items()}
    records = [{"source": "crm", "kind": "account", "key": "1"}]
    return {"profile_id": profile_id, "version": version, "fields": said, "records": records, "activities": version}


async def told(tool: Tool, profile: dict[str, Any], identity: str | None = None, **data: Any) -> int:
    """Tell a tool, as the dispatcher does; gives the status of its answer."""
    body = orjson.dumps({"type": "profile.updated", "timestamp": "now", "data": {"profile": profile, **data}})
    return await posted(tool, body, identity or uuid4().hex)


async def posted(tool: Tool, body: bytes, identity: str, *, secret: str | None = None) -> int:
    at = datetime.now(UTC)  # noqa: TID251 - the library that proves it asks the same clock
    headers = {
        "webhook-id": identity,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(secret or tool.secret).sign(identity, at, body.decode()),
    }
    transport = httpx.ASGITransport(Application(tool))
    async with httpx.AsyncClient(transport=transport, base_url="http://tool") as client:
        return (await client.post("/hub", content=body, headers=headers)).status_code


async def test_the_last_state_of_a_person_is_kept() -> None:
    tool = Tool("sales")
    assert await told(tool, a_profile(version=1, name="Ann")) == 204
    assert await told(tool, a_profile(version=3, name="Ann", email="ann@example.com")) == 204
    assert await told(tool, a_profile(version=2, name="Ann")) == 204
    assert (tool.told, tool.disorder, tool.people["p1"]["version"]) == (3, 1, 3)
    assert list(tool.news) == ["Ann is new, from crm", "Ann: email ann@example.com"]


async def test_the_same_id_again_is_a_repeat() -> None:
    tool = Tool("sales")
    assert await told(tool, a_profile(), "same") == 204
    assert await told(tool, a_profile(), "same") == 200
    assert (tool.told, tool.repeats) == (1, 1)


async def test_without_the_right_signature_nothing_is_believed() -> None:
    tool = Tool("sales")
    assert await posted(tool, b"{}", "one", secret=Tool("other").secret) == 401
    assert (tool.told, tool.unproved, tool.last) == (0, 1, 401)


async def test_a_merge_is_one_person_from_then_on() -> None:
    tool = Tool("sales")
    await told(tool, a_profile("p1", 1, name="Ann"))
    await told(tool, a_profile("p2", 1, name="Ann"))
    assert await told(tool, a_profile("p1", 2, name="Ann"), absorbed=["p2"]) == 204
    assert tool.people.keys() == {"p1"}
    assert tool.news[-1] == "Ann: 2 profiles are one now, out of 1 records"


async def test_a_tool_that_is_out_turns_everybody_away_and_then_hears_again(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(clock, "monotonic", lambda: now)
    tool = Tool("marketing", outage=Outage(begins=5, lasts=10, every=60))
    assert await told(tool, a_profile()) == 204
    tool.start()
    now = 106.0
    assert await told(tool, a_profile()) == 503
    assert tool.is_out
    now = 115.5
    assert await told(tool, a_profile(version=2)) == 204
    assert (tool.told, tool.turned_away) == (2, 1)


@pytest.mark.parametrize(("seconds", "out"), [(4.9, False), (5.0, True), (14.9, True), (15.0, False), (65.0, True)])
def test_an_outage_comes_again(seconds: float, out: bool) -> None:
    assert Outage(begins=5, lasts=10, every=60).covers(seconds) is out


def test_somebody_without_a_name_is_called_by_an_address() -> None:
    assert tools.called(a_profile(phone="+49 30 1")) == "+49 30 1"
    assert tools.called(a_profile(given_name="Ann", family_name="Lee", name="LEE, ANN")) == "Ann Lee"
    assert tools.called(a_profile()) == "somebody"
