"""`hub deliveries` and what stands behind it, on real rows."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from hub.cli.deliveries import app
from hub.identity.ids import as_text
from hub.storage.deliveries import dead_ids, get, page, retry
from hub.storage.pool import Pool
from tests.support.told import House, a_tool, an_id
from tests.support.tools import OK, FakeTool, Reply, until

pytestmark = pytest.mark.integration
ANN, BOB = an_id("ann"), an_id("bob")


@pytest.fixture
def own_servers(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command finds this test's database; it needs none of the other servers."""
    monkeypatch.setenv("HUB_POSTGRES__URL", database_url)
    monkeypatch.setenv("HUB_KAFKA__SERVERS", "127.0.0.1:1")
    monkeypatch.setenv("HUB_REDIS__URL", "redis://127.0.0.1:1/0")


async def hub(*words: str) -> Result:
    """`hub deliveries …`, in a thread since it brings an event loop of its own."""
    return await asyncio.to_thread(CliRunner().invoke, app, list(words))


async def answer(*words: str) -> Any:
    """What the command prints with --json."""
    result = await hub(*words, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


async def a_dead_one(house: House, sales: FakeTool) -> str:
    """Ann's first version, which the tool refused."""
    sales.script = lambda _: Reply(422, body=b'{"error": "no \x00 [bold]e-mail[/]"}')
    async with house.dispatching():
        await house.puts((ANN, 1))
        await until(house.quiet)
    (identity,) = await dead_ids(house.pool, "sales")
    return identity


async def test_list_show_and_retry(pool: Pool, own_servers: None) -> None:
    async with FakeTool().serving() as sales:
        house = House(pool, a_tool("sales", sales.url))
        identity = await a_dead_one(house, sales)
        listed = await answer("list", "--destination", "sales", "--state", "dead")
        assert [one["id"] for one in listed["deliveries"]] == [identity]
        shown = await answer("show", identity)
        assert shown["body"].encode() == sales.got[0].body
        assert [(one["status"], one["response"]) for one in shown["tries"]] == [
            (422, '{"error": "no  [bold]e-mail[/]"}')
        ]
        assert identity in (await hub("list")).stdout
        assert "[bold]e-mail[/]" in (await hub("show", identity)).stdout
        assert await answer("retry", "--dead") == {"deliveries": [{"id": identity, "outcome": "due now"}]}
        sales.script = lambda _: OK
        async with house.dispatching():
            await until(house.quiet)
        assert [(got.id, got.body) for got in sales.got] == [(identity, sales.got[0].body)] * 2
        refused = await hub("retry", identity)
        assert (refused.exit_code, "was delivered" in refused.stdout) == (1, True)


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (["show", "nonsense"], 1),
        (["show", "5c1d0f9a-6f0e-8c5e-9a3b-2f1d8e7c6b5a"], 1),
        (["retry", "5c1d0f9a-6f0e-8c5e-9a3b-2f1d8e7c6b5a"], 1),
        (["retry"], 2),
        (["retry", "5c1d0f9a-6f0e-8c5e-9a3b-2f1d8e7c6b5a", "--dead"], 2),
        (["retry", "5c1d0f9a-6f0e-8c5e-9a3b-2f1d8e7c6b5a", "--destination", "sales"], 2),
        (["list", "--state", "lost"], 2),
        (["list"], 0),
        (["list", "--before", "nonsense"], 0),
        (["retry", "--dead"], 0),
    ],
)
async def test_the_exit_status_says_what_was_wrong(own_servers: None, words: list[str], status: int) -> None:
    assert (await hub(*words)).exit_code == status


async def test_help_teaches_by_example() -> None:
    for command in ("list", "show", "retry"):
        assert f"hub deliveries {command}" in (await hub(command, "--help")).stdout


async def test_pages_neither_skip_nor_repeat(pool: Pool) -> None:
    house = House(pool, a_tool("sales", "http://127.0.0.1:9/"))
    people = [an_id(f"person {n}") for n in range(25)]
    await house.puts(*((one, 1) for one in people))
    seen: list[str] = []
    before = None
    while True:
        found = await page(pool, destination=None, state="pending", limit=4, before=before)
        seen += [one["profile_id"] for one in found["deliveries"]]
        before = found["next"]
        if before is None:
            break
        await house.puts((an_id(f"late {len(seen)}"), 1))
    assert sorted(seen) == sorted(map(as_text, people))


async def test_a_dead_one_whose_profile_moved_on_goes_out_as_it_is_now(pool: Pool) -> None:
    async with FakeTool().serving() as sales:
        house = House(pool, a_tool("sales", sales.url))
        identity = await a_dead_one(house, sales)
        await house.stores((ANN, 2))
        sales.script = lambda _: OK
        assert await retry(pool, [identity]) == {identity: "due now"}
        async with house.dispatching():
            await until(house.quiet)
        assert [(got.json["type"], got.profile["version"]) for got in sales.got[1:]] == [("profile.created", 2)]
        assert [one["state"] for one in await house.deliveries()] == ["folded", "delivered"]


async def test_of_several_dead_ones_of_a_profile_only_the_newest_comes_back(pool: Pool) -> None:
    async with FakeTool().serving() as sales:
        house = House(pool, a_tool("sales", sales.url))
        await a_dead_one(house, sales)
        async with house.dispatching():
            await house.puts((ANN, 2))
            await until(house.quiet)
        assert await house.states() == ["dead", "dead"]
        sales.script = lambda _: OK
        outcome = await retry(pool, await dead_ids(pool, None))
        assert "due now" in outcome.values()
        async with house.dispatching():
            await until(house.quiet)
        assert [got.profile["version"] for got in sales.got] == [1, 2, 2]
        assert await house.states() == ["folded", "delivered"]
        assert await dead_ids(pool, None) == []


async def test_what_waits_for_its_retry_is_hurried(pool: Pool) -> None:
    async with FakeTool(lambda _: Reply(500)).serving() as sales:
        house = House(pool, a_tool("sales", sales.url, retry_seconds=[3600.0]))
        async with house.dispatching():
            await house.puts((ANN, 1))
            await until(lambda: waits(house))
            sales.script = lambda _: OK
            identity = sales.got[0].id
            assert await retry(pool, [identity]) == {identity: "due now"}
            await until(house.quiet)
        found = await get(pool, identity)
        assert found
        assert (found["state"], found["attempts"], found["due_at"]) == ("delivered", 2, None)


async def waits(house: House) -> bool:
    """Whether a try has failed and another is to come."""
    return await house.states() == ["retry"]
