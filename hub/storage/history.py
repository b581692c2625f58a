"""What became of whom, and who decided it: the ledger of identity. Written with what it tells of, never changed."""

from __future__ import annotations

from collections.abc import Sequence

from hub.identity.evidence import Fact
from hub.identity.outcome import Changes
from hub.identity.resolve import RULES
from hub.storage.pool import Connection


async def write(connection: Connection, changes: Changes) -> None:
    """Which records went from which profile to which, by which operation: one for each profile that took some in."""
    heirs = sorted({(one.after, one.cause or b"") for one in changes.moved})
    operations = dict(zip(heirs, await _operations(connection, len(heirs)), strict=True))
    involved = {
        heir: sorted({heir[0], *(one.before for one in changes.moved if one.before and one.after == heir[0])})
        for heir in heirs
    }
    await connection.executemany(
        """
        INSERT INTO identity_op (op_id, kind, profiles, cause, rules)
        OVERRIDING SYSTEM VALUE VALUES ($1, 'resolved', $2::uuid[], $3, $4)
        """,
        [(operations[heir], involved[heir], heir[1] or None, RULES) for heir in heirs],
    )
    await connection.execute(
        """
        INSERT INTO membership_log (record_id, op_id, from_profile, to_profile)
        SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::uuid[], $4::uuid[])
        """,
        [one.record for one in changes.moved],
        [operations[one.after, one.cause or b""] for one in changes.moved],
        [one.before for one in changes.moved],
        [one.after for one in changes.moved],
    )


async def _operations(connection: Connection, wanted: int) -> list[int]:
    """Numbers of new operations."""
    rows = await connection.fetch(
        "SELECT nextval(pg_get_serial_sequence('identity_op', 'op_id')) FROM generate_series(1, $1)", wanted
    )
    return [row[0] for row in rows]


async def write_decisions(connection: Connection, facts: Sequence[Fact]) -> None:
    """Which records new decisions name, and on which side; what else they say is in their activity."""
    rows = [
        (fact.event, record, side)
        for fact in facts
        if fact.decision
        for side, records in enumerate(fact.decision.sides)
        for record in records
    ]
    if rows:
        await connection.executemany("INSERT INTO link_decision VALUES ($1, $2, $3) ON CONFLICT DO NOTHING", rows)
