"""Facts that wait for the slow lane: put aside in the transaction that stores their offsets, so none is lost."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from hub.identity.evidence import Fact
from hub.storage.pool import Connection

_LOCK = 4_711_201
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Fact).decode


async def put_aside(connection: Connection, facts: Sequence[Fact]) -> None:
    """Keep these for the slow lane; one that waits already waits once. In one order, as every insert."""
    ordered = sorted({fact.event: fact for fact in facts}.items())
    await connection.execute(
        """
        INSERT INTO slow_lane (event_id, fact) SELECT * FROM unnest($1::uuid[], $2::bytea[])
        ON CONFLICT DO NOTHING
        """,
        [event for event, _ in ordered],
        [_encode(fact) for _, fact in ordered],
    )


async def take(connection: Connection, most: int) -> list[Fact]:
    """The oldest facts, those that failed last; none where another process is at it. Held to the transaction's end.

    A large group may take longer to decide than an ordinary transaction may idle.
    """
    if not await connection.fetchval("SELECT pg_try_advisory_xact_lock($1)", _LOCK):
        return []
    await connection.execute("SET LOCAL idle_in_transaction_session_timeout = '10min'")
    rows = await connection.fetch("SELECT fact FROM slow_lane ORDER BY failures, at, event_id LIMIT $1", most)
    return [_decode(row[0]) for row in rows]


async def done(connection: Connection, facts: Sequence[Fact]) -> None:
    """These are written."""
    await connection.execute("DELETE FROM slow_lane WHERE event_id = ANY($1::uuid[])", [fact.event for fact in facts])


async def failed(connection: Connection, facts: Sequence[Fact]) -> None:
    """These could not be written now; others go before them from here on."""
    await connection.execute(
        "UPDATE slow_lane SET failures = failures + 1 WHERE event_id = ANY($1::uuid[])", [fact.event for fact in facts]
    )
