"""A hundred profiles with forty versions each, told to tools that answer by chance: nothing lost, all in order."""

from __future__ import annotations

import random
from collections import defaultdict

import pytest

from hub.identity.ids import as_text
from hub.storage.deliveries import dead_ids, retry
from hub.storage.pool import Pool
from tests.support.told import House, a_tool, an_id
from tests.support.tools import OK, FakeTool, Got, Reply, Script, until

pytestmark = pytest.mark.integration
PROFILES, VERSIONS = 100, 40
ANSWERS = (
    *([OK, OK, OK, Reply(500), Reply(503), Reply(429), Reply(429, {"retry-after": "0"}), Reply(reset=True)] * 10),
    *(Reply(400), Reply(409), Reply(302), Reply(hang=True)),
)


def by_chance(seed: str) -> Script:
    """The n-th answer about a profile is drawn from the seed, whatever the others do."""
    draws: dict[str, random.Random] = {}

    def answer(got: Got) -> Reply:
        profile = got.profile["profile_id"]
        return draws.setdefault(profile, random.Random(f"{seed} {profile}")).choice(ANSWERS)

    return answer


async def everything_happens(house: House) -> None:
    """Every profile goes from version 1 to the last, in steps of many at a time and in no order among them."""
    chance = random.Random(4711)
    versions = dict.fromkeys((an_id(f"person {n}") for n in range(PROFILES)), 0)
    while behind := [one for one, version in versions.items() if version < VERSIONS]:
        batch = chance.sample(behind, min(len(behind), 60))
        for profile in batch:
            versions[profile] = min(VERSIONS, versions[profile] + chance.choice((1, 1, 2)))
        await house.puts(*((profile, versions[profile]) for profile in batch))


def by_profile(tool: FakeTool) -> dict[str, list[Got]]:
    """What a tool heard of each profile, in order."""
    heard: dict[str, list[Got]] = defaultdict(list)
    for got in tool.got:
        heard[got.profile["profile_id"]].append(got)
    return heard


def said_yes(got: Got) -> bool:
    """Whether the tool answered with 2xx."""
    return got.answered is not None and 200 <= got.answered < 300


async def test_whatever_the_tools_answer_each_ends_with_the_last_version(pool: Pool) -> None:
    async with FakeTool(by_chance("sales")).serving() as sales, FakeTool().serving() as service:
        service.script = by_chance("service")
        waits = {"retry_seconds": [0.01, 0.02] + [0.05] * 200, "timeout_seconds": 2.0, "concurrency": 32}
        house = House(pool, a_tool("sales", sales.url, **waits), a_tool("service", service.url, **waits))
        async with house.dispatching():
            await everything_happens(house)
            await until(house.quiet, within=60)
            sales.script = service.script = lambda _: OK  # the tools are mended
            await retry(pool, await dead_ids(pool, None))
            await until(house.quiet, within=60)
        for tool in (sales, service):
            holds(tool)


def holds(tool: FakeTool) -> None:
    """What is promised of order, identity and completeness, whatever happened."""
    bodies: dict[str, set[bytes]] = defaultdict(set)
    answered: set[str] = set()
    for got in tool.got:
        bodies[got.id].add(got.body)
        assert got.id not in answered, "nothing is sent again after the tool said yes"
        if said_yes(got):
            answered.add(got.id)
    assert all(len(one) == 1 for one in bodies.values()), "an id stands for its bytes"
    heard = by_profile(tool)
    assert set(heard) == {as_text(an_id(f"person {n}")) for n in range(PROFILES)}
    for requests in heard.values():
        versions = [got.profile["version"] for got in requests]
        assert versions == sorted(versions), "versions never fall"
        assert [got.profile["version"] for got in requests if said_yes(got)][-1] == VERSIONS
        kinds = [got.json["type"] for got in requests if said_yes(got)]
        assert kinds == ["profile.created", *["profile.updated"] * (len(kinds) - 1)]
