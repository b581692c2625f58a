"""From the topic `profiles` to the tools: sync, dispatcher and webhooks on the real PostgreSQL and real HTTP."""

from __future__ import annotations

import pytest

from hub.identity.ids import as_text
from hub.storage.pool import Pool
from tests.support.told import House, a_tool, an_id
from tests.support.tools import FakeTool, until

pytestmark = pytest.mark.integration
ANN, BOB = an_id("ann"), an_id("bob")


async def test_a_new_profile_is_told_once_and_an_update_after_it(pool: Pool) -> None:
    async with FakeTool().serving() as sales:
        house = House(pool, a_tool("sales", sales.url))
        async with house.dispatching():
            await house.puts(ANN, 1)
            await sales.until(lambda: len(sales.got) == 1)
            await until(house.quiet)
            await house.puts(ANN, 2)
            await sales.until(lambda: len(sales.got) == 2)
            await until(house.quiet)
        first, second = sales.got
        assert (first.json["type"], second.json["type"]) == ("profile.created", "profile.updated")
        assert first.profile == {"activities": 1, "fields": {}, "profile_id": as_text(ANN), "version": 1}
        assert second.profile["version"] == 2
        assert await house.states() == ["delivered", "delivered"]
