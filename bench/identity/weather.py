"""What befalls a consumer's connection: pauses between any two statements, and an end at any moment."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, cast

from hub.components import Positions
from hub.storage.offsets import PostgresStore
from hub.storage.pool import Connection, Pool, reading

KILLED_BETWEEN = 0.01
"""How often a connection is ended before a statement, while kills are left."""
ROAMING_SECONDS = 0.15


@dataclass
class Tally:
    """What happened in a run. `killed` counts backends by what they were doing; `refused` are a zombie's records, and
    `slow` events that took the slow lane.
    """

    batches: int = 0
    moved: int = 0
    learned: int = 0
    retries: int = 0
    refused: int = 0
    slow: int = 0
    reassigned: int = 0
    killed: dict[str, int] = field(default_factory=dict)

    @property
    def kills(self) -> int:
        """Backends that were ended."""
        return sum(self.killed.values())


class Killer:
    """Ends backends: one before a statement of its own, or any at any moment."""

    def __init__(self, pool: Pool, chance: random.Random, kills: int, tally: Tally) -> None:
        self._pool = pool
        self._chance = chance
        self._left = kills
        self._tally = tally

    async def between(self, connection: Connection) -> None:
        """End this connection now and then; its next statement finds out."""
        if self._left and self._chance.random() < KILLED_BETWEEN:
            self._left -= 1
            async with reading(self._pool) as own:
                await own.fetchval("SELECT pg_terminate_backend($1)", connection.get_server_pid())
            self._count("between two statements")

    async def roam(self) -> None:
        """End some consumer's backend, whatever it does, until no kills are left."""
        while self._left:
            await asyncio.sleep(self._chance.random() * ROAMING_SECONDS)
            async with reading(self._pool) as own:
                rows = await own.fetch(
                    """
                    SELECT pid, CASE WHEN wait_event_type = 'Lock' THEN 'waiting for a lock'
                                     WHEN state = 'active' AND query LIKE 'COMMIT%' THEN 'in its commit'
                                     WHEN state = 'active' THEN 'in a statement' ELSE state END
                    FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
                      AND state IN ('active', 'idle in transaction')
                    """
                )
                if rows and self._left:
                    pid, doing = self._chance.choice(rows)
                    self._left -= 1
                    if await own.fetchval("SELECT pg_terminate_backend($1)", pid):
                        self._count(doing)

    def _count(self, doing: str) -> None:
        self._tally.killed[doing] = self._tally.killed.get(doing, 0) + 1


class Exposed:
    """A connection before whose every statement something may happen; `locked` are the groups of each try to lock."""

    def __init__(self, connection: Connection, before: Callable[[Connection], Awaitable[None]]) -> None:
        self._connection = connection
        self._before = before
        self.locked: list[frozenset[bytes]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    async def execute(self, *words: Any) -> Any:
        """As asyncpg's."""
        await self._before(self._connection)
        return await self._connection.execute(*words)

    async def executemany(self, *words: Any) -> Any:
        """As asyncpg's."""
        await self._before(self._connection)
        return await self._connection.executemany(*words)

    async def fetch(self, *words: Any) -> Any:
        """As asyncpg's."""
        await self._before(self._connection)
        return await self._connection.fetch(*words)

    async def fetchval(self, statement: str, *words: Any) -> Any:
        """As asyncpg's. What asks for rows of `link_group` is a try to lock them."""
        await self._before(self._connection)
        if "FROM link_group" in statement:
            self.locked.append(frozenset(words[0]))
        return await self._connection.fetchval(statement, *words)


class ExposedStore(PostgresStore):
    """The batch loop's store, on connections that are exposed; `stored` is what the last fence found."""

    def __init__(self, pool: Pool, before: Callable[[Connection], Awaitable[None]], tally: Tally) -> None:
        super().__init__(pool)
        self._before = before
        self._tally = tally
        self.stored: Positions = {}

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[Connection]:
        """A transaction of the pool; something may happen before its commit, too."""
        async with super().begin() as connection:
            exposed = Exposed(connection, self._before)
            yield cast("Connection", exposed)
            await self._before(connection)
        self._tally.batches += 1
        self._count_tries(exposed.locked)

    async def fence(self, transaction: Connection, group: str, partitions: Sequence[tuple[str, int]]) -> Positions:
        """As `PostgresStore.fence`."""
        self.stored = await super().fence(transaction, group, partitions)
        return self.stored

    def _count_tries(self, locked: Sequence[frozenset[bytes]]) -> None:
        """Why a batch locked again: a group was gone when its lock came, or its own words led to more groups."""
        pairs = list(pairwise(locked))
        moved = any(not first <= second for first, second in pairs)
        self._tally.moved += moved
        self._tally.learned += bool(pairs) and not moved
