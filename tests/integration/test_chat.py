"""A channel of a chat: what `notify` says is posted there, and nothing else."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from consumers.ways import Manner
from hub.storage.pool import Pool
from tests.support.acting import TEAMS, House, a_rule, happens
from tests.support.line import batch_connections
from tests.support.telling import profile_of
from tests.support.told import House as Outgoing
from tests.support.told import a_chat
from tests.support.tools import FakeTool, Got, until

pytestmark = pytest.mark.integration


@pytest_asyncio.fixture
async def connections(database_url: str) -> AsyncIterator[Pool]:
    async with batch_connections(database_url) as pool:
        yield pool


async def test_a_channel_of_a_chat_gets_what_notify_says_and_nothing_else(connections: Pool, pool: Pool) -> None:
    async with FakeTool().serving() as chat:
        out = Outgoing(pool, a_chat(chat.url))
        house = House(connections, Manner(TEAMS, tools=out.tools))
        await house.rules(
            a_rule(steps=[{"notify": {"destination": "chat", "text": "Call <her>."}}, {"add_tag": {"tag": "x"}}])
        )
        order = happens("order.placed")
        await house.live(order)
        profile = await profile_of(house, order)
        await out.puts((bytes.fromhex(profile.replace("-", "")), 7))
        async with out.dispatching():
            await until(out.quiet)
        (got,) = chat.got
        assert said(got) == f"Call &lt;her&gt;.\nann@\u200bcustomers.org ({profile})"
        assert "webhook-signature" not in got.headers
        assert await out.states() == ["delivered"]


def said(got: Got) -> str:
    """What stands in the channel."""
    assert set(got.json) == {"text"}
    text: str = got.json["text"]
    return text
