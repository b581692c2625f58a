"""Erasing in PostgreSQL: one fence that keeps every writer of identity out meanwhile, and what is read behind it.

Batches hold the fence together, and so does whoever renders for tools; an erasure holds it alone. All take it first: so
nobody meets half an erasure, and it may touch whatever it likes without the locks of groups.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from hub import clock
from hub.identity.erasure import Until, again
from hub.identity.evidence import MAILBOX
from hub.storage.pool import Connection
from schemas.envelope import HUB, SEGMENT_CHANGES

_FENCE = 4_711_300


class Written(NamedTuple):
    """An activity of a record, as it is stored; times are text. `kind` and the key are the record's."""

    record: bytes
    kind: str
    key_namespace: str
    key: str
    event: bytes
    type: str
    source: str
    at: str
    received_at: str
    trusted: bool
    data: bytes


async def enter(connection: Connection) -> bool:
    """Keep erasures out until the end of this transaction; says whether anybody was ever erased.

    Both in one round trip, the second statement with a look of its own: what was erased while we waited shows.
    """
    status: str = await connection.execute(
        f"SELECT pg_advisory_xact_lock_shared({_FENCE}); SELECT FROM erasure LIMIT 1"  # noqa: S608 - a constant
    )
    return not status.endswith(" 0")


async def alone(connection: Connection) -> None:
    """Keep every writer of identity out until the end of this transaction; waits for those within."""
    await connection.execute("SELECT pg_advisory_xact_lock($1)", _FENCE)


async def until(connection: Connection, keys: Collection[bytes]) -> Until:
    """Until when these records and identifiers are erased, and those that came after them."""
    found: dict[bytes, str] = {}
    asked = set(keys)
    while asked:
        rows = await connection.fetch("SELECT key, until FROM erasure WHERE key = ANY($1::uuid[])", list(asked))
        new = {key: clock.text(at) for key, at in rows}
        found |= new
        asked = {again(key) for key in new} - found.keys()
    return found


async def write(connection: Connection, keys: Collection[bytes], at: str, event: bytes) -> None:
    """From now on these are erased until this time; a later one that is known stays."""
    await connection.execute(
        """
        INSERT INTO erasure AS e (key, until, event_id) SELECT k, $2::text::timestamptz, $3 FROM unnest($1::uuid[]) k
        ON CONFLICT (key) DO UPDATE SET until = excluded.until, event_id = excluded.event_id
        WHERE excluded.until > e.until
        """,
        sorted(set(keys)),
        at,
        event,
    )


async def claimers(connection: Connection, identifiers: Collection[bytes]) -> set[bytes]:
    """The records that claim one of these identifiers."""
    rows = await connection.fetch(
        "SELECT DISTINCT record_id FROM claim WHERE identifier_id = ANY($1::uuid[])", list(identifiers)
    )
    return {row[0] for row in rows}


async def written(connection: Connection, records: Collection[bytes]) -> list[Written]:
    """Every activity of these records that came in; that they came into segments, and left them, is our own doing."""
    rows = await connection.fetch(
        """
        SELECT record_id, r.kind, r.key_namespace, r.key, event_id, type, a.source, at, received_at, trusted, data
        FROM activity a JOIN source_record r USING (record_id)
        WHERE record_id = ANY($1::uuid[]) AND NOT (a.source = $2 AND a.type = ANY($3::text[]))
        """,
        list(records),
        HUB,
        sorted(SEGMENT_CHANGES),
    )
    return [
        Written(record, kind, space, key, event, is_a, source, clock.text(at), clock.text(came), trusted, data.encode())
        for record, kind, space, key, event, is_a, source, at, came, trusted, data in rows
    ]


async def decisions_about(connection: Connection, records: Collection[bytes]) -> dict[bytes, bytes]:
    """The decisions that name one of these records: event id → data."""
    rows = await connection.fetch(
        """
        SELECT event_id, data FROM activity WHERE event_id IN
            (SELECT decision_id FROM link_decision WHERE record_id = ANY($1::uuid[]))
        """,
        list(records),
    )
    return {row[0]: row[1].encode() for row in rows}


async def addresses_of(connection: Connection, identifiers: Collection[bytes]) -> list[str]:
    """The addresses, mailboxes and numbers among these identifiers, as they are stored."""
    rows = await connection.fetch(
        """
        SELECT value FROM identifier WHERE identifier_id = ANY($1::uuid[]) AND namespace = ANY($2::text[])
        ORDER BY value
        """,
        list(identifiers),
        ["email", MAILBOX, "phone"],
    )
    return [row[0] for row in rows]


async def claimed_by_nobody_but(
    connection: Connection, identifiers: Collection[bytes], records: Collection[bytes]
) -> list[bytes]:
    """Those of these identifiers that link, and that no record outside of these claims."""
    rows = await connection.fetch(
        """
        SELECT identifier_id FROM identifier i WHERE identifier_id = ANY($1::uuid[]) AND state = 'link' AND NOT EXISTS
            (SELECT FROM claim c WHERE c.identifier_id = i.identifier_id AND c.record_id <> ALL($2::uuid[]))
        """,
        list(identifiers),
        list(records),
    )
    return [row[0] for row in rows]
