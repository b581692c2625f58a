"""What a role needs: settings with real addresses, pools, the store of offsets, hints; closed in reverse."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TypeVar

import structlog

from hub.cache import RedisHints
from hub.errors import Misconfigured, Retry
from hub.settings import Settings
from hub.storage.offsets import PostgresStore
from hub.storage.pool import Pool, open_pool
from hub.streams.clients import admin, started
from hub.streams.topics import create_topics

_log = structlog.get_logger("hub.runtime")
T = TypeVar("T")
_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 3.0


@dataclass(frozen=True)
class Resources:
    """Everything that roles share within a process."""

    settings: Settings
    pool: Pool
    batch_pool: Pool
    store: PostgresStore
    hints: RedisHints
    instance: str | None = None


@asynccontextmanager
async def open_resources(
    settings: Settings, name: str, stop: asyncio.Event, instance: str | None = None
) -> AsyncIterator[Resources]:
    """Resources for a process called `name`; waits for servers that are away.

    `instance` names it among all processes of the company, where that is sure to be its own.

    Raises Misconfigured where an address is missing.
    """
    url, redis = settings.postgres.url, settings.redis.url
    if not url or not redis or not settings.kafka.servers:
        raise Misconfigured("no addresses of Kafka, PostgreSQL and Redis: `hub serve` starts private ones")
    cluster = await patiently(lambda: _cluster(settings), stop)
    pool = await patiently(lambda: open_pool(url, settings.postgres.pool, name=name), stop)
    batch_pool = await patiently(lambda: open_pool(url, settings.postgres.pool, name=name, point_lookups=True), stop)
    hints = RedisHints(redis, settings.kafka.prefix)
    store = PostgresStore(batch_pool, cluster)
    async with asyncio.TaskGroup() as tasks:
        carrying = tasks.create_task(hints.run(stop))
        try:
            yield Resources(settings, pool, batch_pool, store, hints, instance)
        finally:
            carrying.cancel()
            for one in (pool, batch_pool):
                await _close(one)


async def _close(pool: Pool) -> None:
    try:
        async with asyncio.timeout(5):
            await pool.close()
    except TimeoutError:
        pool.terminate()


async def _cluster(settings: Settings) -> str:
    client = admin(settings.kafka)
    async with started(client):
        answer = await client.describe_cluster()
    return str(answer["cluster_id"])


async def patiently(attempt: Callable[[], Awaitable[T]], stop: asyncio.Event) -> T:
    """Try until it works or the process is to stop; each failure is a line in the log. Raises the last Retry then."""
    pause = _FIRST_PAUSE
    while True:
        try:
            return await attempt()
        except Retry as error:
            if stop.is_set():
                raise
            _log.warning("waiting", error=str(error))
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)


async def prepare(settings: Settings, stop: asyncio.Event) -> None:
    """Bring the database to the newest revision and make the topics; waits for servers that are away."""
    from hub.storage.migrate import migrate  # Alembic takes longer to import than everything else of a role together

    await patiently(lambda: migrate(settings.postgres.url or ""), stop)
    await patiently(lambda: create_topics(settings.kafka), stop)
