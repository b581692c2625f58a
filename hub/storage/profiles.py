"""Identity in PostgreSQL: the phases of the lock protocol, each one set-based statement, in this order.

Insert what is new, sorted by key; lock the groups, sorted; read again; mark; write. Waiting is possible only in
inserts, locks and marks, each in one order on one index, and nobody goes back to an earlier phase: no deadlock
(identity.md §3.4).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

import msgspec

from hub.identity.evidence import Evidence, Fact, Known, Who
from hub.identity.outcome import Changes, Identified, Row
from hub.storage import history
from hub.storage.pool import Connection


def _written(values: Iterable[object]) -> list[str]:
    """Numbers and truths as text: the driver asks an abstract class about each that is not."""
    return [str(value) for value in values]


_decode = msgspec.json.Decoder(Evidence).decode
_encode = msgspec.json.Encoder().encode


async def groups_of(connection: Connection, records: Collection[bytes]) -> dict[bytes, bytes]:
    """Stored record → its group, read without a lock."""
    rows = await connection.fetch(
        """
        SELECT record_id, nullif(group_id, record_id) FROM source_record WHERE record_id = ANY($1::uuid[])
        """,
        list(records),
    )
    return {record: group or record for record, group in rows}


async def identified(connection: Connection, identifiers: Collection[bytes]) -> dict[bytes, Identified]:
    """Stored identifier → its group and state, read without a lock."""
    rows = await connection.fetch(
        "SELECT identifier_id, group_id, state FROM identifier WHERE identifier_id = ANY($1::uuid[])",
        list(identifiers),
    )
    return {row[0]: Identified(row[1], row[2]) for row in rows}


async def insert_identifiers(connection: Connection, new: Mapping[bytes, tuple[str, str, bytes]]) -> set[bytes]:
    """Identifiers by id: namespace, value and the group they are expected in. Waits for whoever makes the same one.

    Gives the ids that were made here; nobody else sees those before the commit.
    """
    ids = sorted(new)
    rows = await connection.fetch(
        """
        INSERT INTO identifier (identifier_id, namespace, value, state, group_id)
        SELECT i, n, v, 'link', g FROM unnest($1::uuid[], $2::text[], $3::text[], $4::uuid[]) u(i, n, v, g)
        ORDER BY i ON CONFLICT DO NOTHING RETURNING identifier_id
        """,
        ids,
        *([new[one][column] for one in ids] for column in range(3)),
    )
    return {row[0] for row in rows}


async def insert_records(connection: Connection, new: Mapping[bytes, Who]) -> set[bytes]:
    """Bare records, each a group of its own until it is settled. Gives the ids that were made here."""
    ids = sorted(new)
    rows = await connection.fetch(
        """
        INSERT INTO source_record (record_id, group_id, profile_id, source, kind, key_namespace, key)
        SELECT i, i, i, s, k, n, v FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[])
            u(i, s, k, n, v)
        ORDER BY i ON CONFLICT DO NOTHING RETURNING record_id
        """,
        ids,
        [new[one].source for one in ids],
        [new[one].kind for one in ids],
        [new[one].key_namespace for one in ids],
        [new[one].key for one in ids],
    )
    return {row[0] for row in rows}


async def count_on_shared(connection: Connection, identifiers: Collection[bytes]) -> None:
    """Let nobody make these values link again before we have committed: their groups are not locked by us.

    Comes after every insert. One that links by now shows in what is read next.
    """
    await connection.fetchval(
        """
        SELECT count(*) FROM (
            SELECT 1 FROM identifier WHERE identifier_id = ANY($1::uuid[]) AND state = 'shared'
            ORDER BY identifier_id FOR SHARE
        ) held
        """,
        sorted(identifiers),
    )


async def lock_groups(connection: Connection, groups: Collection[bytes]) -> set[bytes]:
    """Lock these groups in order; gives those that are too large for an ordinary batch.

    One that is gone meanwhile shows in what is loaded next.
    """
    oversize = await connection.fetchval(
        """
        SELECT array_agg(group_id) FILTER (WHERE oversize) FROM (
            SELECT group_id, oversize FROM link_group
            WHERE group_id = ANY($1::uuid[]) ORDER BY group_id FOR NO KEY UPDATE
        ) held
        """,
        sorted(groups),
    )
    return set(oversize or ())


async def load(
    connection: Connection, groups: Collection[bytes], made_here: Collection[bytes]
) -> tuple[dict[bytes, Row], dict[bytes, int]]:
    """Every record of these groups, and the version of every profile they belong to.

    Most records are a group and a profile of their own; such an id is not sent a second and third time.
    """
    rows = await connection.fetch(
        """
        SELECT r.record_id, nullif(r.group_id, r.record_id), nullif(r.profile_id, r.record_id), r.source,
               r.kind, r.key_namespace, r.key, r.activities, r.evidence, p.version
        FROM source_record r LEFT JOIN profile p ON p.profile_id = r.profile_id
        WHERE r.group_id = ANY($1::uuid[])
        """,
        list(groups),
    )
    found: dict[bytes, Row] = {}
    versions: dict[bytes, int] = {}
    for record, group, profile, source, kind, namespace, key, activities, evidence, version in rows:
        known = Known(record, source, kind, (namespace, key), _decode(evidence) if evidence else Evidence())
        made = record in made_here
        home = None if made or not kind else profile or record
        found[record] = Row(known, group or record, home, activities, made)
        if version is not None:
            versions[profile or record] = version
    return found, versions


async def mark(connection: Connection, facts: Sequence[Fact]) -> set[bytes]:
    """Write the activities; gives the events that were not there. Nobody else's effects come from these."""
    ordered = sorted(facts)
    rows = await connection.fetch(
        """
        INSERT INTO activity (event_id, record_id, type, source, at, received_at, spam, trusted, data)
        SELECT e, r, t, s, a::timestamptz, b::timestamptz, p::bool, w::bool, d
        FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
                    $9::json[]) u(e, r, t, s, a, b, p, w, d)
        ON CONFLICT DO NOTHING RETURNING event_id
        """,
        [fact.event for fact in ordered],
        [None if fact.spam else fact.record for fact in ordered],
        [fact.type for fact in ordered],
        [fact.source for fact in ordered],
        [fact.at for fact in ordered],
        [fact.received_at for fact in ordered],
        _written(fact.spam for fact in ordered),
        _written(fact.trusted for fact in ordered),
        [fact.payload.decode() for fact in ordered],
    )
    return {row[0] for row in rows}


