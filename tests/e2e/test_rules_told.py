"""Rules tell tools, in a hub that runs and is killed: one id per deed, signed, and nothing goes round."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import orjson
import pytest
import pytest_asyncio
from standardwebhooks import Webhook

from hub.embedded import Addresses
from tests.support.databases import named, order
from tests.support.hub import KEY, Hub, caller
from tests.support.line import until
from tests.support.told import SECRET
from tests.support.tools import FakeTool, Got

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]
RULE = b"""
rule: asked
version: 1
about: The tool of sales hears of whoever asks, and the channel of service as well.
when: {event: note.added}
steps:
  - call_webhook: {destination: sales}
  - notify: {destination: chat, text: Somebody asked.}
  - add_tag: {tag: asked}
"""
PEOPLE = 12


@dataclass
class World:
    """A hub with a tool that is named, one that subscribes, and a chat."""

    hub: Hub
    sales: FakeTool
    crm: FakeTool
    chat: FakeTool
    connection: asyncpg.Connection

    async def says(self, number: int, **attributes: int | str) -> str:
        """Somebody asks, as a tool tells it; gives the event's id."""
        event = {
            "specversion": "1.0", "id": f"asked {number}", "source": "/crm", "type": "note.added", **attributes,
            "data": {"contact": {"id": f"c{number}", "email": f"c{number}@customers.org"}, "text": "hello"},
        }  # fmt: skip
        structured = {"authorization": f"Bearer {KEY}", "content-type": "application/cloudevents+json"}
        async with caller(headers=structured) as client:
            answer = await client.post(f"{self.hub.gateway}/events", content=orjson.dumps(event))
        assert answer.status_code == 202, answer.text
        found: str = answer.json()["id"]
        return found


@pytest_asyncio.fixture
async def world(tmp_path: Path, servers: Addresses) -> AsyncIterator[World]:
    database = f"rules_told_{os.getpid()}"
    await order(servers.postgres, f"CREATE DATABASE {database}")
    url = named(servers.postgres, database)
    async with FakeTool().serving() as sales, FakeTool().serving() as crm, FakeTool().serving() as chat:
        hub = Hub(tmp_path, servers, url, {"sales": sales.url})
        with (tmp_path / "hub.toml").open("a") as file:
            file.write(
                f'[destinations.crm]\nkind = "webhook"\nurl = "{crm.url}"\nsecret = "{SECRET}"\nallow_private = true\n'
                'events = "action.*"\nretry_seconds = [0.1, 0.2, 0.5, 1, 1, 1, 1, 1]\n'
                f'[destinations.chat]\nkind = "slack"\nurl = "{chat.url}"\nallow_private = true\n'
            )
        (tmp_path / "rules").mkdir()
        (tmp_path / "rules" / "asked.yaml").write_bytes(RULE)
        await hub.start(HUB_CRASH_AT="after_http_2xx_before_commit:3")
        connection = await asyncpg.connect(url)
        yield World(hub, sales, crm, chat, connection)
        await connection.close()
        assert await hub.stop() == 0, hub.log
    await order(servers.postgres, f"DROP DATABASE {database} WITH (FORCE)")


def deeds(tool: FakeTool) -> dict[str, Got]:
    """The posts about deeds, the last of each id; the same id has the same bytes."""
    found = [got for got in tool.got if got.json["type"] == "action.fired"]
    assert len({got.id for got in found}) == len({(got.id, got.body) for got in found})
    return {got.id: got for got in found}


async def test_each_deed_is_told_under_one_id_through_kills_and_repeats_and_ends_where_it_goes_round(
    world: World,
) -> None:
    events = await asyncio.gather(*(world.says(number) for number in range(PEOPLE)))
    await until(lambda: "status=137" in world.hub.log, "it died between the tool's 2xx and the commit", within=60)
    await world.hub.kill()
    await world.hub.start()
    tired = await world.says(PEOPLE, hops=9, origin="a,b")
    last = await world.says(PEOPLE + 1, hops=8, origin="a,b")
    await asyncio.gather(*(world.says(number) for number in range(PEOPLE)))
    await world.hub.until_quiet()

    named_by_rule, subscribed = deeds(world.sales), deeds(world.crm)
    actions = [got.json["data"]["action"] for got in named_by_rule.values()]
    assert sorted(one["key"] for one in actions) == sorted(f"asked:{event}:1" for event in (*events, last))
    assert [(one["hops"], one["origin"]) for one in actions if one["event_id"] == last] == [(9, "a,b,hub")]
    assert len(subscribed) == 3 * (PEOPLE + 1), "a deed of every step"
    assert {got.json["type"] for got in world.crm.got} == {"action.fired"}
    for got in (*named_by_rule.values(), *subscribed.values()):
        assert Webhook(SECRET).verify(got.body, got.headers) == got.json
    said = [got.json["text"] for got in world.chat.got]
    assert len(set(said)) == PEOPLE + 1
    assert all(text.startswith("Somebody asked.\n") for text in said)
    states = await world.connection.fetch("SELECT DISTINCT state FROM delivery WHERE type = 'action.fired'")
    assert [row[0] for row in states] == ["delivered"]
    profile = await world.connection.fetchval(
        "SELECT profile_id FROM activity JOIN source_record USING (record_id) WHERE event_id = $1", tired
    )
    status, printed = await world.hub.command("rules", "explain", tired, str(profile), "--json")
    assert (status, [one["verdict"] for one in orjson.loads(printed)["rules"]]) == (0, ["loop"])
