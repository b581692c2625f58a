"""The waiting rooms beside Kafka: how much waits in each, and since when."""

from __future__ import annotations

from typing import Any

from hub.storage.pool import Connection, Pool, reading

OPEN_STATES = ("pending", "sending", "retry", "dead")


async def waiting(pool: Pool) -> dict[str, Any]:
    """`outbox`, `deliveries`, `timers` and `dead_letters`, as `hub lag --json` prints them. Raises Retry.

    Seconds are measured on the database's own clock; null where nothing waits.
    """
    async with reading(pool) as connection:
        return {
            "outbox": await _outbox(connection),
            "deliveries": await _deliveries(connection),
            "timers": await _timers(connection),
            "dead_letters": await connection.fetchval("SELECT count(*) FROM dead_letter WHERE state <> 'resolved'"),
        }


async def slow_lane(pool: Pool) -> tuple[int, float]:
    """How many events wait in the slow lane, and for how many seconds the oldest has. Raises Retry."""
    async with reading(pool) as connection:
        (row,) = await connection.fetch(
            "SELECT count(*), extract(epoch FROM clock_timestamp() - min(at))::double precision FROM slow_lane"
        )
    return row[0], _seconds(row[1]) or 0.0


async def _outbox(connection: Connection) -> dict[str, Any]:
    (row,) = await connection.fetch(
        """
        SELECT coalesce(sum(messages), 0)::bigint,
               extract(epoch FROM clock_timestamp() - min(created_at))::double precision
        FROM outbox
        """
    )
    return {"pending": row[0], "oldest_seconds": _seconds(row[1])}


async def _timers(connection: Connection) -> dict[str, Any]:
    """Journeys, reminders and looks at segments that wait, and how long the one that is due longest has been due.

    0: none is due yet.
    """
    (row,) = await connection.fetch(
        """
        SELECT count(*), extract(epoch FROM clock_timestamp() - min(due_at))::double precision
        FROM (SELECT due_at FROM journey WHERE state = 'waiting' OR state = 'working'
              UNION ALL SELECT due_at FROM task WHERE state = 'armed' OR state = 'reminding'
              UNION ALL SELECT due_at FROM segment_check WHERE EXISTS (SELECT FROM segment_round)
                AND (state = 'waiting' AND due_at IS NOT NULL OR state = 'working')) timer
        """
    )
    return {"pending": row[0], "oldest_seconds": _seconds(row[1])}


async def _deliveries(connection: Connection) -> dict[str, Any]:
    """Deliveries that are not at their end, and the dead ones, in all and per destination.

    `oldest_seconds`: how long the one that is due longest has been due; 0 where none is due yet.
    """
    rows = await connection.fetch(
        """
        SELECT destination, state, count(*),
               extract(epoch FROM clock_timestamp() - min(due_at))::double precision
        FROM delivery WHERE state IN ('pending', 'sending', 'retry', 'dead')
        GROUP BY destination, state ORDER BY destination
        """
    )
    tools: dict[str, dict[str, Any]] = {}
    for destination, state, count, oldest in rows:
        tool = tools.setdefault(destination, _nothing())
        tool[state] = count
        if state != "dead":
            tool["oldest_seconds"] = _later(tool["oldest_seconds"], _seconds(oldest))
    total = _nothing()
    for tool in tools.values():
        total |= {state: total[state] + tool[state] for state in OPEN_STATES}
        total["oldest_seconds"] = _later(total["oldest_seconds"], tool["oldest_seconds"])
    return total | {"destinations": tools}


def _nothing() -> dict[str, Any]:
    return dict.fromkeys(OPEN_STATES, 0) | {"oldest_seconds": None}


def _later(one: float | None, other: float | None) -> float | None:
    return max((age for age in (one, other) if age is not None), default=None)


def _seconds(age: float | None) -> float | None:
    return None if age is None else round(max(0.0, age), 3)