async def forget(connection: Connection, identifiers: Collection[bytes], records: Collection[bytes]) -> None:
    """Take back what was made in this transaction for an event that turned out to be known already."""
    if identifiers:
        await connection.execute("DELETE FROM identifier WHERE identifier_id = ANY($1::uuid[])", list(identifiers))
    if records:
        await connection.execute("DELETE FROM source_record WHERE record_id = ANY($1::uuid[])", list(records))


async def write(connection: Connection, changes: Changes) -> None:
    """Write what the batch came to. Everything touched here is locked by its group, or new."""
    await _write_groups(connection, changes)
    await _write_claims(connection, changes)
    await _write_names(connection, [row for row in changes.rows if row.named and not row.made])
    await _write_rows(connection, changes.rows)
    await _write_identifiers(connection, changes.identifiers)
    await _write_profiles(connection, changes)
    if changes.moved:
        await history.write(connection, changes)


async def _write_groups(connection: Connection, changes: Changes) -> None:
    if changes.new_groups:
        await connection.execute(
            "INSERT INTO link_group SELECT unnest($1::uuid[]) ON CONFLICT DO NOTHING", sorted(changes.new_groups)
        )
    if changes.oversize:
        await connection.execute(
            "UPDATE link_group SET oversize = true WHERE group_id = ANY($1::uuid[]) AND NOT oversize", changes.oversize
        )
    if changes.dead_groups:
        await connection.execute("DELETE FROM link_group WHERE group_id = ANY($1::uuid[])", changes.dead_groups)


