"""Segments in a hub that runs: people come in by posts and go when time has passed, and rules follow them both ways."""

from __future__ import annotations

import asyncio
import os
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
FILES = {
    "lively": "segment: lively\nversion: 1\nabout: Whoever wrote lately.\n"
    "if: {count: note.added, within: 10s, at_least: 1}\n",
    "hello": "rule: hello\nversion: 1\nabout: Greet.\nwhen: {enters: lively}\nsteps: [add_tag: {tag: lively}]\n",
    "bye": "rule: bye\nversion: 1\nabout: Let go.\nwhen: {leaves: lively}\nsteps: [remove_tag: {tag: lively}]\n",
}
PEOPLE = 10


@pytest_asyncio.fixture
async def hub(tmp_path: Path, servers: Addresses) -> AsyncIterator[tuple[Hub, asyncpg.Connection]]:
    database = f"segments_{os.getpid()}"
    await order(servers.postgres, f"CREATE DATABASE {database}")
    url = named(servers.postgres, database)
    found = Hub(tmp_path, servers, url)
    with (tmp_path / "hub.toml").open("a") as file:
        file.write('[rules]\nfolder = "rules"\ntime_scale = 0.0002\n')
    (tmp_path / "rules").mkdir()
    for name, text in FILES.items():
        (tmp_path / "rules" / f"{name}.yaml").write_text(text)
    await found.start()
    connection = await asyncpg.connect(url)
    yield found, connection
    await connection.close()
    assert await found.stop() == 0, found.log
    await order(servers.postgres, f"DROP DATABASE {database} WITH (FORCE)")


async def write(hub: Hub, number: int) -> None:
    """Somebody writes."""
    event = {
        "specversion": "1.0", "id": str(number), "source": "/crm", "type": "note.added",
        "data": {"contact": {"id": f"c{number}", "email": f"c{number}@customers.org"}, "text": "hello"},
    }  # fmt: skip
    headers = {"authorization": f"Bearer {KEY}", "content-type": "application/cloudevents+json"}
    async with caller(headers=headers) as client:
        answer = await client.post(f"{hub.gateway}/events", content=orjson.dumps(event))
    assert answer.status_code == 202, answer.text


async def test_people_come_in_by_events_and_go_by_time_and_rules_follow_them_once(hub: Any) -> None:
    house, connection = hub

    async def has_come_round() -> bool:
        return bool(await connection.fetchval("SELECT EXISTS (SELECT FROM segment_round WHERE done)"))

    await until(has_come_round, "the segment was asked of everybody", within=60)
    await asyncio.gather(*(write(house, number) for number in range(PEOPLE)))

    async def done(rule: str) -> int:
        return int(await connection.fetchval("SELECT count(*) FROM ledger WHERE rule = $1", rule))

    async def greeted() -> bool:
        return await done("hello") == PEOPLE

    await until(greeted, "everybody who came in is greeted", within=60)
    status, printed = await house.command("segments", "list", "--json")
    (listed,) = orjson.loads(printed)["segments"]
    assert (status, listed["name"], listed["waiting"]) == (0, "lively", 0)

    async def gone() -> bool:
        return await done("bye") == PEOPLE

    await until(gone, "everybody has left", within=60)
    await house.until_quiet()
    assert await connection.fetchval("SELECT count(*) FROM segment_member") == 0
    changes = await connection.fetch(
        "SELECT type, data->>'because', count(*) FROM activity WHERE type LIKE 'segment.%' GROUP BY 1, 2 ORDER BY 1"
    )
    assert [tuple(row) for row in changes] == [("segment.entered", "event", PEOPLE), ("segment.left", "time", PEOPLE)]
    told = [orjson.loads(row[0]) for row in await connection.fetch("SELECT line FROM profile")]
    assert [one["tags"] for one in told] == [[]] * PEOPLE
    assert await done("hello") == PEOPLE
