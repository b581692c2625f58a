"""What rules did, once each: the key is (rule, trigger event, step). And whose turn it is in a team."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from hub.storage.pool import Connection


class Done(NamedTuple):
    """A deed; `effect` (JSON) says what it came to, or why it could not be done."""

    rule: str
    event: bytes
    step: str
    version: int
    record: bytes
    verb: str
    state: str
    effect: str


async def write(connection: Connection, rows: Sequence[Done]) -> set[tuple[str, bytes, str]]:
    """Write deeds down; gives the keys of those that were not done before."""
    found = await connection.fetch(
        """
        INSERT INTO ledger (rule, event_id, step, version, record_id, verb, state, effect)
        SELECT * FROM unnest($1::text[], $2::uuid[], $3::text[], $4::int[], $5::uuid[], $6::text[], $7::text[],
                             $8::json[])
        ON CONFLICT DO NOTHING RETURNING rule, event_id, step
        """,
        *(list(column) for column in zip(*sorted(rows), strict=True)),
    )
    return {(row[0], row[1], row[2]) for row in found}


async def turns(connection: Connection, wanted: Mapping[str, int]) -> dict[str, int]:
    """Team → the first of the turns that are ours now, as many as wanted. Others wait until this transaction ends."""
    teams = sorted(wanted)
    rows = await connection.fetch(
        """
        INSERT INTO team_turn AS t (team, turn) SELECT * FROM unnest($1::text[], $2::bigint[]) ORDER BY 1
        ON CONFLICT (team) DO UPDATE SET turn = t.turn + excluded.turn RETURNING team, turn
        """,
        teams,
        [wanted[team] for team in teams],
    )
    return {team: turn - wanted[team] for team, turn in rows}