async def _write_claims(connection: Connection, changes: Changes) -> None:
    if changes.claims:
        trust: dict[tuple[bytes, bytes], bool] = {(i, r): trusted for i, r, trusted in changes.claims}
        keys = sorted(trust)
        await connection.execute(
            """
            INSERT INTO claim AS c (identifier_id, record_id, trusted)
            SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::bool[]) u(i, r, t) ORDER BY i, r
            ON CONFLICT (identifier_id, record_id) DO UPDATE SET trusted = true
            WHERE excluded.trusted AND NOT c.trusted
            """,
            [identifier for identifier, _ in keys],
            [record for _, record in keys],
            [trust[key] for key in keys],
        )


async def _write_rows(connection: Connection, rows: Sequence[Row]) -> None:
    await connection.execute(
        """
        UPDATE source_record r
        SET group_id = coalesce(g, i), profile_id = coalesce(p, i), activities = n::int, evidence = e
        FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::json[]) u(i, g, p, n, e)
        WHERE r.record_id = i
        """,
        [row.known.record for row in rows],
        [_other(row.group, row) for row in rows],
        [_other(row.profile, row) for row in rows],
        _written(row.activities for row in rows),
        [_encode(row.known.evidence).decode() for row in rows],
    )


async def _write_names(connection: Connection, rows: Sequence[Row]) -> None:
    """Records that a decision named before anything was heard of them: now it is known whose they are."""
    if rows:
        await connection.executemany(
            "UPDATE source_record SET source = $2, kind = $3, key_namespace = $4, key = $5 WHERE record_id = $1",
            [(row.known.record, row.known.source, row.known.kind, *row.known.key) for row in rows],
        )


def _other(identity: bytes | None, row: Row) -> bytes | None:
    """An id that is not the record's own; None stands for that one."""
    return None if identity == row.known.record else identity


async def _write_identifiers(connection: Connection, identifiers: Mapping[bytes, Identified]) -> None:
    if identifiers:
        await connection.execute(
            """
            UPDATE identifier x SET group_id = g, state = s FROM unnest($1::uuid[], $2::uuid[], $3::text[]) u(i, g, s)
            WHERE x.identifier_id = i AND (x.group_id <> g OR x.state <> s)
            """,
            list(identifiers),
            [one.group for one in identifiers.values()],
            [one.state for one in identifiers.values()],
        )


async def _write_profiles(connection: Connection, changes: Changes) -> None:
    if changes.dead_profiles:
        await connection.execute("DELETE FROM profile WHERE profile_id = ANY($1::uuid[])", list(changes.dead_profiles))
    for is_new, statement in ((False, _UPDATE_PROFILE), (True, _INSERT_PROFILE)):
        told = [one for one in changes.profiles if one.is_new is is_new]
        if told:
            await connection.execute(
                statement,
                [one.person.profile for one in told],
                [one.group for one in told],
                _written(one.version for one in told),
                [one.line.decode() for one in told],
                _sparse([one.facts.decode() if one.facts else None for one in told]),
                _sparse([one.owner for one in told]),
            )


def _sparse(found: list[str | None]) -> list[str | None]:
    """Values that mostly are none: then nothing is sent, and `unnest` fills up with NULL."""
    return found if any(found) else []


_UPDATE_PROFILE = """
    UPDATE profile x SET group_id = g, version = v::bigint, line = l, facts = f, owner = o
    FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::json[], $5::json[], $6::text[]) u(i, g, v, l, f, o)
    WHERE x.profile_id = i
"""
_INSERT_PROFILE = """
    INSERT INTO profile (profile_id, group_id, version, line, facts, owner)
    SELECT i, g, v::bigint, l, f, o
    FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::json[], $5::json[], $6::text[]) u(i, g, v, l, f, o)
"""
