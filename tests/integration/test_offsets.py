"""The stored offsets as a fence: whoever takes the same partitions waits, in one order, also at their first batch."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from hub.errors import Retry
from hub.storage.offsets import PostgresStore
from hub.storage.pool import Pool, transaction
from tests.support.line import batch_connections, deadlocks

pytestmark = pytest.mark.integration
GROUP, TOPIC, PARTITIONS = "profiles", "inbound.forms", 24


@pytest_asyncio.fixture
async def batch_pool(database_url: str) -> AsyncIterator[Pool]:
    async with batch_connections(database_url) as connections:
        yield connections


async def test_consumers_that_meet_on_partitions_nobody_has_stored_yet_never_deadlock(database_url: str) -> None:
    """To make a missing row while others are locked would be to wait against the order."""
    chance = random.Random(3)

    async def consumer(pool: Pool) -> None:
        store = PostgresStore(pool)
        for _ in range(12):
            places = [(f"{TOPIC}.{number % 3}", number) for number in chance.sample(range(PARTITIONS), 6)]
            async with transaction(pool) as connection:
                await connection.execute("SELECT pg_sleep($1)", chance.random() * 0.003)
                assert (await store.fence(connection, GROUP, places)).keys() == set(places)
                await connection.execute("SELECT pg_sleep($1)", chance.random() * 0.003)

    for _ in range(4):
        async with batch_connections(database_url) as pool:
            await pool.execute("TRUNCATE stored_offset")
            await asyncio.gather(*(consumer(pool) for _ in range(8)))
    assert await deadlocks(database_url) == 0


async def test_a_row_that_was_made_and_rolled_back_is_made_again(batch_pool: Pool) -> None:
    store, place = PostgresStore(batch_pool), (TOPIC, 1)
    for _ in range(2):
        async with batch_pool.acquire() as connection:
            attempt = connection.transaction()
            await attempt.start()
            assert await store.fence(connection, GROUP, [place]) == {place: 0}
            await attempt.rollback()
    for stored in (0, 7):
        async with transaction(batch_pool) as connection:
            assert await store.fence(connection, GROUP, [place]) == {place: stored}
            await store.advance(connection, GROUP, {place: 7})


async def test_rows_that_somebody_took_away_are_made_again_by_the_next_try(batch_pool: Pool) -> None:
    store, place = PostgresStore(batch_pool), (TOPIC, 1)
    for _ in range(2):
        async with transaction(batch_pool) as connection:
            await store.fence(connection, GROUP, [place])
    await batch_pool.execute("TRUNCATE stored_offset")
    async with transaction(batch_pool) as connection:
        with pytest.raises(Retry):
            await store.fence(connection, GROUP, [place])
    async with transaction(batch_pool) as connection:
        assert await store.fence(connection, GROUP, [place]) == {place: 0}
