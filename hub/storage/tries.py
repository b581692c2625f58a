"""Deliveries on their way: what is due, what a try is to send, and what came of it.

Locks are taken in one order by everybody: rows of `told` (by destination and profile), then rows of `delivery`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from hub.storage.leases import Lease, Leases
from hub.storage.pool import Connection
from hub.storage.told import Know, know

LEASES = Leases("delivery", waiting=("pending", "retry"), taken="sending", lost="retry")
MOST_CLAIMED = 256
"""Deliveries of one claim, over all destinations."""
FIRST_TOKEN = 1
"""The token of a row that is made already taken."""
_ONE_CLAIM_AT_A_TIME = 4_711_002


class Waiting(NamedTuple):
    """A delivery that is due. `body` is None until its first try; `failing` counts the seconds since tries fail."""

    id: bytes
    destination: str
    profile_id: bytes
    lane: bytes
    type: str
    version: int
    body: bytes | None
    attempts: int
    step: int
    failing: float


class Rendered(NamedTuple):
    """A delivery with its bytes. `was` is the id that the row had until now, or the row that it replaces."""

    was: bytes
    id: bytes
    destination: str
    profile_id: bytes
    lane: bytes
    type: str
    version: int
    kind: str
    body: bytes


class Ended(NamedTuple):
    """A delivery that needs no try: why, and whether the tool counts as told (it does not want to hear of it)."""

    id: bytes
    destination: str
    profile_id: bytes
    reason: str
    kind: str = ""
    version: int = 0
    into: bytes | None = None


class Tried(NamedTuple):
    """What came of one try, and what the tool knows if it said yes. `delay`, in seconds, is for the state `retry`."""

    lease: Lease
    known: Know
    state: str
    delay: float
    step: int
    status: int | None
    error: str | None
    milliseconds: int
    response: str


async def expire(connection: Connection) -> int:
    """Give back what a dead or paused dispatcher held, with a try on record whose answer nobody knows."""
    lost = await LEASES.expire(connection)
    if lost:
        await connection.execute(
            """
            WITH gone AS (UPDATE delivery SET attempts = attempts + 1, last_try_at = clock_timestamp()
                          WHERE id = ANY($1::uuid[]) RETURNING id, attempts)
            INSERT INTO delivery_attempt (delivery_id, attempt, at, error)
            SELECT id, attempts, clock_timestamp(), 'the hub went silent; the answer is not known' FROM gone
            """,
            lost,
        )
    return len(lost)


async def due(connection: Connection, slots: Mapping[str, int]) -> list[Waiting]:
    """What may be sent now: per destination the longest due, at the most its `slots` less what is on the wire.

    One query for all destinations. The caller's transaction is the only one that claims until it ends.
    """
    await connection.execute("SELECT pg_advisory_xact_lock($1)", _ONE_CLAIM_AT_A_TIME)
    await expire(connection)
    rows = await connection.fetch(
        """
        WITH budget AS (
            SELECT name, slots - (SELECT count(*) FROM delivery WHERE destination = name AND state = 'sending') AS free
            FROM unnest($1::text[], $2::int[]) AS wanted(name, slots)
        )
        SELECT w.id, w.destination, w.profile_id, w.lane, w.type, w.version, w.body, w.attempts, w.step,
               coalesce(extract(epoch FROM clock_timestamp() - w.failing_since), 0)::float
        FROM budget CROSS JOIN LATERAL (
            SELECT * FROM delivery d
            WHERE d.destination = budget.name AND d.state IN ('pending', 'retry') AND d.due_at <= statement_timestamp()
              AND NOT EXISTS (SELECT FROM delivery s
                              WHERE s.destination = d.destination AND s.lane = d.lane AND s.state = 'sending')
            ORDER BY d.due_at LIMIT budget.free
        ) w WHERE budget.free > 0 ORDER BY w.due_at LIMIT $3
        """,
        list(slots),
        list(slots.values()),
        MOST_CLAIMED,
    )
    first = {(row[1], row[3]): Waiting(*row) for row in reversed(rows)}
    return list(reversed(first.values()))


async def next_due(connection: Connection, destinations: Sequence[str], at_most: float) -> float:
    """In how many seconds the next row that waits comes due, `at_most` where that is far off or unknown."""
    seconds: float = await connection.fetchval(
        """
        SELECT least($2, extract(epoch FROM min(next.due_at) - clock_timestamp())::float)
        FROM unnest($1::text[]) AS name CROSS JOIN LATERAL (
            SELECT due_at FROM delivery WHERE destination = name AND state IN ('pending', 'retry')
            AND due_at > statement_timestamp() ORDER BY due_at LIMIT 1) next
        """,
        list(destinations),
        at_most,
    )
    return seconds


async def store_first(connection: Connection, rendered: Sequence[Rendered]) -> None:
    """Rows that were taken get their final id and the body that every try of them will carry."""
    await connection.execute(
        """
        UPDATE delivery d SET id = v.id, type = v.type, version = v.version, body = v.body,
               first_try_at = clock_timestamp()
        FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::bigint[], $5::bytea[]) AS v(was, id, type, version, body)
        WHERE d.id = v.was
        """,
        [one.was for one in rendered],
        [one.id for one in rendered],
        [one.type for one in rendered],
        [one.version for one in rendered],
        [one.body for one in rendered],
    )
    await _note(connection, rendered)


async def fold(connection: Connection, rendered: Sequence[Rendered], seconds: float) -> None:
    """Rows that were taken end as folded; a row with a new id and newer bytes goes on where they stood, taken as well.

    The place in the retry schedule is the tool's trouble, not the version's: it is kept.
    """
    await connection.execute(
        """
        UPDATE delivery d SET state = 'folded', error = 'a newer version took its place', lease_until = NULL,
               ended_at = clock_timestamp() WHERE d.id = ANY($1::uuid[])
        """,
        [one.was for one in rendered],
    )
    await connection.execute(
        """
        INSERT INTO delivery (id, destination, profile_id, lane, type, version, body, state, token, lease_until,
                              step, failing_since, first_try_at)
        SELECT v.id, d.destination, d.profile_id, d.lane, v.type, v.version, v.body, 'sending', $7,
               clock_timestamp() + make_interval(secs => $6), d.step, d.failing_since, clock_timestamp()
        FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::bigint[], $5::bytea[]) AS v(was, id, type, version, body)
        JOIN delivery d ON d.id = v.was
        """,
        [one.was for one in rendered],
        [one.id for one in rendered],
        [one.type for one in rendered],
        [one.version for one in rendered],
        [one.body for one in rendered],
        seconds,
        FIRST_TOKEN,
    )
    await _note(connection, rendered)


async def _note(connection: Connection, rendered: Sequence[Rendered]) -> None:
    """Before bytes leave: they may reach the tool, and what they say is what is wanted, even where sync is behind."""
    await connection.execute(
        """
        UPDATE told t SET tried = true, want_version = greatest(t.want_version, v.version),
               want_kind = CASE WHEN v.version > t.want_version THEN v.kind ELSE t.want_kind END,
               want_into = CASE WHEN v.version > t.want_version THEN nullif(v.lane, v.profile_id) ELSE t.want_into END
        FROM unnest($1::text[], $2::uuid[], $3::text[], $4::bigint[], $5::uuid[])
             AS v(destination, profile_id, kind, version, lane)
        WHERE t.destination = v.destination AND t.profile_id = v.profile_id
        """,
        [one.destination for one in rendered],
        [one.profile_id for one in rendered],
        [one.kind for one in rendered],
        [one.version for one in rendered],
        [one.lane for one in rendered],
    )


async def move(connection: Connection, lanes: Mapping[bytes, bytes]) -> None:
    """Rows that were taken go back and wait among another profile's: delivery id → lane."""
    await connection.execute(
        """
        UPDATE delivery d SET lane = v.lane, lease_until = NULL,
               state = CASE WHEN d.body IS NULL THEN 'pending' ELSE 'retry' END
        FROM unnest($1::uuid[], $2::uuid[]) AS v(id, lane) WHERE d.id = v.id
        """,
        list(lanes),
        list(lanes.values()),
    )


