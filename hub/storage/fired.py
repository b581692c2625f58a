"""Deliveries of `action.fired`: one row per destination and deed, with its bytes from the beginning, never folded.

Each is a lane of its own, so it waits for nothing and holds nothing up. Locks are taken in the one order of all
deliveries: rows of `told` (by destination and profile), then rows of `delivery`.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

from hub.storage.pool import Connection
from schemas.envelope import ACTION_FIRED


class Telling(NamedTuple):
    """What a destination is told of a deed. `follows`: it hears of profiles as well."""

    id: bytes
    destination: str
    profile_id: bytes
    body: bytes
    follows: bool


async def put(connection: Connection, tellings: Sequence[Telling]) -> None:
    """Write these down; one that is there already (the same id) is left as it is.

    Whoever hears of a profile id by a deed has heard of it: its merges and its erasure are told as well.
    """
    heard = sorted({(one.destination, one.profile_id) for one in tellings if one.follows})
    if heard:
        await connection.execute(
            """
            INSERT INTO told AS t (destination, profile_id, want_kind, want_version, tried)
            SELECT destination, profile_id, 'alive', 0, true
            FROM unnest($1::text[], $2::uuid[]) AS u(destination, profile_id) ORDER BY 1, 2
            ON CONFLICT (destination, profile_id) DO UPDATE SET tried = true WHERE NOT t.tried
            """,
            [destination for destination, _ in heard],
            [profile for _, profile in heard],
        )
    await connection.execute(
        """
        INSERT INTO delivery (id, destination, profile_id, lane, type, version, state, body)
        SELECT id, destination, profile_id, id, $5, 0, 'pending', body
        FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::bytea[]) AS u(id, destination, profile_id, body)
        ON CONFLICT DO NOTHING
        """,
        [one.id for one in tellings],
        [one.destination for one in tellings],
        [one.profile_id for one in tellings],
        [one.body for one in tellings],
        ACTION_FIRED,
    )


async def begin(connection: Connection, ids: Collection[bytes]) -> None:
    """A try of these is about to be made; the caller has taken them."""
    await connection.execute(
        "UPDATE delivery SET first_try_at = clock_timestamp() WHERE id = ANY($1::uuid[]) AND first_try_at IS NULL",
        list(ids),
    )


async def retry(connection: Connection, ids: Collection[bytes]) -> set[bytes]:
    """Those of these that wait or were given up on are due now, dead ones with a fresh schedule; gives which."""
    rows = await connection.fetch(
        """
        UPDATE delivery d SET due_at = clock_timestamp(), ended_at = NULL,
               step = CASE WHEN d.state = 'dead' THEN 0 ELSE d.step END,
               failing_since = CASE WHEN d.state = 'dead' THEN NULL ELSE d.failing_since END,
               state = CASE WHEN d.state = 'dead' THEN 'retry' ELSE d.state END
        FROM (SELECT id FROM delivery WHERE id = ANY($1::uuid[]) AND type = $2 AND state IN ('pending', 'retry', 'dead')
              ORDER BY id FOR UPDATE) again
        WHERE d.id = again.id RETURNING d.id
        """,
        list(ids),
        ACTION_FIRED,
    )
    return {row[0] for row in rows}


async def forget(connection: Connection, profiles: Collection[bytes]) -> None:
    """What was on its way about these profiles is not sent any more. The caller holds the rows of `told`."""
    await connection.execute(
        """
        UPDATE delivery d SET state = 'folded', error = 'nobody is left', lease_until = NULL, token = d.token + 1,
               ended_at = clock_timestamp()
        FROM (SELECT id FROM delivery WHERE profile_id = ANY($1::uuid[]) AND type = $2
              AND state IN ('pending', 'sending', 'retry', 'dead') ORDER BY id FOR UPDATE) gone
        WHERE d.id = gone.id
        """,
        list(profiles),
        ACTION_FIRED,
    )
