"""How the database itself is: does it answer, what is it, how far are its tables, what does its clock say."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from hub.storage.pool import Pool, reading


class Standing(NamedTuple):
    """The server's version (`18.1`), its clock, and the revision of the tables (None: there are none yet)."""

    version: str
    now: datetime
    revision: str | None


async def answers(pool: Pool) -> None:
    """Returns where the database answers. Raises Retry."""
    async with reading(pool) as connection:
        await connection.execute("SELECT 1")


async def standing(pool: Pool) -> Standing:
    """Raises Retry."""
    async with reading(pool) as connection:
        ((version, now, has_tables),) = await connection.fetch(
            "SELECT current_setting('server_version'), clock_timestamp(), to_regclass('alembic_version') IS NOT NULL"
        )
        revision = await connection.fetchval("SELECT max(version_num) FROM alembic_version") if has_tables else None
    return Standing(version, now, revision)
