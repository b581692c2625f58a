"""kill -9 of the whole hub, again and again under load: nothing lost, nothing done twice."""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from hub.embedded import Addresses
from tests.support.databases import named, order
from tests.support.hub import KEY, Hub
from tests.support.tools import FakeTool

SEED = int(os.environ.get("KILL_SEED", "20261122"))  # noqa: TID251 - the seed of a run that is to be seen again
KILLS = int(os.environ.get("KILL_TIMES", "10"))  # noqa: TID251 - a nightly run kills more
EVENTS, PEOPLE, PER_SECOND = 600, 90, 100
TOOLS = ("sales", "service", "marketing")


@dataclass(frozen=True)
class Post:
    """A request to the gateway."""

    path: str
    headers: dict[str, str]
    json: dict[str, Any]


def posts(dice: random.Random) -> list[Post]:
    """Forms and CloudEvents of people who come back: repeats, spellings, late events; ids and times of their own."""
    found = [_post(dice, number, dice.randrange(PEOPLE)) for number in range(EVENTS)]
    return [one if dice.random() > 0.05 else dice.choice(found) for one in found]


def _post(dice: random.Random, number: int, person: int) -> Post:
    at = f"2026-11-{dice.randrange(1, 21):02d}T{dice.randrange(24):02d}:{dice.randrange(60):02d}:00Z"
    mail = dice.choice([f"person{person}@example.com", f" Person{person}@Example.COM"])
    who = {"email": mail, "name": f"Given{person} Family{person}"}
    if dice.random() < 0.6:
        headers = {"idempotency-key": f"form-{number}"}
        return Post("/in/web-eu?key=pk_web_eu", headers, {**who, "message": f"No. {number}", "submitted_at": at})
    contact = {**who, "id": f"c{person}", "phone": f"+4930901{person:04d}"}
    event = {"specversion": "1.0", "id": str(number), "source": "crm", "type": "contact.updated", "time": at}
    headers = {"authorization": f"Bearer {KEY}", "content-type": "application/cloudevents+json"}
    return Post("/events", headers, event | {"data": {"contact": contact}})


async def send(hub: Hub, requests: Sequence[Post]) -> set[str]:
    """Post them all, each until it is accepted; gives the event ids."""
    ids: set[str] = set()
    gate = asyncio.Semaphore(16)

    async def one(client: httpx.AsyncClient, request: Post) -> None:
        async with gate:
            while True:
                try:
                    answer = await client.post(
                        hub.gateway + request.path, headers=request.headers, json=request.json, timeout=5
                    )
                    if answer.status_code == httpx.codes.ACCEPTED:
                        ids.add(answer.json()["id"])
                        return
                    assert answer.status_code == httpx.codes.SERVICE_UNAVAILABLE, answer.text
                except httpx.TransportError:
                    pass
                await asyncio.sleep(0.05)  # noqa: TID251 - a client that tries again

    async with httpx.AsyncClient() as client, asyncio.TaskGroup() as tasks:
        for request in requests:
            tasks.create_task(one(client, request))
            await asyncio.sleep(1 / PER_SECOND)  # noqa: TID251 - the load, spread over time
    return ids


@dataclass(frozen=True)
class Ending:
    """What a run came to."""

    ids: set[str]
    export: bytes
    told: dict[str, dict[str, Any]]
    repeats_differ: int


async def run(folder: Path, servers: Addresses, requests: Sequence[Post], *, disturbed: bool) -> Ending:
    """One hub, all requests, and, `disturbed`, kills in between."""
    database = f"{folder.name}_{os.getpid()}"
    await order(servers.postgres, f"CREATE DATABASE {database}")
    tools = {name: FakeTool() for name in TOOLS}
    async with tools["sales"].serving(), tools["service"].serving(), tools["marketing"].serving():
        urls = {name: tool.url for name, tool in tools.items()}
        hub = Hub(folder, servers, named(servers.postgres, database), urls)
        await hub.start(**({"HUB_CRASH_AT": "after_commit_before_offsets:3"} if disturbed else {}))
        sending = asyncio.create_task(send(hub, requests))
        if disturbed:
            await disturb(hub, random.Random(SEED))
        ids = await sending
        await hub.until_quiet()
        status, export = await hub.command("profiles", "export", "--facts")
        assert status == 0
        assert await hub.stop() == 0
    await order(servers.postgres, f"DROP DATABASE {database} WITH (FORCE)")
    told = {name: last_told(tool) for name, tool in tools.items()}
    return Ending(ids, export, told, sum(differing(tool) for tool in tools.values()))


async def disturb(hub: Hub, dice: random.Random) -> None:
    """One death between commit and offset, one between a tool's 2xx and its commit, the others at any time."""
    async with asyncio.timeout(60):
        while "status=137" not in hub.log:
            await asyncio.sleep(0.05)  # noqa: TID251 - between two looks at a condition
    await hub.kill()
    await hub.start(HUB_CRASH_AT="after_http_2xx_before_commit:5")
    async with asyncio.timeout(60):
        while hub.log.count("status=137") < 2:  # noqa: PLR2004 - the second death
            await asyncio.sleep(0.05)  # noqa: TID251 - between two looks at a condition
    for _ in range(KILLS - 1):
        await hub.kill()
        await hub.start()
        await asyncio.sleep(dice.uniform(0.05, 0.8))  # noqa: TID251 - the moment of the kill is the test's dice


def last_told(tool: FakeTool) -> dict[str, Any]:
    """Profile id → the profile as the tool heard it last, without its version."""
    last: dict[str, Any] = {}
    for got in tool.got:
        if got.json["type"] != "profile.merged":
            last[got.profile["profile_id"]] = {key: value for key, value in got.profile.items() if key != "version"}
    return last


def differing(tool: FakeTool) -> int:
    """How many times an id came again with other bytes."""
    bodies: dict[str, bytes] = {}
    return sum(bodies.setdefault(got.id, got.body) != got.body for got in tool.got)


@pytest.mark.e2e
@pytest.mark.timeout(420)
async def test_a_hub_that_is_killed_again_and_again_ends_like_one_that_never_was(
    tmp_path: Path, servers: Addresses, capsys: pytest.CaptureFixture[str]
) -> None:
    with capsys.disabled():
        print(f"\nseed {SEED}, {KILLS} kills of the hub and 2 deaths at crash points")
    requests = posts(random.Random(SEED))
    calm, disturbed = (
        await run(tmp_path / "calm", servers, requests, disturbed=False),
        await run(tmp_path / "disturbed", servers, requests, disturbed=True),
    )
    assert disturbed.ids == calm.ids
    assert disturbed.export == calm.export
    lines = [orjson.loads(line) for line in disturbed.export.splitlines()]
    assert sum(line["activities"] for line in lines) == len(disturbed.ids)
    alive = {line["profile_id"]: line for line in lines}
    for name in TOOLS:
        assert {profile: disturbed.told[name][profile] for profile in alive} == alive, name
        assert {profile: calm.told[name][profile] for profile in alive} == alive, name
    assert disturbed.repeats_differ == 0
