"""Rules in a hub that runs: taken over at the start, set off by posts, waited for, and through a kill nothing twice."""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import orjson
import pytest
import pytest_asyncio

from hub.embedded import Addresses
from tests.support.databases import named, order
from tests.support.hub import KEY, Hub, caller
from tests.support.line import until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]
RULE = b"""
rule: asked
version: 1
about: Whoever asks is tagged, and again when nobody called in time.
when: {event: note.added}
if: {count: note.added, is: 0}
again: once
steps:
  - add_tag: {tag: asked}
  - wait: {event: call.logged, timeout: 4h, then: end}
  - assign_owner: {team: sales}
"""
TABLES = (
    '[rules]\nfolder = "rules"\ntime_scale = 0.0002\n[teams.sales]\nmembers = ["ann@example.com", "bob@example.com"]\n'
)
PEOPLE = 30


@pytest_asyncio.fixture
async def hub(tmp_path: Path, servers: Addresses) -> AsyncIterator[tuple[Hub, asyncpg.Connection]]:
    database = f"rules_{os.getpid()}"
    await order(servers.postgres, f"CREATE DATABASE {database}")
    url = named(servers.postgres, database)
    found = Hub(tmp_path, servers, url)
    with (tmp_path / "hub.toml").open("a") as file:
        file.write(TABLES)
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "asked.yaml").write_bytes(RULE)
    (tmp_path / "rules" / "wrong.yaml").write_bytes(b"rule: wrong\n")
    await found.start()
    connection = await asyncpg.connect(url)
    yield found, connection
    await connection.close()
    assert await found.stop() == 0, found.log
    await order(servers.postgres, f"DROP DATABASE {database} WITH (FORCE)")


async def say(hub: Hub, what: str, number: int) -> None:
    """A tool says something of a person; the same again for the same words."""
    event = {
        "specversion": "1.0", "id": f"{what} {number}", "source": "/crm", "type": what,
        "data": {"contact": {"id": f"c{number}", "email": f"c{number}@customers.org"}, "text": "hello"},
    }  # fmt: skip
    async with caller(headers={"authorization": f"Bearer {KEY}"}) as client:
        answer = await client.post(
            f"{hub.gateway}/events",
            content=orjson.dumps(event),
            headers={"content-type": "application/cloudevents+json"},
        )
    assert answer.status_code == 202, answer.text


async def told_of_everybody(house: Hub, connection: asyncpg.Connection) -> None:
    """What the rule says is in every profile: the tag, and for half of them an owner, in turn."""
    await house.until_quiet()
    told = [orjson.loads(row[0]) for row in await connection.fetch("SELECT line FROM profile")]
    assert [one["tags"] for one in told] == [["asked"]] * PEOPLE, "what a rule says of a customer is told of them"
    owners = Counter(one["owner"] for one in told)
    assert set(owners) == {None, "ann@example.com", "bob@example.com"}
    assert abs(owners["ann@example.com"] - owners["bob@example.com"]) <= 1, "in turn"
    _, facts = await house.command("profiles", "export", "--facts")
    assert {(one["owner"], *one["tags"]) for one in map(orjson.loads, facts.splitlines())} == {(None,)}


async def test_rules_act_once_through_a_kill_and_who_was_called_in_time_is_left_alone(hub: Any) -> None:
    house, connection = hub

    async def told_of_the_wrong_file() -> bool:
        return "has to hold" in house.log or "is missing" in house.log

    await until(told_of_the_wrong_file, "the wrong file is told at the start", within=60)
    await asyncio.gather(*(say(house, "note.added", number) for number in range(PEOPLE)))

    async def done(step: str) -> int:
        return int(await connection.fetchval("SELECT count(*) FROM ledger WHERE step = $1", step))

    async def all_tagged() -> bool:
        return await done("1") == PEOPLE

    await asyncio.gather(*(say(house, "call.logged", number) for number in range(0, PEOPLE, 2)))
    await house.kill()
    await house.start()
    await until(all_tagged, "everybody is tagged", within=60)

    async def nobody_waits() -> bool:
        return not await connection.fetchval("SELECT EXISTS (SELECT FROM journey WHERE state <> 'ended')")

    await until(nobody_waits, "nobody waits", within=60)
    outcomes = await connection.fetch("SELECT outcome, count(*) FROM journey GROUP BY 1 ORDER BY 1")
    assert [tuple(row) for row in outcomes] == [("done", PEOPLE // 2), ("ended by call.logged", PEOPLE // 2)]
    assert await done("3") == PEOPLE // 2
    await told_of_everybody(house, connection)
    before = await connection.fetchval("SELECT count(*) FROM ledger")
    await asyncio.gather(*(say(house, "note.added", number) for number in range(PEOPLE)))
    report = await house.until_quiet()
    assert await connection.fetchval("SELECT count(*) FROM ledger") == before
    assert {row["group"].removeprefix(house.prefix) for row in report["groups"]} == {
        "profiles", "duplicates", "automation",
    }  # fmt: skip
    assert report["timers"] == {"pending": 0, "oldest_seconds": None}
    status, printed = await house.command("rules", "show", "asked", "--json")
    assert (status, orjson.loads(printed)["verdicts"]) == (0, {"fired": PEOPLE})
