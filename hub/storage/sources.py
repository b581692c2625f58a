"""What was heard of each source, and what became of one event."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from hub.storage.pool import Pool, reading
from schemas.envelope import HUB, SEGMENT_CHANGES


class Heard(NamedTuple):
    """The activities of a source, its letters that are not resolved, and when the newest of either came."""

    events: int
    dead_letters: int
    last_at: datetime


class Became(NamedTuple):
    """An event that was written down: its profile (16 bytes; None: it is nobody's), or the letter that it is."""

    profile: bytes | None
    letter: int | None


async def heard(pool: Pool) -> dict[str, Heard]:
    """Every source of which anything is written down, by name. Reads the whole history. Raises Retry."""
    async with reading(pool) as connection:
        rows = await connection.fetch(
            """
            SELECT source, sum(events)::bigint, sum(letters)::bigint, max(last_at)
            FROM (
                SELECT source, count(*) AS events, 0 AS letters, max(received_at) AS last_at
                FROM activity WHERE NOT (source = $1 AND type = ANY($2::text[])) GROUP BY source
                UNION ALL
                SELECT source, 0, count(*) FILTER (WHERE state <> 'resolved'), max(at)
                FROM dead_letter WHERE source IS NOT NULL GROUP BY source
            ) one
            GROUP BY source
            """,
            HUB,
            sorted(SEGMENT_CHANGES),
        )
    return {source: Heard(*rest) for source, *rest in rows}


async def became(pool: Pool, event: bytes) -> Became | None:
    """What became of an event (16 bytes); None where nobody has read it yet. Raises Retry."""
    async with reading(pool) as connection:
        row = await connection.fetchrow(
            """
            SELECT r.profile_id, NULL::bigint FROM activity a LEFT JOIN source_record r USING (record_id)
            WHERE a.event_id = $1
            UNION ALL
            SELECT NULL, letter_id FROM dead_letter WHERE event_id = $1 AND state <> 'resolved'
            LIMIT 1
            """,
            event,
        )
    return Became(*row) if row else None
