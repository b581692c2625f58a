"""Events that went round: how many tools they passed comes with them, and beyond eight no rule acts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from hub.storage.pool import Pool
from tests.support.acting import a_rule, explained, happens, hour
from tests.support.line import batch_connections
from tests.support.memory import record
from tests.support.telling import World
from tests.support.tools import FakeTool

pytestmark = pytest.mark.integration
CALL: list[dict[str, Any]] = [{"call_webhook": {"destination": "crm"}}]


@pytest_asyncio.fixture
async def connections(database_url: str) -> AsyncIterator[Pool]:
    async with batch_connections(database_url) as pool:
        yield pool


@pytest_asyncio.fixture
async def crm() -> AsyncIterator[FakeTool]:
    async with FakeTool().serving() as tool:
        yield tool


async def test_an_event_that_has_passed_more_than_eight_tools_sets_nothing_off_and_says_so(
    connections: Pool, pool: Pool, crm: FakeTool
) -> None:
    world = World(connections, pool, crm)
    await world.house.rules(a_rule(steps=CALL))
    last = happens("order.placed")._replace(hops=8, origin="a,b")
    tired = happens("order.placed", at=hour(1))._replace(hops=9, origin="a,b")
    await world.house.live(last, tired)
    await world.sends()
    assert [verdict for _, _, verdict in await world.house.verdicts()] == ["fired", "loop"]
    assert [action["hops"] for action in world.actions()] == [9], "which is one too many for whoever passes it on"


async def test_the_verdict_loop_explains_itself(
    connections: Pool, pool: Pool, crm: FakeTool, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HUB_POSTGRES__URL", database_url)
    monkeypatch.setenv("HUB_KAFKA__SERVERS", "127.0.0.1:1")
    monkeypatch.setenv("HUB_REDIS__URL", "redis://127.0.0.1:1/0")
    world = World(connections, pool, crm)
    await world.house.rules(a_rule(steps=CALL))
    tired = happens("order.placed")._replace(hops=9)
    await world.house.live(tired)
    told = await explained(tired, record(tired))
    assert [(one["verdict"], one["reason"]) for one in told["rules"]] == [
        ("loop", "the event has passed 9 tools, more than 8")
    ]
