"""Who was merged, who came back, and that no tool ever sees a profile's version fall while it happens."""

from __future__ import annotations

import asyncio

import pytest

from consumers.plans import claim
from hub.identity.ids import as_text
from hub.storage import erasure, traces
from hub.storage.pool import Pool, reading, transaction
from tests.support.told import House, a_tool, an_id
from tests.support.tools import OK, FakeTool, Reply, until

pytestmark = pytest.mark.integration
ANN, BOB, EVE = an_id("ann"), an_id("bob"), an_id("eve")
_WAITING = """
    SELECT count(*) FROM pg_locks JOIN pg_database d ON d.oid = database
    WHERE datname = current_database() AND locktype = 'advisory' AND NOT granted
"""


def merges(tool: FakeTool) -> list[tuple[list[str], str, int]]:
    """The merges a tool was told: who was absorbed, into whom, in which version."""
    return [
        (got.json["data"]["absorbed"], got.profile["profile_id"], got.profile["version"])
        for got in tool.got
        if got.json["type"] == "profile.merged"
    ]


def never_falls(tool: FakeTool) -> bool:
    """Whether the versions of each profile's line only rise, whatever they were told as."""
    seen: dict[str, int] = {}
    for got in tool.got:
        profile, version = got.profile["profile_id"], got.profile["version"]
        if version < seen.get(profile, 0):
            return False
        seen[profile] = version
    return True


async def test_a_merge_is_told_once_with_the_survivor(pool: Pool) -> None:
    async with FakeTool().serving() as sales:
        house = House(pool, a_tool("sales", sales.url))
        async with house.dispatching():
            await house.puts((ANN, 1), (BOB, 1))
            await until(house.quiet)
            await house.merges(ANN, BOB, 2)
            await until(house.quiet)
            await house.puts((BOB, 3))
            await until(house.quiet)
        assert merges(sales) == [([as_text(ANN)], as_text(BOB), 2)]
        assert sorted(got.json["type"] for got in sales.got) == [
            *("profile.created", "profile.created", "profile.merged", "profile.updated", "profile.updated")
        ]
        assert never_falls(sales)


async def test_an_id_that_was_never_spoken_of_is_not_merged_aloud(pool: Pool) -> None:
    async with FakeTool().serving() as sales:
        house = House(pool, a_tool("sales", sales.url))
        await house.puts((ANN, 1), (BOB, 1))
        await house.merges(ANN, BOB, 2)
        async with house.dispatching():
            await until(house.quiet)
        assert [(got.json["type"], got.profile["profile_id"]) for got in sales.got] == [
            ("profile.created", as_text(BOB))
        ]


async def test_a_merge_follows_a_try_whose_answer_nobody_knows(pool: Pool) -> None:
    answers = [Reply(reset=True)]
    async with FakeTool(lambda _: answers.pop(0) if answers else OK).serving() as sales:
        house = House(pool, a_tool("sales", sales.url, retry_seconds=[0.3] * 9))
        async with house.dispatching():
            await house.puts((ANN, 1))
            await sales.until(lambda: len(sales.got) == 1)
            await house.merges(ANN, BOB, 2)
            await until(house.quiet)
        assert merges(sales) == [([as_text(ANN)], as_text(BOB), 2)]


async def test_a_chain_of_merges_ends_at_who_lives(pool: Pool) -> None:
    async with FakeTool().serving() as sales:
        house = House(pool, a_tool("sales", sales.url))
        async with house.dispatching():
            await house.puts((ANN, 1), (BOB, 1), (EVE, 1))
            await until(house.quiet)
        await house.merges(ANN, BOB, 2)
        await house.merges(BOB, EVE, 3)
        async with house.dispatching():
            await until(house.quiet)
        assert sorted(merges(sales)) == sorted(([as_text(one)], as_text(EVE), 3) for one in (ANN, BOB))
        assert never_falls(sales)


async def test_who_is_alive_again_is_told_as_a_split(pool: Pool) -> None:
    async with FakeTool().serving() as sales:
        house = House(pool, a_tool("sales", sales.url))
        async with house.dispatching():
            await house.puts((ANN, 1), (BOB, 1))
            await until(house.quiet)
            await house.merges(ANN, BOB, 2)
            await until(house.quiet)
            await house.puts((ANN, 3), (BOB, 3))
            await until(house.quiet)
            await house.puts((ANN, 4))
            await until(house.quiet)
        told = [got.json for got in sales.got if got.profile["profile_id"] == as_text(ANN)]
        assert [one["type"] for one in told] == ["profile.created", "profile.split", "profile.updated"]
        assert set(told[1]["data"]["parts"]) == {as_text(ANN), as_text(BOB)}


async def test_a_merge_waits_for_the_survivors_line_that_is_on_the_wire(pool: Pool) -> None:
    gate = asyncio.Event()
    gate.set()
    async with FakeTool(lambda _: Reply(gate=gate)).serving() as sales:
        house = House(pool, a_tool("sales", sales.url))
        async with house.dispatching():
            await house.puts((ANN, 1), (BOB, 1), (EVE, 1))
            await until(house.quiet)
            gate.clear()
            await house.puts((BOB, 2))
            await sales.until(lambda: len(sales.got) == 4)
            await house.merges(ANN, BOB, 3)
            await house.puts((EVE, 2))
            await sales.until(lambda: len(sales.got) == 5)
            assert sales.got[-1].profile["profile_id"] == as_text(EVE), "others pass"
            gate.set()
            await until(house.quiet)
        assert merges(sales) == [([as_text(ANN)], as_text(BOB), 3)]
        assert never_falls(sales)


