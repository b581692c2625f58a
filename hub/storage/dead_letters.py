"""Records that were given up on: looking at them, and marking those that are tried again."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

import asyncpg
import orjson

from hub.storage.pool import Connection, Pool, reading


class Summary(NamedTuple):
    """A letter without its bytes; `event` is 16 bytes, None where it is not known. `offset` is the record's own."""

    id: int
    state: str
    reason: str
    error: str
    field: str | None
    stage: str
    source: str | None
    group: str
    topic: str
    partition: int
    offset: int
    event: bytes | None
    at: datetime
    created_at: datetime
    failures: int
    replays: int


class Letter(NamedTuple):
    """A letter with the record's bytes as they were on the topic."""

    summary: Summary
    key: bytes | None
    headers: tuple[tuple[str, bytes], ...]
    body: bytes | None


_SUMMARY = """letter_id, state, reason, error, field, stage, source, grp, topic, part, next_offset - 1, event_id, at,
              created_at, failures, replays"""


async def page(pool: Pool, *, state: str | None, limit: int, before: int | None = None) -> list[Summary]:
    """Letters, newest first, older than the letter `before`; `state` None gives those of every state. Raises Retry."""
    async with reading(pool) as connection:
        rows = await connection.fetch(
            f"""
            SELECT {_SUMMARY} FROM dead_letter
            WHERE ($1::text IS NULL OR state = $1) AND ($3::bigint IS NULL OR letter_id < $3)
            ORDER BY letter_id DESC LIMIT $2
            """,  # noqa: S608 - a constant
            state,
            limit,
            before,
        )
    return [Summary(*row) for row in rows]


async def get(pool: Pool, letter_id: int) -> Letter | None:
    """One letter, bytes included. Raises Retry."""
    async with reading(pool) as connection:
        row = await connection.fetchrow(
            f"SELECT {_SUMMARY}, key, headers, body FROM dead_letter WHERE letter_id = $1",  # noqa: S608 - a constant
            letter_id,
        )
    return _letter(row) if row else None


async def open_ids(pool: Pool) -> list[int]:
    """The letters that are open, oldest first. Raises Retry."""
    async with reading(pool) as connection:
        rows = await connection.fetch("SELECT letter_id FROM dead_letter WHERE state = 'open' ORDER BY letter_id")
    return [row[0] for row in rows]


async def mark_replaying(pool: Pool, letter_id: int) -> bool:
    """Say that a letter is on its way again; whether there was one to be sent. Before sending: the answer is quick."""
    done: str = await _execute(
        pool,
        """
        UPDATE dead_letter SET state = 'replaying', replays = replays + 1
        WHERE letter_id = $1 AND state <> 'resolved'
        """,
        letter_id,
    )
    return done == "UPDATE 1"


async def mark_open(pool: Pool, letter_id: int) -> None:
    """Say that a letter that was to be on its way is open: nothing was sent. Raises Retry."""
    await _execute(
        pool, "UPDATE dead_letter SET state = 'open' WHERE letter_id = $1 AND state = 'replaying'", letter_id
    )


async def mark_replaced(pool: Pool, letter_id: int) -> None:
    """Say that the record of a letter without event id is on its topic anew: what becomes of it is told by itself."""
    await _execute(pool, "UPDATE dead_letter SET state = 'resolved' WHERE letter_id = $1", letter_id)


async def resolve(connection: Connection, group: str, events: Collection[bytes]) -> None:
    """Dead letters whose event is an activity now are resolved."""
    await connection.execute(
        """
        UPDATE dead_letter SET state = 'resolved'
        WHERE grp = $1 AND event_id = ANY($2::uuid[]) AND state <> 'resolved'
        """,
        group,
        list(events),
    )


async def _execute(pool: Pool, query: str, letter_id: int) -> str:
    async with reading(pool) as connection:
        done: str = await connection.execute(query, letter_id)
    return done


def _letter(row: asyncpg.Record) -> Letter:
    *summary, key, headers, body = row
    pairs = tuple((name, value.encode("latin-1")) for name, value in orjson.loads(headers))
    return Letter(Summary(*summary), key, pairs, body)
