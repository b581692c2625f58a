"""What a review of everybody reads: groups page by page, and who stands behind a value."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import msgspec

from hub.identity.evidence import Evidence, Known
from hub.storage.pool import Connection, Pool, reading

_decode = msgspec.json.Decoder(Evidence).decode
Values = Mapping[bytes, tuple[str, str]]
"""Identifier id → namespace and value."""


async def count_groups(pool: Pool) -> int:
    """How many groups there are. Raises Retry."""
    async with reading(pool) as connection:
        found: int = await connection.fetchval("SELECT count(*) FROM link_group")
    return found


async def groups_below(pool: Pool, below: bytes | None, most: int) -> list[bytes]:
    """The next groups, highest id first. Raises Retry.

    Of two stored groups that become one the lower id stays, so whoever walks downwards misses nobody.
    """
    async with reading(pool) as connection:
        rows = await connection.fetch(
            """
            SELECT group_id FROM link_group WHERE group_id < $1 OR $1 IS NULL ORDER BY group_id DESC LIMIT $2
            """,
            below,
            most,
        )
    return [row[0] for row in rows]


async def lines_of(connection: Connection, profiles: Collection[bytes]) -> dict[bytes, bytes]:
    """The stored line of each of these profiles."""
    rows = await connection.fetch(
        "SELECT profile_id, line FROM profile WHERE profile_id = ANY($1::uuid[])", list(profiles)
    )
    return {profile: line.encode() for profile, line in rows}


async def linking(connection: Connection, values: Values) -> set[bytes]:
    """Every record that may be joined with others by one of these values: `hub.identity.evidence.may_link`.

    Of a mailbox also those that are known by another address: only a look at their claims tells.
    """
    rows = await connection.fetch(
        """
        SELECT DISTINCT r.record_id
        FROM unnest($1::uuid[], $2::text[], $3::text[]) u(i, n, v)
        JOIN claim c ON c.identifier_id = i JOIN source_record r ON r.record_id = c.record_id
        WHERE c.trusted OR n = 'device' OR (r.key_namespace = n AND r.key = v)
           OR (n = 'mailbox' AND r.key_namespace = 'email')
        """,
        *_columns(values),
    )
    return {row[0] for row in rows}


async def counted(connection: Connection, values: Values, most: int) -> dict[bytes, list[Known]]:
    """Up to `most` of the records that count where it is asked for how many a value stands."""
    rows = await connection.fetch(
        """
        SELECT i, r.record_id, r.source, r.kind, r.key_namespace, r.key, r.evidence
        FROM unnest($1::uuid[], $2::text[], $3::text[]) u(i, n, v)
        CROSS JOIN LATERAL (
            SELECT r.* FROM claim c JOIN source_record r ON r.record_id = c.record_id
            WHERE c.identifier_id = i AND CASE n WHEN 'device' THEN r.kind <> 'device' ELSE c.trusted END
            LIMIT $4
        ) r
        """,
        *_columns(values),
        most,
    )
    found: dict[bytes, list[Known]] = {identifier: [] for identifier in values}
    for identifier, record, source, kind, namespace, key, evidence in rows:
        found[identifier].append(Known(record, source, kind, (namespace, key), _decode(evidence)))
    return found


async def hold_shared(connection: Connection, identifiers: Collection[bytes]) -> None:
    """Keep others from counting on it that these values are shared, and wait for those who do already.

    Comes after inserts and before the locks of groups: see `hub.storage.profiles.count_on_shared`.
    """
    await connection.fetchval(
        """
        SELECT count(*) FROM (
            SELECT 1 FROM identifier WHERE identifier_id = ANY($1::uuid[]) AND state = 'shared'
            ORDER BY identifier_id FOR NO KEY UPDATE
        ) held
        """,
        sorted(identifiers),
    )


def _columns(values: Values) -> tuple[list[bytes], list[str], list[str]]:
    return list(values), [one[0] for one in values.values()], [one[1] for one in values.values()]
