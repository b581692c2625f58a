"""Owner, stage, tags, notes and calls through a whole hub: by command, over HTTP and by a rule, told to the tools."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import orjson
import pytest
import pytest_asyncio

from hub import clock
from hub.embedded import Addresses
from hub.settings import Kafka
from producers.deeds import deed, open_deeds
from tests.support.databases import named, order
from tests.support.hub import KEY, Hub, caller
from tests.support.tools import FakeTool

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]
AUTHORIZATION = {"authorization": f"Bearer {KEY}"}
EVE, JOE = "eve@firm.example", "joe@firm.example"


@pytest_asyncio.fixture
async def house(tmp_path: Path, servers: Addresses) -> AsyncIterator[tuple[Hub, FakeTool]]:
    database = f"remarks_{os.getpid()}"
    await order(servers.postgres, f"CREATE DATABASE {database}")
    async with FakeTool().serving() as sales:
        hub = Hub(tmp_path, servers, named(servers.postgres, database), {"sales": sales.url})
        await hub.start()
        yield hub, sales
        assert await hub.stop() == 0, hub.log
    await order(servers.postgres, f"DROP DATABASE {database} WITH (FORCE)")


async def say(hub: Hub, person: str) -> str:
    """An event about somebody; gives their profile's id."""
    event = {
        "specversion": "1.0", "id": person, "source": "/crm", "type": "contact.updated",
        "time": "2026-11-01T08:00:00Z", "data": {"contact": {"id": person, "email": f"{person}@firm.org"}},
    }  # fmt: skip
    content = {"content-type": "application/cloudevents+json"}
    async with caller(headers=AUTHORIZATION | content) as client:
        answer = await client.post(f"{hub.gateway}/events", content=orjson.dumps(event))
    assert answer.status_code == 202, answer.text
    await hub.until_quiet()
    found: str = (await ask(hub, "GET", f"/api/profiles/lookup?email={person}@firm.org"))["profile_id"]
    return found


async def ask(hub: Hub, method: str, path: str, key: str = "", **more: Any) -> Any:
    """An answer of the console's listener; `key` says it once."""
    headers = AUTHORIZATION | ({"idempotency-key": key} if key else {})
    async with caller(base_url=hub.console, headers=headers, follow_redirects=True) as client:
        answer = await client.request(method, path, **more)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def by_command(hub: Hub, *words: str) -> None:
    status, printed = await hub.command("profiles", *words, "--json")
    assert (status, orjson.loads(printed)["state"]) == (0, "done")


async def by_rule(hub: Hub, profile: str, event_type: str, **said: str | None) -> None:
    """What a rule sets, on its way through the topic that deeds take."""
    data = {"by": "rule:turn", "rule": "turn", "record": profile, **said}
    async with open_deeds(Kafka(servers=hub.servers.kafka, prefix=hub.prefix, partitions=4)) as deeds:
        await deeds.do(deed(event_type, data, clock.text(clock.now())))
    await hub.until_quiet()


async def exported(hub: Hub, *words: str) -> dict[str, Any]:
    """The export's lines by profile id."""
    status, printed = await hub.command("profiles", "export", *words)
    assert status == 0
    return {one["profile_id"]: one for one in map(orjson.loads, printed.splitlines())}


async def set_by_hand(hub: Hub, ann: str, bob: str) -> None:
    """By command and over HTTP; one of them twice under one key."""
    await by_command(hub, "assign", ann, EVE)
    await by_command(hub, "stage", bob, "customer")
    await by_command(hub, "tag", ann, "vip")
    await by_command(hub, "call", ann, "asked about delivery", "--outcome", "calls back", "--seconds", "60")
    note = (f"/api/profiles/{ann}/notes", {"text": "the blue one"})
    first, again = [await ask(hub, "POST", note[0], key="once", json=note[1]) for _ in range(2)]
    assert first["id"] == again["id"]
    assert first["data"] == {"by": "crm", "record": ann, "text": "the blue one"}
    for path, body in (("tags", {"tag": "vip", "remove": True}), ("stage", {"stage": "lead"})):
        assert (await ask(hub, "POST", f"/api/profiles/{ann}/{path}", json=body))["state"] == "done"


async def merged_and_back(hub: Hub, ann: str, bob: str) -> None:
    """While they are one, their words count together; then each has its own."""
    before = await exported(hub)
    await by_command(hub, "merge", ann, bob)
    await hub.until_quiet()
    (one,) = (await exported(hub)).values()
    assert (one["owner"], one["stage"]) == (EVE, "lead")
    explained = await ask(hub, "GET", f"/api/profiles/{ann}/why")
    await by_command(hub, "withdraw", explained["decisions"][0]["id"])
    await hub.until_quiet()
    assert await exported(hub) == before


async def test_what_people_and_rules_set_goes_where_the_record_goes(house: tuple[Hub, FakeTool]) -> None:
    hub, sales = house
    ann, bob = await say(hub, "ann"), await say(hub, "bob")
    plain = await exported(hub)
    await by_rule(hub, ann, "owner.assigned", owner=JOE)
    await by_rule(hub, ann, "tag.added", tag="urgent")
    hers = (await exported(hub))[ann]
    assert (hers["owner"], hers["tags"]) == (JOE, ["urgent"])
    assert await exported(hub, "--facts") == plain, "no rule's word is a fact"

    await set_by_hand(hub, ann, bob)
    await by_rule(hub, ann, "owner.assigned", owner=JOE)
    hers, facts = (await exported(hub))[ann], (await exported(hub, "--facts"))[ann]
    assert (hers["owner"], hers["stage"], hers["tags"], hers["activities"]) == (EVE, "lead", ["urgent"], 3)
    assert (facts["owner"], facts["stage"], facts["tags"]) == (EVE, "lead", [])
    entries = (await ask(hub, "GET", f"/api/profiles/{ann}/timeline"))["entries"]
    assert [one["type"] for one in entries] == ["note.added", "call.logged", "contact.updated"]
    last = [got.profile for got in sales.got if got.profile["profile_id"] == ann][-1]
    assert {name: value for name, value in last.items() if name != "version"} == hers

    await merged_and_back(hub, ann, bob)
    _, shown = await hub.command("profiles", "show", ann)
    assert EVE.encode() in shown
