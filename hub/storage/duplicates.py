"""The queue of suspected duplicates as people look at it, and the note that one of them was decided about."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import NamedTuple

import asyncpg

from hub.storage.lookup import Told
from hub.storage.pool import Connection, Pool, reading, transaction
from hub.storage.suspects import COLUMNS, Key, Pair


class Case(NamedTuple):
    """A pair, since when it is there, who decided last and when, and whom its two records belong to now."""

    pair: Pair
    seen_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    one: Told | None
    other: Told | None


class Mark(NamedTuple):
    """A place in the queue: behind the pair of these records, which was this sure."""

    probability: float
    one: bytes
    other: bytes


_PAIRS = f"""
    SELECT s.*, x.profile_id, x.version, x.line, y.profile_id, y.version, y.line
    FROM (SELECT {COLUMNS}, seen_at, decided_by, decided_at FROM suspect_pair) s
    LEFT JOIN source_record a ON a.record_id = s.rec_a LEFT JOIN profile x ON x.profile_id = a.profile_id
    LEFT JOIN source_record b ON b.record_id = s.rec_b LEFT JOIN profile y ON y.profile_id = b.profile_id
"""  # noqa: S608 - a constant


async def page(pool: Pool, state: str | None, band: str | None, limit: int, after: Mark | None) -> list[Case]:
    """Pairs, the surest first; None stands for every state or band. Raises Retry."""
    async with reading(pool) as connection:
        rows = await connection.fetch(
            f"""
            {_PAIRS}
            WHERE ($1::text IS NULL OR s.state = $1) AND ($2::text IS NULL OR s.band = $2)
              AND ($4::float8 IS NULL OR (s.probability, s.rec_a, s.rec_b) < ($4, $5::uuid, $6::uuid))
            ORDER BY s.probability DESC, s.rec_a DESC, s.rec_b DESC LIMIT $3
            """,
            state,
            band,
            limit,
            *(after or (None, None, None)),
        )
    return [_case(row) for row in rows]


async def get(pool: Pool, key: Key) -> Case | None:
    """The pair of these records. Raises Retry."""
    async with reading(pool) as connection:
        row = await connection.fetchrow(f"{_PAIRS} WHERE s.rec_a = $1 AND s.rec_b = $2", *key)
    return _case(row) if row else None


@asynccontextmanager
async def held(pool: Pool, key: Key) -> AsyncIterator[tuple[Connection, Case | None]]:
    """The pair, and nobody else decides about it until the block ends. Raises Retry."""
    async with transaction(pool) as connection:
        await connection.execute("SELECT FROM suspect_pair WHERE rec_a = $1 AND rec_b = $2 FOR UPDATE", *key)
        row = await connection.fetchrow(f"{_PAIRS} WHERE s.rec_a = $1 AND s.rec_b = $2", *key)
        yield connection, _case(row) if row else None


async def decided(connection: Connection, key: Key, state: str, decision: bytes, by: str) -> None:
    """Note what was decided about a pair that is held, on what it shows now."""
    await connection.execute(
        """
        UPDATE suspect_pair
        SET state = $3, decision_id = $4, decided_on = fingerprint, decided_by = $5, decided_at = now()
        WHERE rec_a = $1 AND rec_b = $2
        """,
        *key,
        state,
        decision,
        by,
    )


def _case(row: asyncpg.Record) -> Case:
    pair, rest = Pair(*row[:13]), row[16:]
    one, other = (Told(*told) if told[0] else None for told in (rest[:3], rest[3:]))
    return Case(pair, row[13], row[14], row[15], one, other)
