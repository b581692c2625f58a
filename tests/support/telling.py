"""Rules and the tools that are told of what they did, on one database."""

from __future__ import annotations

from typing import Any

from consumers.ways import Manner
from hub.identity.evidence import Fact
from hub.identity.ids import as_text
from hub.storage.pool import Pool
from tests.support.acting import TEAMS, House
from tests.support.memory import record
from tests.support.told import House as Outgoing
from tests.support.told import a_tool
from tests.support.tools import FakeTool, until


class World:
    """Rules and a tool on one database; the tool is `crm`, with these settings."""

    def __init__(self, connections: Pool, pool: Pool, crm: FakeTool, **own: Any) -> None:
        self.crm = crm
        self.out = Outgoing(pool, a_tool("crm", crm.url, **own))
        self.house = House(connections, Manner(TEAMS, tools=self.out.tools))

    async def sends(self) -> None:
        """The dispatcher runs until nothing is open."""
        async with self.out.dispatching():
            await until(self.out.quiet)

    def actions(self) -> list[dict[str, Any]]:
        """What the tool heard of deeds."""
        return [got.json["data"]["action"] for got in self.crm.got if got.json["type"] == "action.fired"]


async def profile_of(house: House, one: Fact) -> str:
    """Whose the event is now."""
    found = await house.pool.fetchval("SELECT profile_id FROM source_record WHERE record_id = $1", record(one))
    return as_text(found)
