"""What people of ours look at: the tasks that are to be done, and the customers whom nobody looks after."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

import msgspec

from hub.identity.tasks import Parts
from hub.storage.pool import Connection, Pool, reading
from schemas.envelope import HUB, NOTES

_decode = msgspec.json.Decoder(Parts).decode
_TAKING = 4_711_403


class Wanted(NamedTuple):
    """Which tasks: as `hub.automation.buckets.Range` has it; whose, which team's, about which profile; how many.

    None: whichever.
    """

    statuses: tuple[str, ...]
    since: datetime | None = None
    until: datetime | None = None
    is_answered: bool | None = None
    to: str | None = None
    team: str | None = None
    profile: bytes | None = None
    most: int = 100


class Listed(NamedTuple):
    """A task, the profile that it is about (its id, its line), and when something last came in from the customer.

    That is asked only of tasks which wait for the customer.
    """

    id: bytes
    record: bytes
    parts: Parts
    status: str
    due: datetime
    since: datetime
    reminded_for: datetime | None
    reminded_to: list[str] | None
    profile: bytes
    line: str
    heard_at: datetime | None


_TASKS = """
    SELECT * FROM (
        SELECT t.id, t.record_id, t.parts, t.status, t.due, t.since, t.reminded_for, t.reminded_to,
               p.profile_id, p.line,
               CASE WHEN t.status = 'waiting' THEN (
                   SELECT max(a.received_at) FROM source_record o JOIN activity a ON a.record_id = o.record_id
                   WHERE o.profile_id = p.profile_id AND a.source <> $1 AND NOT a.spam AND a.received_at > t.since
               ) END AS heard_at
        FROM task t JOIN source_record r USING (record_id) JOIN profile p ON p.profile_id = r.profile_id
        WHERE {whose}
    ) task
"""
_OF_ONE = _TASKS.format(whose="t.id = $2 AND t.status IS NOT NULL")
_OF_MANY = (
    _TASKS.format(
        whose="""
            t.status = ANY($2::text[])
            AND (t.status <> 'open' OR $3::timestamptz IS NULL OR t.due >= $3)
            AND (t.status <> 'open' OR $4::timestamptz IS NULL OR t.due < $4)
            AND ($6::text IS NULL OR t.assignee = $6) AND ($7::text IS NULL OR t.team = $7)
            AND ($8::uuid IS NULL OR p.profile_id = $8)
        """
    )
    + """
    WHERE status <> 'waiting' OR $5::bool IS NULL OR (heard_at IS NOT NULL) = $5
    ORDER BY CASE WHEN status IN ('done', 'dropped') THEN since END DESC, due, id LIMIT $9
    """
)


async def tasks(pool: Pool, wanted: Wanted) -> list[Listed]:
    """Those tasks, what is due first first; what is done, the last first. Raises Retry."""
    async with reading(pool) as connection:
        rows = await connection.fetch(_OF_MANY, HUB, *wanted)
    return [_listed(*row) for row in rows]


async def task(pool: Pool, identity: bytes) -> Listed | None:
    """The task of this id; None where there is none, or nobody whom it is about. Raises Retry."""
    async with reading(pool) as connection:
        row = await connection.fetchrow(_OF_ONE, HUB, identity)
    return _listed(*row) if row else None


def _listed(identity: bytes, record: bytes, parts: str, *rest: object) -> Listed:
    return Listed(identity, record, _decode(parts), *rest)  # type: ignore[arg-type] # a row is as its statement says


class Unowned(NamedTuple):
    """Somebody whom nobody looks after: since when the hub knows them, and whether one of ours spoke of them yet."""

    profile: bytes
    line: str
    since: str
    is_touched: bool


class Place(NamedTuple):
    """A place in the pool: everybody younger comes after it."""

    since: str
    profile: bytes


async def unowned(pool: Pool, most: int, after: Place | None, *, untouched: bool) -> list[Unowned]:
    """Customers without an owner whom one can write to or call, the oldest first. Raises Retry.

    A profile is as old as the first event of its founder. It is touched where somebody wrote a note or a call.
    """
    async with reading(pool) as connection:
        rows = await connection.fetch(
            """
            SELECT * FROM (
                SELECT p.profile_id, p.line, f.evidence->>'first_at' AS since, EXISTS (
                    SELECT FROM source_record r JOIN activity a USING (record_id)
                    WHERE r.profile_id = p.profile_id AND a.source = $4 AND a.type = ANY($5::text[])) AS touched
                FROM profile p JOIN source_record f ON f.record_id = p.profile_id
                WHERE p.owner IS NULL
                  AND (p.line->'fields'->'email' IS NOT NULL OR p.line->'fields'->'phone' IS NOT NULL)
                  AND ($2::text IS NULL OR (f.evidence->>'first_at', p.profile_id) > ($2, $3::uuid))
            ) known WHERE NOT ($6::bool AND touched) ORDER BY since, profile_id LIMIT $1
            """,
            most,
            after and after.since,
            after and after.profile,
            HUB,
            sorted(NOTES),
            untouched,
        )
    return [Unowned(*row) for row in rows]


class Owned(NamedTuple):
    """Who looks after a customer, and when that was last said by a person or a rule (text)."""

    owner: str | None
    said_at: str | None


async def is_only_taker(connection: Connection, profile: bytes) -> bool:
    """Whether nobody else takes this customer until the end of this transaction, which may idle meanwhile."""
    await connection.execute("SET LOCAL idle_in_transaction_session_timeout = '30s'")
    held: bool = await connection.fetchval(
        "SELECT pg_try_advisory_xact_lock($1, $2)", _TAKING, int.from_bytes(profile[-4:], "big", signed=True)
    )
    return held


async def owned(connection: Connection, profile: bytes) -> Owned | None:
    """Who looks after them now; None where nobody lives under this id."""
    row = await connection.fetchrow(
        """
        SELECT p.owner, (SELECT max(r.evidence->'set'->'owner'->>1) FROM source_record r
                         WHERE r.profile_id = p.profile_id)
        FROM profile p WHERE p.profile_id = $1
        """,
        profile,
    )
    return Owned(*row) if row else None
