"""Finding the profile that somebody means: by its id, an old id, an address, or the account of a source."""

from __future__ import annotations

from typing import NamedTuple

from hub.identity.erasure import again
from hub.storage import erasure
from hub.storage.pool import Pool, reading


class Told(NamedTuple):
    """A profile as it is told: its id (16 bytes), its version, its line (the final JSON text)."""

    profile: bytes
    version: int
    line: str


class Held(NamedTuple):
    """A record of a profile, and how many inbound events it has."""

    record: bytes
    source: str
    kind: str
    key: str
    activities: int


async def by_id(pool: Pool, profile: bytes) -> Told | None:
    """The profile that lives under this id. Raises Retry."""
    async with reading(pool) as connection:
        row = await connection.fetchrow("SELECT profile_id, version, line FROM profile WHERE profile_id = $1", profile)
    return Told(*row) if row else None


async def heir(pool: Pool, old: bytes) -> bytes | None:
    """The living profile that an id leads to: an id is its founder's record, and the record knows. Raises Retry."""
    return await _first(
        pool,
        """
        SELECT p.profile_id FROM source_record r JOIN profile p ON p.profile_id = r.profile_id
        WHERE r.record_id = $1
        """,
        old,
    )


async def by_record(pool: Pool, record: bytes) -> bytes | None:
    """The profile of a source record, an account say; of one that was erased, who came back under it. Raises Retry."""
    async with reading(pool) as connection:
        until = await erasure.until(connection, [record])
    while record in until:
        record = again(record)
    return await heir(pool, record)


async def by_identifier(pool: Pool, identifier: bytes) -> bytes | None:
    """The profile that claims an address: a trusted claim before others, then the oldest profile. Raises Retry.

    A profile is as old as the first event of its founder, the record whose id it bears.
    """
    return await _first(
        pool,
        """
        SELECT p.profile_id
        FROM claim c
        JOIN source_record r ON r.record_id = c.record_id
        JOIN profile p ON p.profile_id = r.profile_id
        LEFT JOIN source_record f ON f.record_id = p.profile_id
        WHERE c.identifier_id = $1
        ORDER BY c.trusted DESC, f.evidence->>'first_at', p.profile_id
        LIMIT 1
        """,
        identifier,
    )


async def records(pool: Pool, profile: bytes) -> list[Held]:
    """The records of a profile, as its line orders them. Raises Retry."""
    async with reading(pool) as connection:
        rows = await connection.fetch(
            """
            SELECT record_id, source, kind, key, activities FROM source_record
            WHERE profile_id = $1 ORDER BY source, kind, key, record_id
            """,
            profile,
        )
    return [Held(*row) for row in rows]


async def _first(pool: Pool, query: str, value: bytes) -> bytes | None:
    async with reading(pool) as connection:
        found: bytes | None = await connection.fetchval(query, value)
    return found
