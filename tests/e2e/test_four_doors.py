"""One person comes through all four doors: one profile, one timeline, and three tools that know it."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import orjson
import pytest
import pytest_asyncio

from hub.demo.doors import Doors
from hub.embedded import Addresses
from tests.support import departments
from tests.support.databases import named, order
from tests.support.hub import KEY, Hub, caller
from tests.support.tools import FakeTool

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]
POSTS = (departments.form, departments.mail, departments.ticket, departments.order)


@pytest_asyncio.fixture
async def tools() -> AsyncIterator[dict[str, FakeTool]]:
    found = {name: FakeTool() for name in ("sales", "service", "marketing")}
    async with found["sales"].serving(), found["service"].serving(), found["marketing"].serving():
        yield found


@pytest_asyncio.fixture
async def hub(tmp_path: Path, servers: Addresses, tools: dict[str, FakeTool]) -> AsyncIterator[tuple[Hub, Doors]]:
    database = f"doors_{os.getpid()}"
    await order(servers.postgres, f"CREATE DATABASE {database}")
    sources, mail = departments.tables()
    urls = {name: tool.url for name, tool in tools.items()}
    one = Hub(tmp_path / "hub", servers, named(servers.postgres, database), urls, sources)
    doors = departments.doors(one, mail)
    await one.start()
    await departments.until_mail_is_taken(mail)
    yield one, doors
    await doors.close()
    assert await one.stop() == 0, one.log
    await order(servers.postgres, f"DROP DATABASE {database} WITH (FORCE)")


async def sent(doors: Doors) -> list[str]:
    """The ids of one event through each door."""
    answers = [await doors.knock(make()) for make in POSTS]
    assert [answer.words for answer in answers if not answer.is_accepted] == []
    return [answer.event for answer in answers]


async def asked(hub: Hub, path: str) -> Any:
    async with caller(base_url=hub.console, headers={"authorization": f"Bearer {KEY}"}) as client:
        answer = await client.get(path)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_the_same_person_through_four_doors_is_one_profile_and_every_repeat_changes_nothing(
    hub: tuple[Hub, Doors], tools: dict[str, FakeTool]
) -> None:
    one, doors = hub
    ids = await sent(doors)
    await one.until_quiet()
    profile = await asked(one, f"/api/profiles/lookup?email={departments.EMAIL}")
    by_phone = await asked(one, f"/api/profiles/lookup?phone=%2B{departments.PHONE[1:]}")
    assert profile == by_phone
    assert {record["source"] for record in profile["records"]} == {"web-eu", "inbox", "desk", "shop"}
    timeline = await asked(one, f"/api/profiles/{profile['profile_id']}/timeline")
    entries = {entry["id"]: entry["type"] for entry in timeline["entries"]}
    kinds = ["form.submitted", "email.received", "ticket.opened", "order.placed"]
    assert entries == dict(zip(ids, kinds, strict=True))
    status, export = await one.command("profiles", "export", "--with-versions")
    assert status == 0
    (line,) = [orjson.loads(row) for row in export.splitlines()]
    assert [tool.got[-1].profile for tool in tools.values()] == [line] * 3

    told = {name: len(tool.got) for name, tool in tools.items()}
    for _ in range(2):
        assert await sent(doors) == ids
        await one.until_quiet()
    assert await one.command("profiles", "export", "--with-versions") == (0, export)
    assert {name: len(tool.got) for name, tool in tools.items()} == told
