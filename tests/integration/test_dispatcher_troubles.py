"""When something is in the way: a dead tool, a paused worker, a bug of ours, the end of the process, no database."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any

import pytest

from consumers import dispatcher
from consumers.destinations.webhook import WEBHOOK
from consumers.dispatcher import Dispatcher, Result
from consumers.plans import Job, claim
from hub.destinations import Notice
from hub.egress import Answer
from hub.errors import Retry
from hub.identity.ids import as_text
from hub.storage.pool import Pool, transaction
from tests.support.told import House, a_tool, an_id
from tests.support.tools import FakeTool, Reply, until

pytestmark = pytest.mark.integration
ANN, BOB = an_id("ann"), an_id("bob")
SLOW = [3600.0]


async def test_a_dead_tool_slows_nobody_and_gets_no_more_than_its_share(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatcher, "GRACE_SECONDS", 0.0)
    people = [(an_id(f"person {n}"), 1) for n in range(100)]
    async with FakeTool(lambda _: Reply(hang=True)).serving() as hole, FakeTool().serving() as sales:
        house = House(pool, a_tool("hole", hole.url, concurrency=5), a_tool("sales", sales.url))
        async with house.dispatching():
            await house.puts(*people)
            await sales.until(lambda: len(sales.got) == 100)
            assert len(hole.got) == 5, "not one of its requests has ended"
        assert sales.most_on_the_wire <= 8


async def test_a_worker_that_was_paused_beyond_its_lease_writes_nothing(pool: Pool) -> None:
    async with FakeTool().serving() as sales:
        house = House(pool, a_tool("sales", sales.url))
        await house.puts((ANN, 1))
        (job,) = await claim(pool, house.tools, {"sales": 8})
        assert await claim(pool, house.tools, {"sales": 8}) == [], "it is taken"
        await lease_ends(pool)
        async with house.dispatching():
            await until(house.quiet)
        assert [(got.id, got.body) for got in sales.got] == [(as_text(job.notice.id), job.notice.body)]
        await answer_late(house, job, Answer(500, None, None, b"late", 1))
        (delivery,) = await house.deliveries()
        assert delivery["state"] == "delivered"
        assert [one["error"] for one in delivery["tries"]] == ["the hub went silent; the answer is not known", None]


async def test_one_profile_that_cannot_be_rendered_keeps_nobody_waiting(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def render(own: object, notice: Notice) -> bytes:
        if as_text(ANN).encode() in notice.profile:
            raise KeyError("ours")
        return WEBHOOK.render(own, notice)

    async with FakeTool().serving() as sales:
        tool = a_tool("sales", sales.url)
        house = House(pool, replace(tool, destination=replace(tool.destination, render=render)))
        async with house.dispatching():
            await house.puts((ANN, 1), (BOB, 1))
            await until(house.quiet)
        assert [got.profile["profile_id"] for got in sales.got] == [as_text(BOB)]
        assert {one["error"] for one in await house.deliveries()} == {None, "could not be rendered: KeyError: 'ours'"}


async def test_what_is_on_the_wire_at_the_end_is_written_down(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatcher, "GRACE_SECONDS", 0.2)
    gate = asyncio.Event()
    async with FakeTool().serving() as sales:
        sales.script = lambda got: Reply(gate=gate) if got.profile["profile_id"] == as_text(ANN) else Reply(hang=True)
        house = House(pool, a_tool("sales", sales.url, retry_seconds=SLOW))
        async with house.dispatching():
            await house.puts((ANN, 1), (BOB, 1))
            await sales.until(lambda: len(sales.got) == 2)
            asyncio.get_running_loop().call_later(0.05, gate.set)
        states = {one["profile_id"]: (one["state"], one["error"]) for one in await house.deliveries()}
        assert states[as_text(ANN)] == ("delivered", None)
        assert states[as_text(BOB)] == ("retry", "the hub stopped while it waited for the answer")


async def test_a_database_that_is_away_for_a_while_is_waited_for(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    failures = [Retry("away", after=0.01)] * 2

    async def sometimes(*given: Any) -> list[Job]:
        if failures:
            raise failures.pop()
        return await claim(*given)

    monkeypatch.setattr(dispatcher, "claim", sometimes)
    async with FakeTool().serving() as sales:
        house = House(pool, a_tool("sales", sales.url))
        await house.puts((ANN, 1))
        async with house.dispatching():
            await until(house.quiet)
        assert (len(sales.got), failures) == (1, [])


async def lease_ends(pool: Pool) -> None:
    """Time passes, as the database's clock sees it."""
    async with transaction(pool) as connection:
        await connection.execute("UPDATE delivery SET lease_until = clock_timestamp() - interval '1 s'")


async def answer_late(house: House, job: Job, answer: Answer) -> None:
    """The paused worker wakes up and writes down what it was told."""
    async with AsyncExitStack() as stack:
        worker = Dispatcher(house.pool, house.tools, stack)
        worker._sending[job.lease] = asyncio.current_task()  # type: ignore[assignment] # whatever task it was
        worker._results.append(Result(job, answer))
        await worker._write_down()
