"""What each destination was told of each profile, and what it should know: a level per (destination, profile id).

Locks are taken in one order by everybody: rows of `told` (by destination and profile), then rows of `delivery`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from hub.storage.pool import Connection


class Want(NamedTuple):
    """What the topic `profiles` says of an id: alive, merged (into whom), or erased."""

    profile_id: bytes
    kind: str
    version: int
    into: bytes | None = None


class Level(NamedTuple):
    """A row of `told`: what is wanted and what was told."""

    destination: str
    profile_id: bytes
    want_kind: str
    want_version: int
    want_into: bytes | None
    told_kind: str | None
    told_version: int
    told_into: bytes | None
    tried: bool


class Truth(NamedTuple):
    """Who a profile id is now: itself, its survivor, or nobody (None: there is no line either)."""

    lives_as: bytes | None
    version: int
    line: str | None


class Know(NamedTuple):
    """What a destination knows from now on of an id: which version, as alive or merged into whom."""

    destination: str
    profile_id: bytes
    kind: str
    version: int
    into: bytes | None = None


class Opened(NamedTuple):
    """A delivery to be made: nothing is rendered yet."""

    id: bytes
    destination: str
    profile_id: bytes
    lane: bytes
    type: str
    version: int


async def want(connection: Connection, destination: str, wants: Sequence[Want]) -> list[Level]:
    """Write down what is wanted, one `Want` per profile; older ones change nothing. Gives the changed rows, locked.

    An erasure has no version of its own: it comes after all that was ever wanted or told. An old one that is heard once
    more, of somebody who is back, may so stand where their next version belongs: that one wins.
    """
    wants = sorted(wants)
    rows = await connection.fetch(
        """
        INSERT INTO told AS t (destination, profile_id, want_kind, want_version, want_into)
        SELECT $1, * FROM unnest($2::uuid[], $3::text[], $4::bigint[], $5::uuid[])
        ON CONFLICT (destination, profile_id) DO UPDATE
        SET want_kind = excluded.want_kind, want_into = excluded.want_into,
            want_version = CASE WHEN excluded.want_kind <> 'erased' THEN excluded.want_version
                                ELSE greatest(t.want_version, excluded.want_version) + 1 END
        WHERE t.want_version < excluded.want_version OR excluded.want_kind = 'erased' AND t.want_kind <> 'erased'
           OR t.want_version = excluded.want_version AND t.want_kind = 'erased' AND excluded.want_kind <> 'erased'
        RETURNING destination, profile_id, want_kind, want_version, want_into,
                  told_kind, told_version, told_into, tried
        """,
        destination,
        *_columns(wants),
    )
    return [Level(*row) for row in rows]


async def open_rows(connection: Connection, opened: Sequence[Opened]) -> None:
    """One open delivery each, where none is open yet: rows for one (destination, profile) collapse into one."""
    await connection.execute(
        """
        INSERT INTO delivery (id, destination, profile_id, lane, type, version, state)
        SELECT *, 'pending' FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::uuid[], $5::text[], $6::bigint[])
        ON CONFLICT DO NOTHING
        """,
        *_columns(opened),
    )


async def truth(
    connection: Connection, keys: Sequence[tuple[str, bytes]]
) -> dict[tuple[str, bytes], tuple[Level, Truth]]:
    """What was told and who it is now, by (destination, profile id); what sync is writing is left for the next turn."""
    rows = await connection.fetch(
        """
        SELECT t.destination, t.profile_id, t.want_kind, t.want_version, t.want_into,
               t.told_kind, t.told_version, t.told_into, t.tried, p.profile_id, coalesce(p.version, 0), p.line
        FROM unnest($1::text[], $2::uuid[]) AS asked(destination, profile_id)
        JOIN told t USING (destination, profile_id)
        LEFT JOIN source_record r ON r.record_id = t.profile_id
        LEFT JOIN profile p ON p.profile_id = r.profile_id
        ORDER BY t.destination, t.profile_id FOR UPDATE OF t SKIP LOCKED
        """,
        *_pairs(keys),
    )
    return {(row[0], row[1]): (Level(*row[:9]), Truth(*row[9:])) for row in rows}


async def lock(connection: Connection, keys: Sequence[tuple[str, bytes]]) -> list[Level]:
    """The rows of these (destination, profile id), locked until the transaction ends; waits for sync where it must."""
    rows = await connection.fetch(
        """
        SELECT destination, profile_id, want_kind, want_version, want_into, told_kind, told_version, told_into, tried
        FROM unnest($1::text[], $2::uuid[]) AS asked(destination, profile_id)
        JOIN told t USING (destination, profile_id)
        ORDER BY t.destination, t.profile_id FOR UPDATE OF t
        """,
        *_pairs(keys),
    )
    return [Level(*row) for row in rows]


async def know(connection: Connection, known: Sequence[Know]) -> None:
    """Write down what destinations were told; the caller holds the rows' locks."""
    await connection.execute(
        """
        UPDATE told t SET told_kind = v.kind, told_version = v.version, told_into = v.into_id
        FROM unnest($1::text[], $2::uuid[], $3::text[], $4::bigint[], $5::uuid[])
             AS v(destination, profile_id, kind, version, into_id)
        WHERE t.destination = v.destination AND t.profile_id = v.profile_id
        """,
        *_columns(known),
    )


def _columns(rows: Sequence[tuple[object, ...]]) -> list[list[object]]:
    return [list(column) for column in zip(*rows, strict=True)]


def _pairs(keys: Sequence[tuple[str, bytes]]) -> tuple[list[str], list[bytes]]:
    return [destination for destination, _ in keys], [profile for _, profile in keys]
