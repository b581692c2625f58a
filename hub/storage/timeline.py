"""What happened to a person, newest first."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import NamedTuple

from hub.storage.pool import Pool, reading
from schemas.envelope import HUB, SETTINGS


class Entry(NamedTuple):
    """An inbound event of a profile, or that it came into a segment or left it; the id is 16 bytes."""

    event: bytes
    type: str
    source: str
    at: datetime
    received_at: datetime


class Mark(NamedTuple):
    """A place between two entries: everything older than this comes after it."""

    at: datetime
    event: bytes


END = Mark(datetime(9999, 1, 1, tzinfo=UTC), b"\xff" * 16)


async def page(pool: Pool, profile: bytes, limit: int, before: Mark | None = None) -> list[Entry]:
    """At most `limit` entries of a profile's records, older than `before`. Raises Retry.

    Time and event id make a total order, so what arrives in between shifts no page. Spam is nobody's; what people and
    rules set (owner, stage, tags) is not what happened to the person.
    """
    before = before or END
    async with reading(pool) as connection:
        rows = await connection.fetch(
            """
            SELECT a.event_id, a.type, a.source, a.at, a.received_at
            FROM source_record r CROSS JOIN LATERAL (
                SELECT event_id, type, source, at, received_at FROM activity
                WHERE record_id = r.record_id AND NOT spam AND at <= $2 AND (at, event_id) < ($2, $3)
                  AND NOT (source = $5 AND type = ANY($6::text[]))
                ORDER BY at DESC, event_id DESC LIMIT $4
            ) a
            WHERE r.profile_id = $1
            ORDER BY a.at DESC, a.event_id DESC LIMIT $4
            """,
            profile,
            before.at,
            before.event,
            limit,
            HUB,
            sorted(SETTINGS),
        )
    return [Entry(*row) for row in rows]
