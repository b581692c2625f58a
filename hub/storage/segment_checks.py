"""When profiles are looked at again, though nothing happens: under the lease engine. And how far a new segment has got.

Whoever looks takes the locks of the profiles before any row of these tables, as `hub.storage.segments` says.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

from hub.storage.leases import Lease, Leases
from hub.storage.pool import Connection

LEASES = Leases("segment_check", waiting=("waiting",), taken="working", lost="waiting")
MOST_TAKEN = 256


class Due(NamedTuple):
    """A look that is due, and why it is taken."""

    profile: bytes
    until: datetime
    because: str


class Round(NamedTuple):
    """A version that counts since `since`: everybody up to the profile `upto` was looked at, or everybody (`done`)."""

    segment: str
    version: int
    since: datetime
    upto: bytes | None
    done: bool

    def has_seen(self, profile: bytes) -> bool:
        """Whether the profile had its turn."""
        return self.done or (self.upto is not None and profile <= self.upto)


async def take(connection: Connection, tide: datetime, seconds: float) -> list[Lease]:
    """Profiles whose answer may have turned by itself, the oldest first, where all that arrived before was heard of."""
    await LEASES.expire(connection)
    rows = await connection.fetch(
        """
        SELECT id FROM segment_check WHERE state = 'waiting' AND due_at <= statement_timestamp() AND until <= $1
        ORDER BY due_at, id LIMIT $2
        """,
        tide,
        MOST_TAKEN,
    )
    return await LEASES.take(connection, [row[0] for row in rows], seconds) if rows else []


async def due(connection: Connection, held: Collection[bytes]) -> list[Due]:
    """What the caller holds. An id that nobody bears any more is not looked at again."""
    await connection.execute(
        """
        UPDATE segment_check c SET state = 'waiting', due_at = NULL, lease_until = NULL
        WHERE id = ANY($1::uuid[]) AND NOT EXISTS (SELECT FROM profile p WHERE p.profile_id = c.id)
        """,
        list(held),
    )
    rows = await connection.fetch(
        "SELECT id, until, because FROM segment_check WHERE id = ANY($1::uuid[]) AND state = 'working'", list(held)
    )
    return [Due(*row) for row in rows]


async def silent_until(connection: Connection, tide: datetime) -> datetime:
    """Up to when nobody comes or goes any more by time: before the first look that is late, and never after `tide`.

    A change by time bears the moment at which it was due. Where no segment counts nobody looks.
    """
    late: datetime | None = await connection.fetchval(
        """
        SELECT min(until) - interval '1 microsecond' FROM (
            SELECT until FROM segment_check WHERE state = 'waiting' AND due_at <= clock_timestamp()
            UNION ALL SELECT until FROM segment_check WHERE state = 'working'
        ) late WHERE EXISTS (SELECT FROM segment_round)
        """
    )
    return min(tide, late) if late else tide


async def held_up(connection: Connection, tide: datetime) -> bool:
    """Whether a look is due and waits for the tide alone."""
    found: bool = await connection.fetchval(
        """
        SELECT EXISTS (SELECT FROM segment_check
                       WHERE state = 'waiting' AND due_at <= statement_timestamp() AND until > $1)
        """,
        tide,
    )
    return found


async def next_due(connection: Connection, at_most: float) -> float:
    """In how many seconds the next look comes due, `at_most` where that is far off or unknown."""
    seconds: float | None = await connection.fetchval(
        """
        SELECT greatest(0, least($1, extract(epoch FROM min(due_at) - clock_timestamp())::float))
        FROM segment_check WHERE state = 'waiting' AND due_at > statement_timestamp()
        """,
        at_most,
    )
    return at_most if seconds is None else seconds


async def rounds(connection: Connection) -> dict[str, Round]:
    """How far every segment has got, by its name."""
    rows = await connection.fetch("SELECT segment, version, since, upto, done FROM segment_round")
    return {row[0]: Round(*row) for row in rows}


async def begin(connection: Connection) -> None:
    """Begin a round for every segment that was taken over or changed since the last one."""
    await connection.execute(
        """
        INSERT INTO segment_round AS o (segment, version, since)
        SELECT s.name, s.live, greatest(s.live_since, r.applied_at)
        FROM rule_state s JOIN rule r ON r.name = s.name AND r.version = s.live AND r.kind = 'segment' ORDER BY s.name
        ON CONFLICT (segment) DO UPDATE
        SET version = excluded.version, since = excluded.since, upto = NULL, done = false
        WHERE (o.version, o.since) <> (excluded.version, excluded.since)
        """
    )


async def unfinished(connection: Connection) -> Round | None:
    """A round that has not come round, and that nobody else is at; it is ours until the transaction ends."""
    row = await connection.fetchrow(
        """
        SELECT segment, version, since, upto, done FROM segment_round WHERE NOT done ORDER BY segment LIMIT 1
        FOR UPDATE SKIP LOCKED
        """
    )
    return Round(*row) if row else None


async def is_settled(connection: Connection) -> bool:
    """Whether every segment that counts has come round, and none is left of those that were retired."""
    found: bool = await connection.fetchval(
        """
        SELECT NOT EXISTS (SELECT FROM segment_round o JOIN rule_state s ON s.name = o.segment
                           WHERE NOT o.done OR s.live IS NULL)
        """
    )
    return found


async def behind(connection: Connection, upto: bytes | None, most: int) -> list[bytes]:
    """The profiles that come next, at the most so many."""
    rows = await connection.fetch(
        "SELECT profile_id FROM profile WHERE $1::uuid IS NULL OR profile_id > $1 ORDER BY profile_id LIMIT $2",
        upto,
        most,
    )
    return [row[0] for row in rows]


async def is_late(connection: Connection, profiles: Collection[bytes], moment: datetime) -> bool:
    """Whether one of these was to be looked at until this moment, and is not yet. The caller holds their locks."""
    found: bool = await connection.fetchval(
        """
        SELECT EXISTS (SELECT FROM segment_check WHERE id = ANY($1::uuid[]) AND until <= $2 AND due_at IS NOT NULL)
        """,
        list(profiles),
        moment,
    )
    return found


async def went(connection: Connection, segment: str, upto: bytes | None) -> None:
    """The round has come so far; None: it has come round."""
    await connection.execute(
        "UPDATE segment_round SET upto = coalesce($2, upto), done = $2::uuid IS NULL WHERE segment = $1", segment, upto
    )


class Retired(NamedTuple):
    """A segment that counts no more, since when, and some who are in it yet."""

    segment: str
    version: int
    since: datetime
    members: list[bytes]


async def retired(connection: Connection, most: int) -> Retired | None:
    """A segment that was retired and still has its row, ours until the transaction ends, and at the most so many of
    its members.
    """
    row = await connection.fetchrow(
        """
        SELECT o.segment, o.version, s.changed_at FROM segment_round o JOIN rule_state s ON s.name = o.segment
        WHERE s.live IS NULL ORDER BY o.segment LIMIT 1 FOR UPDATE OF o SKIP LOCKED
        """
    )
    if row is None:
        return None
    members = await connection.fetch(
        "SELECT profile_id FROM segment_member WHERE segment = $1 ORDER BY profile_id LIMIT $2", row[0], most
    )
    return Retired(row[0], row[1], row[2], [one[0] for one in members])


async def end(connection: Connection, segment: str) -> None:
    """Nobody is in it any more, and nothing is known of it."""
    await connection.execute("DELETE FROM segment_round WHERE segment = $1", segment)
