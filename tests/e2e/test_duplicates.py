"""Two look-alikes come in by events, a person decides about them, and the second one to decide hears of the first."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
import pytest_asyncio

from hub.embedded import Addresses
from tests.support.databases import named, order
from tests.support.hub import HUB, KEY, Hub, caller

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]
AUTHORIZATION = {"authorization": f"Bearer {KEY}"}


@pytest_asyncio.fixture
async def hub(tmp_path: Path, servers: Addresses) -> AsyncIterator[Hub]:
    database = f"duplicates_{os.getpid()}"
    await order(servers.postgres, f"CREATE DATABASE {database}")
    one = Hub(tmp_path / "hub", servers, named(servers.postgres, database))
    await one.start()
    yield one
    assert await one.stop() == 0, one.log
    await order(servers.postgres, f"DROP DATABASE {database} WITH (FORCE)")


async def say(hub: Hub, account: str, **contact: str) -> None:
    """An event about somebody whom a tool calls `account`."""
    event = {
        "specversion": "1.0", "id": f"note {account}", "source": "/tools/desk", "type": "note.added",
        "time": "2026-11-01T08:00:00Z", "data": {"contact": {"id": account, **contact}, "text": "hello"},
    }  # fmt: skip
    content = {"content-type": "application/cloudevents+json"}
    async with caller(headers=AUTHORIZATION | content) as client:
        answer = await client.post(f"{hub.gateway}/events", content=orjson.dumps(event))
    assert answer.status_code == 202, answer.text


async def ask(hub: Hub, method: str, path: str, **more: Any) -> httpx.Response:
    async with caller(base_url=hub.console, headers=AUTHORIZATION, timeout=20) as client:
        return await client.request(method, path, **more)


async def listed(hub: Hub, state: str = "open") -> list[dict[str, Any]]:
    """The pairs of one state."""
    answer = await ask(hub, "GET", f"/api/duplicates?state={state}")
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["duplicates"]
    return found


async def decide(hub: Hub, pair: str, *words: str) -> tuple[int, str]:
    """`hub duplicates decide`; gives its status, and what it says on either stream."""
    process = await asyncio.create_subprocess_exec(
        *HUB, "duplicates", "decide", pair, *words,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, env=hub.environment(), cwd=hub.folder,
    )  # fmt: skip
    printed, _ = await process.communicate()
    return process.returncode or 0, printed.decode()


async def test_two_look_alikes_are_found_shown_made_one_and_parted_again(hub: Hub) -> None:
    await say(hub, "a", email="lukas@brenner.org", phone="+4930901820", given_name="Lukas", family_name="Brenner")
    await say(hub, "b", email="l.brener@firm.org", phone="+4930901820", given_name="Lukas", family_name="Brener")
    await hub.until_quiet()
    status, printed = await hub.command("duplicates", "list", "--json")
    assert status == 0
    (pair,) = orjson.loads(printed)["duplicates"]
    assert {pair["one"]["name"], pair["other"]["name"]} == {"Lukas Brenner", "Lukas Brener"}
    shown = (await ask(hub, "GET", f"/api/duplicates/{pair['id']}")).json()
    assert [row["verdict"] for row in shown["fields"] if row["field"] == "phone"] == ["equal"]
    status, printed = await hub.command("duplicates", "show", pair["id"])
    assert (status, b"family name" in printed, b"why the hub did not decide itself" in printed) == (0, True, True)

    status, said = await decide(hub, pair["id"], "same", "--reason", "she called", "--json")
    assert (status, orjson.loads(said)["state"]) == (0, "done")
    await hub.until_quiet()
    assert await listed(hub) == []
    (confirmed,) = await listed(hub, "confirmed")
    assert confirmed["one"]["profile_id"] == confirmed["other"]["profile_id"]

    status, said = await decide(hub, pair["id"], "different")
    assert status == 1
    assert "that they are one person" in said
    late = await ask(hub, "POST", f"/api/duplicates/{pair['id']}", json={"verdict": "different"})
    assert (late.status_code, late.headers["content-type"]) == (409, "application/problem+json")
    assert late.json()["detail"] in said

    answer = await ask(hub, "POST", f"/api/decisions/{confirmed['decision']['id']}/withdraw", json={})
    assert answer.status_code == 200
    await hub.until_quiet()
    (again,) = await listed(hub)
    assert again["id"] == pair["id"]
    path, asked = f"/api/duplicates/{pair['id']}", {"verdict": "different", "reason": "two brothers"}
    dry = await ask(hub, "POST", path, json=asked | {"dry_run": True})
    assert (dry.status_code, dry.json()["state"]) == (200, "dry run")
    assert (await ask(hub, "POST", path, json=asked)).json()["state"] == "done"
    await hub.until_quiet()
    (rejected,) = await listed(hub, "rejected")
    assert (rejected["decision"]["by"], await listed(hub)) == ("crm", [])
