"""Suspected duplicates as the worker keeps them: block keys, and pairs by their two founders' records.

Everything runs in the batch's transaction, which holds one lock for the whole group of consumers: two who wrote at once
would not see each other's keys, and so miss the pair between them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

import msgspec

from hub.identity.evidence import Evidence, Known
from hub.storage.pool import Connection

OPEN, CONFIRMED, REJECTED, SUPERSEDED = "open", "confirmed", "rejected", "superseded"
STATES = (OPEN, CONFIRMED, REJECTED, SUPERSEDED)
BY_SCORE, REFUSED = "score", "refused"
_LOCK = 4_711_200
_decode = msgspec.json.Decoder(Evidence).decode

Key = tuple[bytes, bytes]
"""Two record ids, the smaller one first."""


class Pair(NamedTuple):
    """A row. `reasons` is JSON text, `refusal` the sentence of a rule that refused to join the two.

    `decision` is the last one about the two, and `decided_on` the fingerprint that it was made on.
    """

    one: bytes
    other: bytes
    source: str
    band: str | None
    weight: float
    probability: float
    reasons: str
    refusal: str | None
    fingerprint: str
    weights: str
    state: str
    decision: bytes | None = None
    decided_on: str | None = None

    @property
    def key(self) -> Key:
        """Its records."""
        return self.one, self.other


COLUMNS = """rec_a, rec_b, source, band, weight, probability, reasons, refusal, fingerprint, weights, state,
             decision_id, decided_on"""


def key_of(one: bytes, other: bytes) -> Key:
    """The key of two records, whichever comes first."""
    return (one, other) if one < other else (other, one)


async def alone(connection: Connection) -> None:
    """From here until the end of the transaction nobody else writes keys or pairs by score."""
    await connection.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)


async def how_many_people(connection: Connection) -> int:
    """About how many profiles there are, as PostgreSQL's own statistics have it."""
    found: int = await connection.fetchval(
        "SELECT greatest(reltuples, 0)::bigint FROM pg_class WHERE oid = 'profile'::regclass"
    )
    return found


async def people(connection: Connection, profiles: Collection[bytes]) -> dict[bytes, list[Known]]:
    """The records of these profiles; ids under which nobody lives are left out."""
    rows = await connection.fetch(
        """
        SELECT profile_id, record_id, source, kind, key_namespace, key, evidence FROM source_record
        WHERE profile_id = ANY($1::uuid[]) AND kind <> ''
        """,
        list(profiles),
    )
    found: dict[bytes, list[Known]] = {}
    for profile, record, source, kind, namespace, key, evidence in rows:
        known = Known(record, source, kind, (namespace, key), _decode(evidence) if evidence else Evidence())
        found.setdefault(profile, []).append(known)
    return found


async def replace_keys(connection: Connection, keys: Mapping[bytes, Collection[str]]) -> None:
    """Profile → its block keys from now on; without keys it is compared with nobody. Writes what has changed alone."""
    rows = await connection.fetch(
        "SELECT key, profile_id FROM block_key WHERE profile_id = ANY($1::uuid[])", list(keys)
    )
    stored = {(row[0], row[1]) for row in rows}
    wanted = {(key, profile) for profile, its in keys.items() for key in its}
    if gone := sorted(stored - wanted):
        await connection.execute(
            "DELETE FROM block_key b USING unnest($1::text[], $2::uuid[]) u(k, p) WHERE b.key = k AND b.profile_id = p",
            *_columns(gone),
        )
    if new := sorted(wanted - stored):
        await connection.execute(
            "INSERT INTO block_key SELECT * FROM unnest($1::text[], $2::uuid[]) ON CONFLICT DO NOTHING", *_columns(new)
        )


async def blocks(connection: Connection, keys: Iterable[str], most: int) -> dict[str, list[bytes]]:
    """Block key → the profiles under it; of a key that more than `most` have, `most` + 1 come."""
    rows = await connection.fetch(
        """
        SELECT k, profile_id FROM unnest($1::text[]) k
        CROSS JOIN LATERAL (SELECT profile_id FROM block_key WHERE key = k LIMIT $2) b
        """,
        sorted(keys),
        most + 1,
    )
    found: dict[str, list[bytes]] = {}
    for key, profile in rows:
        found.setdefault(key, []).append(profile)
    return found


async def pairs_of(connection: Connection, records: Collection[bytes]) -> dict[Key, Pair]:
    """Every pair that one of these records is an end of."""
    rows = await connection.fetch(
        f"""
        SELECT {COLUMNS} FROM suspect_pair WHERE rec_a = ANY($1::uuid[])
        UNION SELECT {COLUMNS} FROM suspect_pair WHERE rec_b = ANY($1::uuid[])
        """.replace("reasons,", "reasons::text,"),  # noqa: S608 - a constant
        list(records),
    )
    return {(row[0], row[1]): Pair(*row) for row in rows}


async def write(connection: Connection, pairs: Collection[Pair], gone: Collection[Key]) -> None:
    """Write pairs, new ones and others, and drop those that are nothing to look at any more; both in order of keys.

    Who decided, and when, is in the decision's activity, where it was not written down with the decision.
    """
    if gone:
        await connection.execute(
            "DELETE FROM suspect_pair p USING unnest($1::uuid[], $2::uuid[]) u(a, b) WHERE rec_a = a AND rec_b = b",
            *_columns(sorted(gone)),
        )
    if pairs:
        await connection.execute(_WRITE, *_columns(sorted(pairs)))


_WRITE = f"""
    INSERT INTO suspect_pair AS p ({COLUMNS}, decided_by, decided_at)
    SELECT u.*, a.data->>'by', a.at
    FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::float8[], $6::float8[], $7::json[], $8::text[],
                $9::text[], $10::text[], $11::text[], $12::uuid[], $13::text[])
         u(one, other, source, band, weight, probability, reasons, refusal, fingerprint, weights, state, decision, made)
    LEFT JOIN activity a ON a.event_id = u.decision ORDER BY one, other
    ON CONFLICT (rec_a, rec_b) DO UPDATE SET
        source = excluded.source, band = excluded.band, weight = excluded.weight, probability = excluded.probability,
        reasons = excluded.reasons, refusal = excluded.refusal, fingerprint = excluded.fingerprint,
        weights = excluded.weights, state = excluded.state, decision_id = excluded.decision_id,
        decided_on = excluded.decided_on,
        decided_by = CASE WHEN p.decision_id = excluded.decision_id THEN p.decided_by ELSE excluded.decided_by END,
        decided_at = CASE WHEN p.decision_id = excluded.decision_id THEN p.decided_at ELSE excluded.decided_at END,
        seen_at = CASE WHEN excluded.state = 'open' AND p.state <> 'open' THEN now() ELSE p.seen_at END
"""  # noqa: S608 - a constant


async def written(connection: Connection, events: Collection[bytes]) -> set[bytes]:
    """Those of these events that are activities by now."""
    rows = await connection.fetch("SELECT event_id FROM activity WHERE event_id = ANY($1::uuid[])", list(events))
    return {row[0] for row in rows}


def _columns(rows: Collection[tuple[object, ...]]) -> list[list[object]]:
    return [list(column) for column in zip(*rows, strict=True)]
