"""What rules ask the database about a batch of events, and what they decided: each one set-based statement."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple

from hub.storage.pool import Connection

_PROFILE_LOCKS, _MOST_LOCKS = 4_711_402, 256


class Whose(NamedTuple):
    """Whom an event is about: its record, the profile of that one now, and its line (JSON; None: there is none)."""

    record: bytes
    profile: bytes
    line: str | None


class Question(NamedTuple):
    """How many activities of these types a profile has in (since, until], without this event."""

    profile: bytes
    types: tuple[str, ...]
    since: datetime | None
    until: datetime
    event: bytes


class Decided(NamedTuple):
    """What a rule's version came to about an event, live or on trial; `seen` is JSON."""

    event: bytes
    rule: str
    version: int
    record: bytes
    verdict: str
    reason: str
    seen: str
    on_trial: bool


async def whose(connection: Connection, events: Collection[bytes]) -> dict[bytes, Whose]:
    """Event → whom it is about; an event that is nobody's (any more) is left out."""
    rows = await connection.fetch(
        """
        SELECT a.event_id, a.record_id, r.profile_id, p.line
        FROM activity a JOIN source_record r USING (record_id) LEFT JOIN profile p ON p.profile_id = r.profile_id
        WHERE a.event_id = ANY($1::uuid[]) AND NOT a.spam
        """,
        list(events),
    )
    return {row[0]: Whose(*row[1:]) for row in rows}


async def one_by_one(connection: Connection, profiles: Collection[bytes]) -> None:
    """Until this transaction ends nobody else decides what is to happen only once for these profiles."""
    await connection.execute(
        """
        SELECT pg_advisory_xact_lock($1, part)
        FROM (SELECT part FROM unnest($2::int[]) AS u(part) ORDER BY part OFFSET 0) sorted
        """,
        _PROFILE_LOCKS,
        sorted({int.from_bytes(profile[-2:], "big") % _MOST_LOCKS for profile in profiles}),
    )


async def alone_with(
    connection: Connection, events: Collection[bytes], also: Collection[bytes] = ()
) -> dict[bytes, Whose]:
    """Whom these events are about; nobody else decides meanwhile about them, or about `also`.

    Who they are may change while somebody waits for the locks, so it is asked again behind them. All that one
    transaction wants is locked at once: two locks one after the other could wait for each other.
    """
    found = await whose(connection, events) if events else {}
    held: set[bytes] = set()
    while new := {*also, *(one.profile for one in found.values())} - held:
        await one_by_one(connection, new)
        held |= new
        found = await whose(connection, events) if events else found
    return found


async def counted(connection: Connection, questions: Sequence[Question]) -> dict[Question, int]:
    """The answers. Spam is nobody's."""
    rows = await connection.fetch(
        """
        SELECT q.n, count(*) FROM unnest($1::int[], $2::uuid[], $3::text[], $4::timestamptz[], $5::timestamptz[],
                                         $6::uuid[]) AS q(n, profile, types, since, until, event)
        JOIN source_record r ON r.profile_id = q.profile
        JOIN activity a ON a.record_id = r.record_id AND a.at <= q.until AND (q.since IS NULL OR a.at > q.since)
        WHERE a.type = ANY(string_to_array(q.types, ',')) AND NOT a.spam AND a.event_id <> q.event
        GROUP BY q.n
        """,
        list(range(len(questions))),
        [one.profile for one in questions],
        [",".join(one.types) for one in questions],
        [one.since for one in questions],
        [one.until for one in questions],
        [one.event for one in questions],
    )
    return dict.fromkeys(questions, 0) | {questions[row[0]]: row[1] for row in rows}


async def decided(connection: Connection, events: Collection[bytes]) -> set[tuple[bytes, str, int | None]]:
    """What was decided of these events already: (event, rule, version), and (event, rule, None) if not on trial."""
    rows = await connection.fetch(
        "SELECT event_id, rule, version, on_trial FROM rule_decision WHERE event_id = ANY($1::uuid[])", list(events)
    )
    return {(row[0], row[1], row[2]) for row in rows} | {(row[0], row[1], None) for row in rows if not row[3]}


Firings = dict[tuple[str, bool, bytes], list[datetime]]
"""(rule, on trial, profile) → the times of the events that it fired for."""


async def fired(connection: Connection, rules: Collection[str], profiles: Collection[bytes]) -> Firings:
    """For what these rules fired before, as the profiles are now; on trial: for what they would have, and did before.

    Decisions are found by their record: the index by rule leads through all that it ever decided.
    """
    rows = await connection.fetch(
        """
        SELECT j.rule, false, r.profile_id, j.happened_at
        FROM source_record r JOIN journey j USING (record_id)
        WHERE r.profile_id = ANY($2::uuid[]) AND j.rule = ANY($1::text[])
        UNION ALL
        SELECT j.rule, true, r.profile_id, j.happened_at
        FROM source_record r JOIN journey j USING (record_id) JOIN rule_state s ON s.name = j.rule
        WHERE r.profile_id = ANY($2::uuid[]) AND j.rule = ANY($1::text[]) AND j.began_at < s.trial_since
        UNION ALL
        SELECT d.rule, true, r.profile_id, a.at
        FROM source_record r JOIN rule_decision d USING (record_id) JOIN activity a USING (event_id)
        JOIN rule_state s ON s.name = d.rule AND s.trial = d.version
        WHERE r.profile_id = ANY($2::uuid[]) AND d.rule || '' = ANY($1::text[]) AND d.verdict = 'trial'
        """,
        list(rules),
        list(profiles),
    )
    found: Firings = defaultdict(list)
    for rule, on_trial, profile, at in rows:
        found[rule, on_trial, profile].append(at)
    return found


async def write_decisions(connection: Connection, rows: Sequence[Decided]) -> None:
    """Write down what was decided; what was before stays."""
    await connection.execute(
        """
        INSERT INTO rule_decision (event_id, rule, version, record_id, verdict, reason, seen, on_trial)
        SELECT * FROM unnest($1::uuid[], $2::text[], $3::int[], $4::uuid[], $5::text[], $6::text[], $7::json[],
                             $8::bool[])
        ON CONFLICT DO NOTHING
        """,
        *(list(column) for column in zip(*rows, strict=True)),
    )
