"""What PostgreSQL's client does that nobody expects."""

from __future__ import annotations

import asyncpg
import pytest

from hub.errors import Retry
from hub.storage.pool import open_pool, transaction, translated

pytestmark = pytest.mark.integration


async def test_asyncpg_s_own_confusion_about_a_backend_that_ended_is_a_database_that_is_away() -> None:
    """Neither its InterfaceError nor PostgreSQL's word (its issue 784), and no reason for a dead letter."""
    with pytest.raises(Retry):
        async with translated():
            raise asyncpg.InternalClientError("cannot switch to state 12; another operation (2) is in progress")


async def test_whatever_a_backend_that_ends_between_two_statements_looks_like_it_is_tried_again(
    database_url: str,
) -> None:
    executioner = await open_pool(database_url, 1)
    pool = await open_pool(database_url, 1)

    async def interrupted() -> None:
        async with transaction(pool) as connection:
            await executioner.execute("SELECT pg_terminate_backend($1)", connection.get_server_pid())
            await connection.fetchval("SELECT 1")

    for _ in range(30):
        with pytest.raises(Retry):
            await interrupted()
    async with transaction(pool) as connection:
        assert await connection.fetchval("SELECT 1") == 1
    await pool.close()
    await executioner.close()
