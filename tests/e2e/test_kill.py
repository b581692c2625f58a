"""kill -9 of the whole hub, again and again under load: nothing lost, nothing done twice."""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pytest

from hub.embedded import Addresses
from hub.settings import environment
from tests.support.databases import named, order
from tests.support.hub import Hub
from tests.support.posts import Post, pause, posts, send
from tests.support.tools import FakeTool, until

SEED = int(environment().get("KILL_SEED", "20261122"))
KILLS = int(environment().get("KILL_TIMES", "10"))
TOOLS = ("sales", "service", "marketing")


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
        async with asyncio.TaskGroup() as tasks:
            sending = tasks.create_task(send(hub, requests))
            if disturbed:
                await disturb(hub, random.Random(SEED))
        ids = sending.result()
        await hub.until_quiet()
        status, export = await hub.command("profiles", "export", "--facts")
        assert status == 0
        assert await hub.stop() == 0
    await order(servers.postgres, f"DROP DATABASE {database} WITH (FORCE)")
    told = {name: last_told(tool) for name, tool in tools.items()}
    return Ending(ids, export, told, sum(differing(tool) for tool in tools.values()))


async def disturb(hub: Hub, dice: random.Random) -> None:
    """One death between commit and offset, one between a tool's 2xx and its commit, the others at any time."""
    await until(lambda: deaths(hub, 1), within=60)
    await hub.kill()
    await hub.start(HUB_CRASH_AT="after_http_2xx_before_commit:5")
    await until(lambda: deaths(hub, 2), within=60)
    for _ in range(KILLS - 1):
        await hub.kill()
        await hub.start()
        await pause(dice.uniform(0.05, 0.8))


async def deaths(hub: Hub, times: int) -> bool:
    """Whether processes have died at a crash point so many times."""
    return hub.log.count("status=137") >= times


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
    tmp_path: Path, servers: Addresses, tell: Callable[[str], None]
) -> None:
    tell(f"seed {SEED}: {KILLS} kills of the hub, 2 deaths of a process at crash points")
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
