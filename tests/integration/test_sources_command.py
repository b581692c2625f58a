"""`hub sources` beside a hub that runs: who was heard, what was refused, and test events that are real ones."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import orjson
import pytest
import pytest_asyncio

from hub.embedded import Addresses
from hub.errors import BadProof, Unreadable
from producers.gateway import refusals
from producers.gateway.refusals import Refusals
from tests.support.hub import KEY, Hub, caller
from tests.support.line import until

pytestmark = pytest.mark.integration
FURTHER = (
    '[sources.site]\nkind = "tracking"\nwrite_keys = ["wk_site"]\n[sources.quiet]\nkind = "web_form"\nkeys = ["k"]\n'
)
NOWHERE = "redis://127.0.0.1:1/0"


@pytest_asyncio.fixture
async def hub(tmp_path: Path, servers: Addresses, database_url: str) -> AsyncIterator[Hub]:
    one = Hub(tmp_path / f"sources-{uuid4().hex[:6]}", servers, database_url)
    with (one.folder / "hub.toml").open("a", encoding="utf-8") as settings:
        settings.write(FURTHER)
    await one.start()
    yield one
    await one.stop()


async def asked(hub: Hub, *words: str) -> Any:
    """What the command prints for programs."""
    status, printed = await hub.command("sources", *words, "--json")
    assert status == 0, printed
    return orjson.loads(printed)


async def test_a_source_is_heard_refused_and_tried(hub: Hub) -> None:
    found = {one["name"]: one for one in (await asked(hub, "list"))["sources"]}
    for one in found.values():
        assert (one["events"], one["last_heard_at"], one["refused"]["count"]) == (0, None, 0)
    assert found["web-eu"]["address"] == f"{hub.gateway}/in/web-eu"
    assert found["site"]["address"] == f"{hub.gateway}/v1/"
    tried = [await asked(hub, "test", name, "--send") for name in ("web-eu", "site")]
    assert [(one["status"], one["dead_letter"]) for one in tried] == [(202, None), (200, None)]
    assert orjson.loads(tried[0]["answer"])["id"] == tried[0]["event_id"] == tried[0]["activity_id"]
    for one in tried:
        status, shown = await hub.command("profiles", "show", one["profile_id"])
        assert (status, b"hub-test@example.com" in shown) == (0, True)
    async with caller() as client:
        for _ in range(3):
            assert (await client.post(f"{hub.gateway}/in/web-eu?key=wrong", data={"name": "x"})).status_code == 401
        assert (await client.post(f"{hub.gateway}/v1/track", json={"writeKey": "other"})).status_code == 401

        async def counted() -> bool:
            report = await asked(hub, "list")
            return [one["refused"]["count"] for one in report["sources"] + report["elsewhere"]] == [3, 0, 0, 1]

        await until(counted, "four refusals are counted")
        report = await asked(hub, "list")
        told = await client.get(f"{hub.console}/api/sources", headers={"authorization": f"Bearer {KEY}"})
    assert told.json() == report
    found = {one["name"]: one for one in report["sources"]}
    refused = found["web-eu"]["refused"]
    assert (refused["count"], refused["statuses"]) == (3, {"401": 3})
    assert (refused["last"]["status"], refused["last"]["field"]) == (401, "key")
    assert [(one["door"], one["refused"]["last"]["field"]) for one in report["elsewhere"]] == [("/v1", "writeKey")]
    assert [found[name]["events"] for name in ("web-eu", "site", "quiet")] == [1, 1, 0]
    assert found["web-eu"]["last_heard_at"] < refused["last"]["at"]
    status, table = await hub.command("sources", "list")
    assert (status, b"never" in table, b"a form needs its key" in table) == (0, True, True)


async def test_the_printed_command_sends_the_event_and_what_cannot_be_sent_is_told(hub: Hub) -> None:
    assert (await hub.command("sources", "test", "nobody"))[0] == 1
    assert (await hub.command("sources", "test", "quiet", "--send", "--url", "http://127.0.0.1:1"))[0] == 1
    if not shutil.which("curl"):
        pytest.skip("curl is not installed")
    for name, status in (("web-eu", b" 202 "), ("site", b" 200 ")):
        _, command = await hub.command("sources", "test", name)
        process = await asyncio.create_subprocess_exec(
            "sh", "-c", command.decode(), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
        )
        said, _ = await process.communicate()
        assert status in said.splitlines()[0] + b" "


async def test_refusals_wait_while_redis_is_away(servers: Addresses) -> None:
    prefix, told, stop = f"{uuid4().hex[:8]}.", Refusals(), asyncio.Event()
    assert await refusals.read(NOWHERE, prefix) is None
    assert await refusals.read(servers.redis, prefix) == {}
    for number in range(1000):
        told.note("desk", BadProof("no signature", f"x-{number}"))
    stop.set()
    await told.keep("no address", prefix, stop)
    await told.keep(NOWHERE, prefix, stop)
    told.note("desk", Unreadable("half \ud83d", None))
    await told.keep(servers.redis, prefix, stop)
    await told.keep(servers.redis, prefix, stop)
    found = await refusals.read(servers.redis, prefix)
    assert found is not None
    desk = found.pop("desk")
    assert (found, desk["count"], desk["statuses"]) == ({}, 1001, {"401": 1000, "400": 1})
    assert (desk["last"]["status"], desk["last"]["detail"], desk["last"]["field"]) == (400, "half ?", None)
