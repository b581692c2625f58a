"""What decisions are made of: records of profiles, what an operation joined, and what was decided before."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import NamedTuple

from hub.identity.outcome import Row
from hub.storage import profiles
from hub.storage.pool import Pool, reading


class Scope(NamedTuple):
    """Everything that may be one person with some records: rows by record id, versions by profile id."""

    rows: dict[bytes, Row]
    versions: dict[bytes, int]


class Join(NamedTuple):
    """What an operation did to one profile: records by the profile that each came from, and who was there before."""

    profile: bytes
    came: dict[bytes, list[bytes]]
    stayed: list[bytes]


class Operation(NamedTuple):
    """A row of the ledger: what moved and because of which event (None: the rules were other ones)."""

    number: int
    at: datetime
    rules: int
    cause: bytes | None
    cause_type: str | None
    moves: list[tuple[bytes, bytes | None, bytes]]


class Made(NamedTuple):
    """A decision as it was made: its event's type and data (JSON text)."""

    decision: bytes
    type: str
    at: datetime
    data: str


async def scope(pool: Pool, records: Iterable[bytes]) -> Scope:
    """The groups of these records, read without locks; records that nobody has heard of are left out. Raises Retry."""
    async with reading(pool) as connection:
        groups = await profiles.groups_of(connection, list(records))
        return Scope(*await profiles.load(connection, set(groups.values()), ()))


async def joined(pool: Pool, operation: int) -> Join | None:
    """What an operation joined; None where there is none of this number, or where it joined nobody. Raises Retry."""
    async with reading(pool) as connection:
        moves = await connection.fetch(
            "SELECT record_id, from_profile, to_profile FROM membership_log WHERE op_id = $1", operation
        )
        came: dict[bytes, list[bytes]] = {}
        for record, before, _ in moves:
            if before is not None:
                came.setdefault(before, []).append(record)
        if not came:
            return None
        profile = moves[0][2]
        stayed = await connection.fetch(_BEFORE, operation, profile)
    return Join(profile, came, [row[0] for row in stayed])


_BEFORE = """
    SELECT record_id FROM (
        SELECT DISTINCT ON (m.record_id) m.record_id, m.to_profile FROM membership_log m
        WHERE m.op_id < $1
          AND (m.record_id = $2 OR m.record_id IN (SELECT record_id FROM membership_log WHERE to_profile = $2))
        ORDER BY m.record_id, m.op_id DESC
    ) last WHERE to_profile = $2
    UNION
    SELECT $2 WHERE NOT EXISTS (SELECT FROM membership_log WHERE record_id = $2 AND op_id < $1)
"""


async def operations(pool: Pool, records: Collection[bytes], most: int = 100) -> list[Operation]:
    """The newest operations that moved any of these records, newest first. Raises Retry."""
    async with reading(pool) as connection:
        rows = await connection.fetch(
            """
            SELECT o.op_id, o.at, o.rules, o.cause, a.type, array_agg(m.record_id), array_agg(m.from_profile),
                   array_agg(m.to_profile)
            FROM identity_op o JOIN membership_log m USING (op_id) LEFT JOIN activity a ON a.event_id = o.cause
            WHERE o.op_id IN (SELECT op_id FROM membership_log WHERE record_id = ANY($1::uuid[]))
            GROUP BY o.op_id, a.type ORDER BY o.op_id DESC LIMIT $2
            """,
            list(records),
            most,
        )
    return [
        Operation(row[0], row[1], row[2], row[3], row[4], list(zip(row[5], row[6], row[7], strict=True)))
        for row in rows
    ]


async def made(pool: Pool, records: Collection[bytes]) -> list[Made]:
    """The decisions that name any of these records, newest first. Raises Retry."""
    async with reading(pool) as connection:
        rows = await connection.fetch(
            """
            SELECT event_id, type, at, data FROM activity WHERE event_id IN (
                SELECT decision_id FROM link_decision WHERE record_id = ANY($1::uuid[])
            ) ORDER BY at DESC, event_id DESC
            """,
            list(records),
        )
    return [Made(*row) for row in rows]


async def named(pool: Pool, decision: bytes) -> list[bytes]:
    """The records that a decision names, in order; none where there is no such decision. Raises Retry."""
    async with reading(pool) as connection:
        rows = await connection.fetch(
            "SELECT record_id FROM link_decision WHERE decision_id = $1 ORDER BY side, record_id", decision
        )
    return [row[0] for row in rows]


async def are_written(pool: Pool, events: Collection[bytes]) -> bool:
    """Whether all these events are activities by now. Raises Retry."""
    async with reading(pool) as connection:
        found = await connection.fetchval(
            "SELECT count(*) FROM activity WHERE event_id = ANY($1::uuid[])", list(events)
        )
    return bool(found == len(set(events)))
