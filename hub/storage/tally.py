"""What a stretch of time came to: counts from a mark on, for whoever watches a run."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import NamedTuple

from hub.storage.pool import Pool, reading


class Mark(NamedTuple):
    """A moment by the database's clock, and the last dead letter and identity operation before it."""

    at: datetime
    letter: int
    operation: int


class Doings(NamedTuple):
    """What rules did from the mark on, what they held back, how waits ended; and who and what is on the way now.

    `fired` says how often each rule did something. `replies` are journeys that an answer by mail ended, `silences`
    waits that ended because nothing came.
    """

    fired: Mapping[str, int]
    held: int
    mails: int
    replies: int
    silences: int
    journeys: int
    unsent: int

    @property
    def actions(self) -> int:
        """Everything that was done."""
        return sum(self.fired.values())


class Tally(NamedTuple):
    """People there are now; from the mark on, ids absorbed by others, dead letters, deliveries made by destination."""

    people: int
    merges: int
    dead_letters: int
    delivered: Mapping[str, int]


async def mark(pool: Pool) -> Mark:
    """Now; also in a database that has no tables yet. Raises Retry."""
    async with reading(pool) as connection:
        (now,) = await connection.fetch("SELECT clock_timestamp(), to_regclass('identity_op') IS NOT NULL")
        if not now[1]:
            return Mark(now[0], 0, 0)
        (row,) = await connection.fetch(
            """
            SELECT coalesce((SELECT max(letter_id) FROM dead_letter), 0),
                   coalesce((SELECT max(op_id) FROM identity_op), 0)
            """
        )
    return Mark(now[0], row[0], row[1])


async def since(pool: Pool, begin: Mark) -> Tally:
    """What came of everything from the mark on. Raises Retry."""
    async with reading(pool) as connection:
        (row,) = await connection.fetch(
            """
            SELECT (SELECT count(*) FROM profile),
                   (SELECT count(DISTINCT m.from_profile) FROM membership_log m
                    WHERE m.op_id > $1 AND NOT EXISTS (SELECT FROM profile p WHERE p.profile_id = m.from_profile)),
                   (SELECT count(*) FROM dead_letter WHERE letter_id > $2)
            """,
            begin.operation,
            begin.letter,
        )
        delivered = await connection.fetch(
            """
            SELECT destination, count(*) FROM delivery WHERE state = 'delivered' AND ended_at >= $1
            GROUP BY destination ORDER BY destination
            """,
            begin.at,
        )
    people, merges, letters = row
    return Tally(people, merges, letters, {row[0]: row[1] for row in delivered})


async def doings(pool: Pool, begin: Mark) -> Doings:
    """What happened by itself from the mark on. Raises Retry."""
    async with reading(pool) as connection:
        deeds = await connection.fetch(
            """
            SELECT rule, count(*) FILTER (WHERE state = 'done'), count(*) FILTER (WHERE state = 'held')
            FROM ledger WHERE at >= $1 GROUP BY rule ORDER BY rule
            """,
            begin.at,
        )
        (row,) = await connection.fetch(
            """
            SELECT (SELECT count(*) FROM mail WHERE state = 'sent' AND ended_at >= $1),
                   count(*) FILTER (WHERE outcome IN ('left at email.replied', 'ended by email.replied')),
                   coalesce(sum(silences), 0)::bigint
            FROM journey WHERE ended_at >= $1
            """,
            begin.at,
        )
        (waits,) = await connection.fetch(
            """
            SELECT (SELECT count(*) FROM journey WHERE state <> 'ended'),
                   (SELECT count(*) FROM mail WHERE state IN ('pending', 'sending', 'retry'))
            """
        )
    return Doings({one[0]: one[1] for one in deeds}, sum(one[2] for one in deeds), *row, *waits)


async def settled(pool: Pool, events: Collection[bytes]) -> dict[bytes, datetime]:
    """Those of these events that are activities or dead letters, and when the one that counts was taken in.

    Raises Retry.
    """
    async with reading(pool) as connection:
        rows = await connection.fetch(
            """
            SELECT event_id, max(at) FROM dead_letter WHERE event_id = ANY($1::uuid[]) GROUP BY event_id
            UNION ALL SELECT event_id, received_at FROM activity WHERE event_id = ANY($1::uuid[])
            """,
            list(events),
        )
    return {row[0]: row[1] for row in rows}
