"""Every profile, as one line each: the product's word about whom it knows."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from hub.identity.survivorship import versioned
from hub.storage.pool import Pool, translated

ROWS_AT_ONCE = 2000
LONGEST_PAUSE = "1h"
"""How long the reader of the lines may pause: the snapshot stays open meanwhile."""


async def lines(pool: Pool, *, with_versions: bool = False, facts: bool = False) -> AsyncGenerator[bytes]:
    """The lines of all profiles, ordered by id, in blocks that end with a line end; one snapshot. Raises Retry.

    With `facts` what rules set is left out. The stored text is passed on as it is: two hubs that know the same print
    the same bytes.
    """
    async with (
        translated(),
        pool.acquire() as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        await connection.execute(f"SET LOCAL idle_in_transaction_session_timeout = '{LONGEST_PAUSE}'")
        # Ids compare as their bytes, and their text is those bytes in hexadecimal: the same order.
        told = "coalesce(facts, line)" if facts else "line"
        cursor = await connection.cursor(f"SELECT {told}, version FROM profile ORDER BY profile_id")  # noqa: S608 - of two constants
        while rows := await cursor.fetch(ROWS_AT_ONCE):
            if with_versions:
                yield b"".join(versioned(line.encode(), version) + b"\n" for line, version in rows)
            else:
                yield b"".join(line.encode() + b"\n" for line, _ in rows)
