"""Connections to PostgreSQL, and its errors in the words of this house."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from hub.errors import Retry

Connection = asyncpg.Connection | PoolConnectionProxy
Pool = asyncpg.Pool

STATEMENT_SECONDS = 60
IDLE_IN_TRANSACTION = "8s"
LOCK_WAIT = "10s"

_AWAY = (
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # what asyncpg says where a backend ends between two statements (its issue 784)
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.TransactionRollbackError,
    asyncpg.LockNotAvailableError,
    asyncpg.QueryCanceledError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.InvalidAuthorizationSpecificationError,
    OSError,
    TimeoutError,
)


@asynccontextmanager
async def translated() -> AsyncIterator[None]:
    """Where PostgreSQL is away, restarts, or asks for another try: Retry. Everything else passes as it is."""
    try:
        yield
    except _AWAY as error:
        raise Retry(f"PostgreSQL: {str(error) or type(error).__name__}") from error


async def _prepare(connection: asyncpg.Connection) -> None:
    """Ids are 16 plain bytes in memory: no object per value on the hot path."""
    await connection.set_type_codec("uuid", schema="pg_catalog", encoder=bytes, decoder=bytes, format="binary")


async def _nothing_to_reset(_: asyncpg.Connection) -> None:
    """No session state is ever set here, so a connection goes back to the pool without a round trip."""


_POINT_LOOKUPS = {"enable_hashjoin": "off", "enable_mergejoin": "off", "enable_seqscan": "off"}


async def open_pool(url: str, size: int, *, name: str = "hub", point_lookups: bool = False) -> Pool:
    """A pool of at most `size` connections. Raises Retry where the database does not answer within 10 s.

    `point_lookups` is for the batch path: its statements always go by index, also in plans that were made while the
    tables were still small.
    """
    async with translated(), asyncio.timeout(10):
        return await asyncpg.create_pool(
            url,
            min_size=1,
            max_size=size,
            command_timeout=STATEMENT_SECONDS,
            init=_prepare,
            reset=_nothing_to_reset,
            server_settings={
                "application_name": name,
                "timezone": "UTC",
                "jit": "off",
                "plan_cache_mode": "force_generic_plan",
                "idle_in_transaction_session_timeout": IDLE_IN_TRANSACTION,
                "lock_timeout": LOCK_WAIT,
                **(_POINT_LOOKUPS if point_lookups else {}),
            },
        )


@asynccontextmanager
async def transaction(pool: Pool) -> AsyncIterator[Connection]:
    """A connection within a transaction: committed at the end, rolled back by an error. Raises Retry."""
    async with translated(), pool.acquire() as connection, connection.transaction():
        yield connection


@asynccontextmanager
async def snapshot(pool: Pool) -> AsyncIterator[Connection]:
    """A connection that only reads, and sees everything as it was at its first look. Raises Retry."""
    async with (
        translated(),
        pool.acquire() as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        yield connection


@asynccontextmanager
async def reading(pool: Pool) -> AsyncIterator[Connection]:
    """A connection for statements on their own. Raises Retry."""
    async with translated(), pool.acquire() as connection:
        yield connection