async def test_a_merge_that_failed_carries_the_survivor_as_it_is_by_then(pool: Pool) -> None:
    async with FakeTool().serving() as sales:
        refuse = [True]
        sales.script = lambda got: (
            Reply(500) if got.json["type"] == "profile.merged" and refuse and refuse.pop() else OK
        )
        house = House(pool, a_tool("sales", sales.url, retry_seconds=[0.4] * 9))
        async with house.dispatching():
            await house.puts((ANN, 1), (BOB, 1))
            await until(house.quiet)
            await house.merges(ANN, BOB, 2)
            await sales.until(lambda: bool(merges(sales)))
            await house.puts((BOB, 3))
            await until(house.quiet)
        assert [version for _, _, version in merges(sales)] == [2, 3]
        assert never_falls(sales)


async def test_an_erasure_is_told_once_and_nothing_older_brings_it_back(pool: Pool) -> None:
    async with FakeTool().serving() as sales:
        house = House(pool, a_tool("sales", sales.url))
        async with house.dispatching():
            await house.puts((ANN, 5), (BOB, 5))
            await until(house.quiet)
            await house.erases(ANN)
            await until(house.quiet)
            await house.hears((ANN, 5))
            await house.syncs((ANN, None))
            await until(house.quiet)
        last = sales.got[-1].json
        assert (last["type"], last["data"]) == (
            "profile.erased", {"profile": {"profile_id": as_text(ANN), "version": 6}, "erased": [as_text(ANN)]}
        )  # fmt: skip
        assert [got.json["type"] for got in sales.got] == ["profile.created", "profile.created", "profile.erased"]
        async with reading(pool) as connection:
            assert await connection.fetchval("SELECT want_kind FROM told WHERE profile_id = $1", ANN) == "erased"


async def test_an_erasure_of_an_id_that_no_tool_ever_heard_of_is_told_to_nobody(pool: Pool) -> None:
    async with FakeTool().serving() as sales:
        house = House(pool, a_tool("sales", sales.url))
        await house.puts((ANN, 5))
        await house.erases(ANN)
        async with house.dispatching():
            await until(house.quiet)
        assert sales.got == []


async def test_what_is_on_the_wire_while_somebody_is_erased_is_followed_by_the_erasure(pool: Pool) -> None:
    gate = asyncio.Event()
    async with FakeTool(lambda _: Reply(gate=gate)).serving() as sales:
        house = House(pool, a_tool("sales", sales.url))
        async with house.dispatching():
            await house.puts((ANN, 5))
            await sales.until(lambda: sales.on_the_wire == 1)
            await house.erases(ANN)
            gate.set()
            await sales.until(lambda: len(sales.got) == 2)
            await until(house.quiet)
        assert [got.json["type"] for got in sales.got] == ["profile.created", "profile.erased"]
        assert never_falls(sales)


async def test_no_answer_about_somebody_who_was_erased_is_kept(pool: Pool) -> None:
    gate = asyncio.Event()
    async with FakeTool(lambda _: Reply(body=b"Annabella Lee", gate=gate)).serving() as sales:
        house = House(pool, a_tool("sales", sales.url))
        async with house.dispatching():
            await house.puts((ANN, 5))
            await sales.until(lambda: sales.on_the_wire == 1)
            await house.erases(ANN)
            gate.set()
            await sales.until(lambda: len(sales.got) == 2)
            await until(house.quiet)
        tries = [one["response"] for told in await house.deliveries() for one in told["tries"]]
        assert tries == [None, None], "of what was on the wire, and of the erasure"


async def test_nothing_of_somebody_who_is_back_is_lost_where_the_topic_is_read_once_more(pool: Pool) -> None:
    async with FakeTool().serving() as sales:
        house = House(pool, a_tool("sales", sales.url))
        async with house.dispatching():
            await house.puts((ANN, 5))
            await until(house.quiet)
            await house.erases(ANN)
            await until(house.quiet)
            await house.puts((ANN, 7))
            await until(house.quiet)
            for version in (8, 9):
                await house.hears((ANN, 5))
                await house.syncs((ANN, None))
                await house.hears((ANN, 7))
                await until(house.quiet)
                await house.puts((ANN, version))
                await until(house.quiet)
        assert [(got.json["type"].partition(".")[2], got.profile["version"]) for got in sales.got] == [
            *(("created", 5), ("erased", 6), ("created", 7), ("updated", 8), ("updated", 9))
        ]


async def test_a_line_that_sync_hears_of_while_somebody_is_erased_is_stored_for_no_tool(pool: Pool) -> None:
    house = House(pool, a_tool("sales", "http://127.0.0.1:9/hub"))
    await house.stores((ANN, 5))

    async def waits_or_is_done() -> bool:
        return claiming.done() or await pool.fetchval(_WAITING) > 0

    async with asyncio.TaskGroup() as tasks, transaction(pool) as erasing:
        await erasure.alone(erasing)
        await traces.empty_deliveries(erasing, [ANN])
        await house.hears((ANN, 5))
        claiming = tasks.create_task(claim(pool, house.tools, {"sales": 1}))
        await until(waits_or_is_done)
        await erasing.execute("DELETE FROM profile WHERE profile_id = $1", ANN)
    assert claiming.result() == []
    assert [one["body"] for one in await house.deliveries()] == [None]
