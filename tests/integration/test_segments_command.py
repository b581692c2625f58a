"""`hub segments`, `/api/segments` and `hub rules explain`: who is in a segment, and what came of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import orjson
import pytest
import pytest_asyncio
from typer.testing import CliRunner

from hub.api.app import create_app
from hub.cli.segments import app
from hub.identity.ids import as_text
from hub.settings import check
from tests.support.acting import House, a_rule, explained, happens, hour
from tests.support.line import batch_connections
from tests.support.memory import record
from tests.support.segments import BUYERS

pytestmark = pytest.mark.integration


@pytest_asyncio.fixture
async def house(database_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[House]:
    for name, value in {
        "POSTGRES__URL": database_url, "KAFKA__SERVERS": "127.0.0.1:1", "REDIS__URL": "redis://127.0.0.1:1/0"
    }.items():  # fmt: skip
        monkeypatch.setenv(f"HUB_{name}", value)
    async with batch_connections(database_url) as connections:
        yield House(connections)


async def hub(*words: str) -> tuple[int, str]:
    """`hub segments …` as a person sees it."""
    result = await asyncio.to_thread(CliRunner().invoke, app, list(words))
    return result.exit_code, result.output


async def no_lag() -> dict[str, Any]:
    return {}


async def test_segments_are_listed_with_their_members_on_the_command_line_and_over_http(house: House) -> None:
    await house.rules(BUYERS)
    await house.live(*(happens("order.placed", who, hour(at)) for who in ("ann", "bob") for at in (0, 1)))
    status, shown = await hub("list", "--json")
    (listed,) = orjson.loads(shown)["segments"]
    assert (status, listed["name"], listed["version"], listed["members"], listed["waiting"]) == (0, "buyers", 1, 2, 2)
    await house.look(hour(1))
    status, shown = await hub("members", "buyers", "--json", "--limit", "1")
    page = orjson.loads(shown)
    assert page["next"]
    settings = check({"keys": {"all": {"secret": "open", "scopes": ["profiles:read"]}}})
    transport = httpx.ASGITransport(create_app(settings, house.pool, no_lag, {}))
    async with httpx.AsyncClient(transport=transport, base_url="http://hub") as client:
        assert (await client.get("/api/segments")).status_code == 401
        client.headers["authorization"] = "Bearer open"
        (again,) = (await client.get("/api/segments")).json()["segments"]
        rest = (await client.get("/api/segments/buyers/members", params={"before": page["next"]})).json()
        missing = await client.get("/api/segments/buyer/members")
        wrong = await client.get("/api/segments/buyers/members", params={"before": "x"})
    assert again == {**listed, "waiting": 0}
    assert {one["email"] for one in (*page["members"], *rest["members"])} == {"ann@customers.org", "bob@customers.org"}
    assert [one["since"] for one in (*page["members"], *rest["members"])] == [hour(1), hour(1)]
    assert rest["next"] is None
    assert (missing.status_code, wrong.status_code) == (404, 422)
    assert "did you mean buyers?" in missing.text
    assert (await hub("members", "buyer"))[0] == 1
    assert (await hub("members"))[0] == 2
    status, shown = await hub("list")
    assert (status, "buyers" in shown) == (0, True)
    assert "ann@customers.org" in (await hub("members", "buyers"))[1]


async def test_why_a_rule_followed_somebody_who_came_in_is_explained(house: House) -> None:
    await house.rules(BUYERS, a_rule("welcome", when={"enters": "buyers"}), a_rule("other", when={"leaves": "buyers"}))
    await house.look()
    order = happens("order.placed", at=hour(1))
    await house.live(happens("order.placed", at=hour(0)), order)
    await house.told()
    (event,) = await house.pool.fetch("SELECT event_id FROM activity WHERE type = 'segment.entered'")
    told = await explained(order._replace(event=event[0], id=as_text(event[0])), record(order))
    assert (told["type"], [one["rule"] for one in told["rules"]]) == ("segment.entered", ["welcome"])
    await house.rules(a_rule("late", when={"enters": "buyers"}))
    await house.pool.execute("UPDATE rule_state SET live_since = clock_timestamp() WHERE name = 'late'")
    told = await explained(order._replace(event=event[0], id=as_text(event[0])), record(order))
    assert [(one["rule"], one["verdict"]) for one in told["rules"]] == [("welcome", "fired"), ("late", "not asked")]
