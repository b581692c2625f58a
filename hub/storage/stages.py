"""What was said of people's stages, found by the index `activity_stage`: so the constants stand in the statements."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection
from datetime import datetime

from hub.automation.stages import Said
from hub.storage.pool import Connection

ROWS_AT_ONCE = 5000
_RULE = "rule:"


async def everybody(connection: Connection) -> AsyncGenerator[tuple[bytes, list[Said]]]:
    """Profile → what was said of its stage, a profile at a time. The caller holds a snapshot."""
    cursor = await connection.cursor(
        """
        SELECT r.profile_id, a.at, a.event_id, a.data->>'stage', a.data->>'by', a.data->>'rule'
        FROM activity a JOIN source_record r USING (record_id) JOIN profile p ON p.profile_id = r.profile_id
        WHERE a.type = 'stage.set' AND a.source = 'hub'
        ORDER BY r.profile_id
        """
    )
    whose, said = b"", list[Said]()
    while rows := await cursor.fetch(ROWS_AT_ONCE):
        for profile, *words in rows:
            if profile != whose:
                if said:
                    yield whose, said
                whose, said = profile, []
            said.append(_said(*words))
    if said:
        yield whose, said


async def of(connection: Connection, profile: bytes) -> list[Said]:
    """What was said of one profile's stage."""
    rows = await connection.fetch(
        """
        SELECT a.at, a.event_id, a.data->>'stage', a.data->>'by', a.data->>'rule'
        FROM source_record r JOIN activity a USING (record_id)
        WHERE r.profile_id = $1 AND a.type = 'stage.set' AND a.source = 'hub'
        """,
        profile,
    )
    return [_said(*row) for row in rows]


def _said(at: datetime, event: bytes, stage: str, by: str, rule: str | None) -> Said:
    return Said(at, event, stage, by, rule is None and not by.startswith(_RULE))


async def profiles(connection: Connection) -> int:
    """How many profiles there are."""
    found: int = await connection.fetchval("SELECT count(*) FROM profile")
    return found


async def lines(connection: Connection, wanted: Collection[bytes]) -> dict[bytes, str]:
    """The lines of these profiles (JSON)."""
    rows = await connection.fetch(
        "SELECT profile_id, line FROM profile WHERE profile_id = ANY($1::uuid[])", list(wanted)
    )
    return {row[0]: row[1] for row in rows}
