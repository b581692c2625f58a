"""Tasks through a whole hub: rules make them, people do them, reminders come by mail, two take one customer at once."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import orjson
import pytest
import pytest_asyncio

from hub.embedded import Addresses
from hub.embedded.ports import LOOPBACK
from tests.support.databases import named, order
from tests.support.hub import KEY, Hub, caller
from tests.support.line import until
from tests.support.relay import Relay

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]
RULE = b"""
rule: asked
version: 1
about: Whoever asks is called.
when: {event: note.added}
again: once
steps:
  - assign_owner: {team: sales}
  - create_task: {title: Call them, to: owner, due: 1d}
  - set_reminder: {title: Did you call?, to: owner, after: 1d}
"""
EVE, JOE = "eve@example.com", "joe@example.com"


@dataclass
class World:
    """A hub with a rule, and the relay that takes its mails."""

    hub: Hub
    relay: Relay
    connection: asyncpg.Connection

    async def say(self, person: str, what: str = "note.added") -> str:
        """A tool says something of a person, the same every time; gives their profile's id."""
        event = {
            "specversion": "1.0", "id": f"{what} {person}", "source": "/crm", "type": what,
            "data": {"contact": {"id": person, "email": f"{person}@customers.org"}, "text": "hello"},
        }  # fmt: skip
        async with caller(headers={"authorization": f"Bearer {KEY}"}) as client:
            content = {"content-type": "application/cloudevents+json"}
            answer = await client.post(f"{self.hub.gateway}/events", content=orjson.dumps(event), headers=content)
        assert answer.status_code == 202, answer.text
        await self.hub.until_quiet()
        found = await self.ask("GET", f"/api/profiles/lookup?email={person}@customers.org")
        profile: str = found["profile_id"]
        return profile

    async def ask(self, method: str, path: str, status: int = 200, **more: Any) -> Any:
        """An answer of the console's listener."""
        async with caller(base_url=self.hub.console, headers={"authorization": f"Bearer {KEY}"}) as client:
            answer = await client.request(method, path, **more)
        assert answer.status_code == status, answer.text
        return answer.json()

    async def by_command(self, *words: str) -> Any:
        """What `hub … --json` prints."""
        status, printed = await self.hub.command(*words, "--json")
        assert status == 0, printed
        return orjson.loads(printed)

    async def tasks(self, **asked: str) -> list[tuple[str, str, str]]:
        """Title, whose, bucket of what is listed over HTTP."""
        told = (await self.ask("GET", "/api/tasks", params=asked))["tasks"]
        return [(one["title"], one["to"], one["bucket"]) for one in told]

    def mails(self) -> list[tuple[str, str]]:
        """To whom, and with which subject."""
        return sorted((str(mail["To"]), str(mail["Subject"])) for mail in self.relay.took)


@pytest_asyncio.fixture
async def world(tmp_path: Path, servers: Addresses) -> AsyncIterator[World]:
    database = f"tasks_{os.getpid()}"
    await order(servers.postgres, f"CREATE DATABASE {database}")
    async with Relay().serving() as relay:
        hub = Hub(tmp_path, servers, named(servers.postgres, database))
        with (tmp_path / "hub.toml").open("a") as file:
            file.write(
                f'[mail]\nrelay = "{LOOPBACK}:{relay.place.port}"\nfrom = "hello@example.com"\ntls = "never"\n'
                '[rules]\ntime_scale = 0.00003\n[teams.sales]\nmembers = ["ann@example.com"]\n'
            )
        (tmp_path / "rules").mkdir()
        (tmp_path / "rules" / "asked.yaml").write_bytes(RULE)
        await hub.start()
        connection = await asyncpg.connect(named(servers.postgres, database))
        yield World(hub, relay, connection)
        await connection.close()
        assert await hub.stop() == 0, hub.log
    await order(servers.postgres, f"DROP DATABASE {database} WITH (FORCE)")


async def done_by_hand(world: World, ann: str) -> None:
    """From the command line and over HTTP: one list."""
    (one,) = [task for task in (await world.by_command("tasks", "list"))["tasks"] if task["kind"] == "task"]
    assert (await world.by_command("tasks", "done", one["id"]))["state"] == "done"
    added = await world.by_command("tasks", "add", ann, "Send the sample", "--to", EVE, "--due", "2d")
    task = added["data"]["task"]
    assert ("Send the sample", EVE, "later") in await world.tasks(to=EVE)
    assert (await world.ask("POST", f"/api/tasks/{task}/wait"))["state"] == "done"
    assert await world.tasks(to=EVE) == [("Send the sample", EVE, "waiting")]
    await world.say("ann", "call.logged")
    assert await world.tasks(bucket="today") == [("Send the sample", EVE, "today")]
    await world.by_command("tasks", "assign", task, JOE)
    await world.by_command("tasks", "postpone", task, "2020-01-01T00:00:00Z")
    await world.by_command("tasks", "reopen", task)
    assert await world.tasks(to=JOE) == [("Send the sample", JOE, "overdue")]
    await world.by_command("tasks", "drop", task)
    assert await world.tasks(to=JOE) == []


async def taken_by_two(world: World, customer: str) -> None:
    """Over HTTP and from the command line at the same moment."""
    await world.by_command("profiles", "assign", customer, "--pool")
    pool = await world.by_command("pool", "list")
    assert [one["profile_id"] for one in pool["profiles"]] == [customer]

    async def take(owner: str) -> tuple[int, str]:
        async with caller(base_url=world.hub.console, headers={"authorization": f"Bearer {KEY}"}) as client:
            answer = await client.post(f"/api/profiles/{customer}/take", json={"owner": owner})
        return answer.status_code, answer.text

    answers = dict(zip((EVE, JOE), await asyncio.gather(take(EVE), take(JOE)), strict=True))
    assert sorted(status for status, _ in answers.values()) == [200, 409], answers
    (winner,) = [one for one, (status, _) in answers.items() if status == 200]
    (told,) = [text for status, text in answers.values() if status == 409]
    assert f"{winner} looks after them already" in told
    assert (await world.ask("GET", f"/api/profiles/{customer}"))["owner"] == winner
    status, _ = await world.hub.command("pool", "take", customer, "--as", "zoe@example.com")
    assert status == 1


async def test_what_a_rule_and_people_want_done_is_done_once(world: World) -> None:
    ann = await world.say("ann")
    await until(lambda: len(world.relay.took) == 1, "the reminder comes", within=60)
    assert world.mails() == [("ann@example.com", "Did you call?")]
    assert {one[:2] for one in await world.tasks()} == {
        ("Call them", "ann@example.com"), ("Did you call?", "ann@example.com")
    }  # fmt: skip
    await done_by_hand(world, ann)
    await taken_by_two(world, ann)

    await world.hub.kill()
    await world.hub.start()
    await world.say("ann")
    await world.say("bob")
    await until(lambda: len(world.relay.took) == 2, "the next one's reminder comes", within=60)
    await world.hub.until_quiet()
    assert world.mails() == [("ann@example.com", "Did you call?")] * 2
    count = "SELECT count(*) FROM task WHERE parts->'created'->>2 = 'rule:asked'"
    assert await world.connection.fetchval(count) == 4
    entries = (await world.ask("GET", f"/api/profiles/{ann}/timeline"))["entries"]
    assert {"task.created", "task.done", "task.dropped"} <= {one["type"] for one in entries}
