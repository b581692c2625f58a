"""Somebody asks to be forgotten: tables, the topic of profiles and tools let go of them, and no replay helps."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import orjson
import pytest
import pytest_asyncio

from hub.embedded import Addresses
from hub.settings import Kafka
from tests.support.databases import named, order
from tests.support.hub import KEY, Hub
from tests.support.line import read_all
from tests.support.tools import FakeTool

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]
AUTHORIZATION = {"authorization": f"Bearer {KEY}"}
WORDS = ("nnabella", "ann.lee", "901820", "c-4711", "lamp")


@pytest_asyncio.fixture
async def hub(tmp_path: Path, servers: Addresses) -> AsyncIterator[tuple[Hub, FakeTool, str]]:
    database = f"erasure_{os.getpid()}"
    await order(servers.postgres, f"CREATE DATABASE {database}")
    async with FakeTool().serving() as sales:
        found = Hub(tmp_path, servers, named(servers.postgres, database), {"sales": sales.url})
        await found.start()
        yield found, sales, named(servers.postgres, database)
        assert await found.stop() == 0, found.log
    await order(servers.postgres, f"DROP DATABASE {database} WITH (FORCE)")


async def say(hub: Hub, identity: str, contact: dict[str, str], at: str) -> None:
    """An event of a tool; the same again for the same id."""
    event = {
        "specversion": "1.0", "id": identity, "source": "/crm", "type": "note.added", "time": at,
        "data": {"contact": contact, "text": f"asked for what {contact.get('given_name', 'nobody')} wants"},
    }  # fmt: skip
    content = {"content-type": "application/cloudevents+json"}
    async with httpx.AsyncClient(headers=AUTHORIZATION | content) as client:
        answer = await client.post(f"{hub.gateway}/events", content=orjson.dumps(event))
    assert answer.status_code == 202, answer.text


async def ask(hub: Hub, method: str, path: str, **more: Any) -> httpx.Response:
    """An answer of the console's listener."""
    async with httpx.AsyncClient(base_url=hub.console, headers=AUTHORIZATION, follow_redirects=True) as client:
        return await client.request(method, path, **more)


async def everything(url: str) -> str:
    """Every row of every table as text, and the bytes that tools and letters hold."""
    connection = await asyncpg.connect(url)
    try:
        tables = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        rows = [row[0] for one in tables for row in await connection.fetch(f"SELECT t::text FROM {one[0]} t")]
        bodies = [bytes(row[0]) for row in await connection.fetch("SELECT body FROM delivery WHERE body IS NOT NULL")]
    finally:
        await connection.close()
    return "\n".join(rows) + b"\n".join(bodies).decode()


ANN = {"id": "c-4711", "email": "ann.lee@example.com", "phone": "+4930901820", "given_name": "Annabella"}
FORM = {
    "email": "Ann.Lee@example.com",
    "name": "Annabella Lee",
    "message": "the lamp",
    "submitted_at": "2026-11-02T08:00:00Z",
}


async def spoken(hub: Hub) -> None:
    """What Ann says, through two doors, and Bob beside her."""
    await say(hub, "1", ANN, "2026-11-01T08:00:00Z")
    await say(hub, "2", {"id": "c-12", "email": "bob@example.com"}, "2026-11-01T09:00:00Z")
    async with httpx.AsyncClient() as client:
        answer = await client.post(f"{hub.gateway}/in/web-eu?key=pk_web_eu", json=FORM)
    assert answer.status_code == 202, answer.text
    await hub.until_quiet()


async def test_after_an_erasure_nothing_decodes_to_the_person_and_no_replay_brings_them_back(
    hub: tuple[Hub, FakeTool, str],
) -> None:
    house, sales, database = hub
    await spoken(house)
    found = (await ask(house, "GET", "/api/profiles/lookup?email=ann.lee@example.com")).json()
    path = f"/api/profiles/{found['profile_id']}/erase"
    shown = (await ask(house, "POST", path, json={"dry_run": True})).json()
    assert {one["source"] for one in shown["records"]} == {"crm", "web-eu"}
    assert all(one["sure"] for one in shown["records"])
    done = (await ask(house, "POST", path, json={"request": "2026-113"})).json()
    assert done["state"] in {"done", "on its way"}
    await sales.until(lambda: any(got.json["type"] == "profile.erased" for got in sales.got))
    await house.until_quiet()
    left = await everything(database)
    assert [word for word in WORDS if word in left] == []
    assert "bob@example.com" in left
    gone = {got.profile["profile_id"] for got in sales.got if got.json["type"] == "profile.erased"}
    assert found["profile_id"] in gone
    assert (await ask(house, "GET", f"/api/profiles/{found['profile_id']}")).status_code == 404
    assert (await ask(house, "GET", "/api/profiles/lookup?email=ann.lee@example.com")).status_code == 404
    states = {record.key: record.value for record in await read_all(topics_of(house), "profiles")}
    assert states[found["profile_id"].encode()] is None, "a tombstone: compaction drops what stood there"

    await spoken(house)
    await say(house, "late", {"id": "x-9", "email": "ann.lee@example.com"}, "2026-10-01T08:00:00Z")
    await house.until_quiet()
    left = await everything(database)
    assert [word for word in WORDS if word in left] == [], "a replay, or an old event that arrives late"

    await say(house, "back", ANN, "2099-01-01T08:00:00Z")
    await house.until_quiet()
    back = (await ask(house, "GET", "/api/profiles/lookup?account=crm:c-4711")).json()
    assert back["profile_id"] != found["profile_id"]
    assert back["activities"] == 1


def topics_of(hub: Hub) -> Kafka:
    """The topics of this hub."""
    return Kafka(servers=hub.servers.kafka, prefix=hub.prefix, partitions=4)
