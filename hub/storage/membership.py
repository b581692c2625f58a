"""Segments for people: which there are, and who is in them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import NamedTuple

from hub.storage.pool import Pool, reading


class Counting(NamedTuple):
    """A segment that counts: how many are in it, and how many were not looked at since it was taken over."""

    name: str
    version: int
    sentence: str
    members: int
    waiting: int


class Member(NamedTuple):
    """Somebody in a segment: their profile's id, its line (JSON), and since when."""

    profile: bytes
    line: str
    since: datetime


class Mark(NamedTuple):
    """A place between two members: everybody who came in before that."""

    since: datetime
    profile: bytes


END = Mark(datetime(9999, 1, 1, tzinfo=UTC), b"\xff" * 16)


async def listing(pool: Pool) -> list[Counting]:
    """Every segment that counts, by name. Reads all memberships. Raises Retry."""
    async with reading(pool) as connection:
        rows = await connection.fetch(
            """
            SELECT r.name, r.version, r.sentence,
                   (SELECT count(*) FROM segment_member m JOIN profile p USING (profile_id) WHERE m.segment = r.name),
                   (SELECT count(*) FROM profile p
                    WHERE NOT coalesce(o.done, false) AND (o.upto IS NULL OR p.profile_id > o.upto))
            FROM rule_state s JOIN rule r ON r.name = s.name AND r.version = s.live AND r.kind = 'segment'
            LEFT JOIN segment_round o
              ON o.segment = s.name AND o.version = s.live AND o.since = greatest(s.live_since, r.applied_at)
            ORDER BY r.name
            """
        )
    return [Counting(*row) for row in rows]


async def page(pool: Pool, segment: str, limit: int, before: Mark = END) -> list[Member]:
    """At most `limit` members who came in before the mark, the newest first. Raises Retry."""
    async with reading(pool) as connection:
        rows = await connection.fetch(
            """
            SELECT m.profile_id, p.line, m.since FROM segment_member m JOIN profile p USING (profile_id)
            WHERE m.segment = $1 AND (m.since, m.profile_id) < ($2, $3)
            ORDER BY m.since DESC, m.profile_id DESC LIMIT $4
            """,
            segment,
            before.since,
            before.profile,
            limit,
        )
    return [Member(*row) for row in rows]
