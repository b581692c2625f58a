"""The history of lag: written every few seconds, kept for minutes, so that a restart knows what was before."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from hub.storage.pool import Pool, reading, transaction

KEPT = timedelta(minutes=10)


class Stand(NamedTuple):
    """A group on one partition; `committed` None without an offset, `seconds` None where not known."""

    topic: str
    partition: int
    committed: int | None
    beginning: int
    end: int
    seconds: float | None


class Look(NamedTuple):
    """A group at one moment; `members` None where not known."""

    group: str
    at: datetime
    members: int | None
    stands: tuple[Stand, ...]


async def add(pool: Pool, looks: Sequence[Look]) -> None:
    """Write looks, and forget what is older than ten minutes. Raises Retry."""
    async with transaction(pool) as connection:
        await connection.executemany(
            """
            INSERT INTO lag_sample (grp, at, members, topics, parts, committed, beginnings, ends, seconds)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING
            """,
            [(look.group, look.at, look.members, *_columns(look.stands)) for look in looks],
        )
        if looks:
            await connection.execute("DELETE FROM lag_sample WHERE at < $1", max(look.at for look in looks) - KEPT)


def _columns(stands: Sequence[Stand]) -> tuple[list[object], ...]:
    return tuple([stand[column] for stand in stands] for column in range(len(Stand._fields)))


async def history(pool: Pool, groups: Collection[str]) -> Mapping[str, list[Look]]:
    """The kept looks at these groups, oldest first. Raises Retry."""
    async with reading(pool) as connection:
        rows = await connection.fetch(
            """
            SELECT grp, at, members, topics, parts, committed, beginnings, ends, seconds
            FROM lag_sample WHERE grp = ANY($1::text[]) ORDER BY at
            """,
            list(groups),
        )
    found: dict[str, list[Look]] = {group: [] for group in groups}
    for group, at, members, *columns in rows:
        stands = tuple(Stand(*values) for values in zip(*columns, strict=True))
        found[group].append(Look(group, at, members, stands))
    return found
