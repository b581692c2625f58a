"""How many customers people of ours look after."""

from __future__ import annotations

from collections.abc import Collection

from hub.storage.pool import Connection

ON_THE_WAY = 3600.0
"""Seconds for which a deed counts that no profile shows yet: much longer than events are on their way."""


async def owned(connection: Connection, owners: Collection[str]) -> dict[str, int]:
    """Address → the profiles that it owns, and what rules gave it that is still on the way to its profile."""
    rows = await connection.fetch(
        """
        SELECT owner, sum(number)::int FROM (
            SELECT owner, count(*) AS number FROM profile WHERE owner = ANY($1::text[]) GROUP BY 1
            UNION ALL
            SELECT l.effect->'events'->0->>'owner', count(*) FROM ledger l
            WHERE l.verb = 'assign_owner' AND l.state = 'done'
              AND l.at > statement_timestamp() - make_interval(secs => $2)
              AND l.effect->'events'->0->>'owner' = ANY($1::text[])
              AND NOT EXISTS (SELECT FROM activity a WHERE a.event_id = (l.effect->'events'->0->>'id')::uuid)
            GROUP BY 1
        ) AS both_of_them GROUP BY owner
        """,
        list(owners),
        ON_THE_WAY,
    )
    return {row[0]: row[1] for row in rows}
