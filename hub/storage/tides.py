"""How far what arrives has come through the house: what a look at the slow lane and the outbox tells."""

from __future__ import annotations

from datetime import datetime

from hub.storage.pool import Connection


async def now(connection: Connection) -> datetime:
    """The database's clock."""
    found: datetime = await connection.fetchval("SELECT clock_timestamp()")
    return found


async def put_aside_before(connection: Connection, at: datetime) -> bool:
    """Whether something that was put aside until then still waits in the slow lane."""
    found: bool = await connection.fetchval("SELECT EXISTS (SELECT FROM slow_lane WHERE at <= $1)", at)
    return found


async def newest_message(connection: Connection) -> int:
    """The number of the newest row of the outbox; 0 where it is empty."""
    found: int | None = await connection.fetchval("SELECT max(seq) FROM outbox")
    return found or 0


async def waits_in_outbox(connection: Connection, newest: int) -> bool:
    """Whether a row up to this one still waits."""
    found: bool = await connection.fetchval("SELECT EXISTS (SELECT FROM outbox WHERE seq <= $1)", newest)
    return found
