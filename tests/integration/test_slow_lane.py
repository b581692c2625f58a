"""A group that grows beyond all bounds takes a lane of its own: nobody else waits for it, and nothing of it is lost."""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from consumers import slow_lane
from consumers.monitor import slow_lane_rows
from consumers.profiles import Profiles
from hub.cache import LocalHints
from hub.identity import outcome
from hub.identity.evidence import Fact, Words
from hub.storage import queues
from hub.storage.pool import Connection, Pool
from tests.support.crowd import a_crowd, decisions_among
from tests.support.line import audit, batch_connections, cut, deadlocks, lines, running, until, write
from tests.support.memory import day, fact, record, whole

pytestmark = pytest.mark.integration
X = "x@firm.org"


@pytest.fixture(autouse=True)
def small_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outcome, "MOST_RECORDS", 12)


@pytest_asyncio.fixture
async def batch_pool(database_url: str) -> AsyncIterator[Pool]:
    async with batch_connections(database_url) as connections:
        yield connections


def strangers(count: int) -> list[Fact]:
    """A stranger's posts: as many names, one address."""
    return [
        fact("web", Words(email=X, given_name=f"Name{number}"), day(2), natural_id=f"s {number}")
        for number in range(count)
    ]


async def worked_off(pool: Pool) -> int:
    """Everything that waits in the lane is written; gives how much that was."""
    total, room = 0, Profiles(LocalHints(), {})
    while done := await slow_lane.once(pool, room, 7):
        total += done
    return total


async def waiting(pool: Pool) -> int:
    count: int = await pool.fetchval("SELECT count(*) FROM slow_lane")
    return count


async def test_a_stranger_s_thousand_names_wait_and_everybody_else_goes_on(batch_pool: Pool) -> None:
    ann = fact("shop", Words("a", X, given_name="Ann"), day(1))
    posts, others = (
        strangers(60),
        [fact("crm", Words("b", "y@firm.org"), day(1)), fact("web", Words(email="y@firm.org"))],
    )
    await write(batch_pool, [ann, *posts[:20]])
    assert await waiting(batch_pool) == 0
    for number in range(20, 60, 10):
        await write(batch_pool, [*posts[number : number + 10], *others])
    assert await waiting(batch_pool) == 40
    (row,) = slow_lane_rows(*await queues.slow_lane(batch_pool))
    assert (row["group"], row["topic"], row["messages"], row["state"]) == ("profiles", "slow lane", 40, "slow")
    assert (
        await batch_pool.fetchval("SELECT activities FROM source_record WHERE record_id = $1", record(others[1])) == 1
    )
    await write(batch_pool, posts)
    assert await waiting(batch_pool) == 60, "repeats of what is written wait as well, and change nothing"
    await worked_off(batch_pool)
    assert slow_lane_rows(*await queues.slow_lane(batch_pool)) == []
    assert await lines(batch_pool) == whole([ann, *posts, *others]).lines
    await audit(batch_pool)


@pytest.mark.parametrize("seed", range(2))
async def test_any_order_through_both_lanes_comes_to_the_same_bytes(database_url: str, seed: int) -> None:
    chance = random.Random(seed)
    facts = a_crowd(40 + seed, 250)
    made = decisions_among(sorted({one.who.record for one in facts if one.who}), chance)
    batches = deque(cut([*facts, *made, *facts[::5]], chance, 20))
    slow = 0

    async def writer(pool: Pool) -> None:
        while batches:
            await write(pool, batches.popleft(), tries=20)

    async with batch_connections(database_url) as pool:
        async with asyncio.TaskGroup() as tasks:
            writers = [tasks.create_task(writer(pool)) for _ in range(3)]
            while not all(one.done() for one in writers):
                slow += await worked_off(pool)
        slow += await worked_off(pool)
        assert slow, "the crowd makes groups of more than a dozen"
        assert await lines(pool) == whole([*facts, *made]).lines
        await audit(pool)
    assert await deadlocks(database_url) == 0


async def test_one_that_breaks_lets_the_others_go_first(batch_pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slow_lane, "POLL_SECONDS", 0.01)
    monkeypatch.setattr(slow_lane, "LONGEST_PAUSE", 0.01)
    posts = strangers(30)
    await write(batch_pool, posts[:20])
    await write(batch_pool, posts[20:])
    broken = posts[25].event

    class Breaking(Profiles):
        async def write_all(self, transaction: Connection, items: Any) -> None:
            if any(one.event == broken for one in items):
                raise ZeroDivisionError
            await super().write_all(transaction, items)

    async def only_it_waits() -> bool:
        return await waiting(batch_pool) == 1

    stop = asyncio.Event()
    async with running(slow_lane.run(batch_pool, Breaking(LocalHints(), {}), stop)):
        await until(only_it_waits, "all but the broken one are written")
        stop.set()
    assert await batch_pool.fetchval("SELECT event_id FROM slow_lane") == broken
    await worked_off(batch_pool)
    assert await lines(batch_pool) == whole(posts).lines