async def end(connection: Connection, ended: Sequence[Ended]) -> None:
    """Rows that were taken and need no try: nothing new to tell, or nothing that the tool wants to hear."""
    await connection.execute(
        """
        UPDATE delivery d SET state = 'folded', error = v.reason, lease_until = NULL, ended_at = clock_timestamp()
        FROM unnest($1::uuid[], $2::text[]) AS v(id, reason) WHERE d.id = v.id
        """,
        [one.id for one in ended],
        [one.reason for one in ended],
    )
    if silent := [Know(one.destination, one.profile_id, one.kind, one.version, one.into) for one in ended if one.kind]:
        await know(connection, silent)


async def bury(connection: Connection, reasons: Mapping[bytes, str]) -> None:
    """Rows that were taken and cannot be sent as things are: delivery id → why."""
    await connection.execute(
        """
        UPDATE delivery d SET state = 'dead', error = v.reason, lease_until = NULL, ended_at = clock_timestamp()
        FROM unnest($1::uuid[], $2::text[]) AS v(id, reason) WHERE d.id = v.id
        """,
        list(reasons),
        list(reasons.values()),
    )


async def finish(connection: Connection, tried: Sequence[Tried]) -> None:
    """What came of tries whose leases the caller holds: the row's new state, and a row for the try.

    What a tool says of somebody who was erased, meanwhile or by this, is not kept.
    """
    await connection.execute(
        """
        WITH v AS (
            SELECT * FROM unnest($1::uuid[], $2::text[], $3::float[], $4::int[], $5::smallint[], $6::text[], $7::int[],
                                 $8::text[]) AS v(id, state, delay, step, status, error, milliseconds, response)
        ), done AS (
            UPDATE delivery d SET state = v.state, lease_until = NULL, attempts = d.attempts + 1, step = v.step,
                   status = v.status, error = v.error, last_try_at = clock_timestamp(),
                   due_at = clock_timestamp() + make_interval(secs => v.delay),
                   failing_since = CASE WHEN v.state = 'delivered' THEN d.failing_since
                                        ELSE coalesce(d.failing_since, clock_timestamp()) END,
                   ended_at = CASE WHEN v.state = 'retry' THEN NULL ELSE clock_timestamp() END
            FROM v WHERE d.id = v.id
            RETURNING d.id, d.attempts, d.body IS NULL OR d.type = 'profile.erased' AS is_erased
        )
        INSERT INTO delivery_attempt (delivery_id, attempt, at, status, error, milliseconds, response)
        SELECT v.id, done.attempts, clock_timestamp() - make_interval(secs => v.milliseconds / 1000.0),
               v.status, v.error, v.milliseconds, CASE WHEN NOT done.is_erased THEN v.response END
        FROM v JOIN done USING (id)
        """,
        [one.lease.id for one in tried],
        [one.state for one in tried],
        [one.delay for one in tried],
        [one.step for one in tried],
        [one.status for one in tried],
        [one.error for one in tried],
        [one.milliseconds for one in tried],
        [one.response for one in tried],
    )
