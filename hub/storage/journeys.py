"""Who is on the way through a rule: where they wait, what they may hear there, and who looks at it next."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple

from hub.storage.leases import Lease, Leases
from hub.storage.pool import Connection

LEASES = Leases("journey", waiting=("waiting",), taken="working", lost="waiting")
MOST_TAKEN, MOST_FRESH = 256, 1000


class Rest(NamedTuple):
    """Where a journey waits: the instruction, from when until when, and the types of events that may end it."""

    place: int
    since: datetime
    until: datetime
    heeds: tuple[str, ...]


class Begun(NamedTuple):
    """A journey at its begin, which may be its end as well. `occasion` is the trigger (JSON)."""

    id: bytes
    rule: str
    version: int
    event: bytes
    record: bytes
    occasion: str
    happened_at: datetime
    rest: Rest | None
    outcome: str | None


class Waiting(NamedTuple):
    """A journey that waits; of its profile the id and the line, None where there is nobody any more."""

    id: bytes
    rule: str
    version: int
    event: bytes
    record: bytes
    occasion: str
    happened_at: datetime
    place: int
    since: datetime
    until: datetime
    heeds: list[str]
    is_over: bool
    profile: bytes | None
    line: str | None


class Heard(NamedTuple):
    """Something that a waiting journey may heed; `data` is JSON."""

    journey: bytes
    event: bytes
    type: str
    source: str
    at: datetime
    received_at: datetime
    data: str


class Moved(NamedTuple):
    """What becomes of a journey: it waits (again), or it has ended with this outcome.

    `is_new` says that this wait begins now: whatever was heard meanwhile is looked for at once. `in_silence` says that
    the wait before heeded something, and nothing came.
    """

    id: bytes
    rest: Rest | None
    outcome: str | None
    is_new: bool = True
    in_silence: bool = False


async def begin(connection: Connection, journeys: Sequence[Begun]) -> set[bytes]:
    """Begin journeys; gives the ids of those that had not begun before. One that heeds something begins `fresh`."""
    rows = await connection.fetch(
        """
        INSERT INTO journey (id, rule, version, event_id, record_id, occasion, happened_at, state, place, since, until,
                             heeds, fresh, due_at, outcome, ended_at)
        SELECT id, rule, version, event, record, occasion, happened_at,
               CASE WHEN outcome IS NULL THEN 'waiting' ELSE 'ended' END, place, since, until,
               string_to_array(heeds, ','), heeds <> '', until, outcome,
               CASE WHEN outcome IS NOT NULL THEN clock_timestamp() END
        FROM unnest($1::uuid[], $2::text[], $3::int[], $4::uuid[], $5::uuid[], $6::json[], $7::timestamptz[], $8::int[],
                    $9::timestamptz[], $10::timestamptz[], $11::text[], $12::text[])
             AS u(id, rule, version, event, record, occasion, happened_at, place, since, until, heeds, outcome)
        ON CONFLICT DO NOTHING RETURNING id
        """,
        *(list(column) for column in zip(*(one[:7] for one in journeys), strict=True)),
        *_rests([one.rest for one in journeys]),
        [one.outcome for one in journeys],
    )
    return {row[0] for row in rows}


def _rests(rests: Sequence[Rest | None]) -> tuple[list[object], ...]:
    return (
        [one and one.place for one in rests],
        [one and one.since for one in rests],
        [one and one.until for one in rests],
        [",".join(one.heeds) if one else "" for one in rests],
    )


async def rouse(connection: Connection, events: Collection[bytes], became: Collection[bytes]) -> int:
    """Have a worker look at every waiting journey that may heed one of these events; says how many.

    So too at whatever waits for something and is of these profiles, which are other people by now. Whose an event is
    counts as it is now, under whatever id it was told.
    """
    rows = await connection.fetch(
        """
        SELECT j.id FROM activity a JOIN source_record own ON own.record_id = a.record_id
        JOIN source_record r ON r.profile_id = own.profile_id
        JOIN journey j ON j.record_id = r.record_id AND j.state <> 'ended' AND a.type = ANY(j.heeds)
        WHERE a.event_id = ANY($1::uuid[])
        UNION
        SELECT j.id FROM source_record own JOIN source_record r ON r.profile_id = own.profile_id
        JOIN journey j ON j.record_id = r.record_id AND j.state <> 'ended' AND j.heeds <> '{}'
        WHERE own.record_id = ANY($2::uuid[])
        """,
        list(events),
        list(became),
    )
    if rows:
        await connection.execute(
            """
            UPDATE journey SET roused = true, due_at = clock_timestamp()
            WHERE id = ANY(ARRAY(SELECT id FROM journey WHERE id = ANY($1::uuid[]) AND state <> 'ended'
                                 ORDER BY id FOR UPDATE))
            """,
            [row[0] for row in rows],
        )
    return len(rows)


async def wake_fresh(connection: Connection) -> None:
    """Waits that have just begun: those of whom something was heard before anybody knew that they heed it are roused.

    Whoever hears of something later rouses them: from here on nothing is missed.
    """
    rows = await connection.fetch(
        """
        SELECT id FROM journey WHERE fresh AND began_at <= statement_timestamp() LIMIT $1 FOR UPDATE SKIP LOCKED
        """,
        MOST_FRESH,
    )
    if not rows:
        return
    ids = [row[0] for row in rows]
    missed = await connection.fetch(
        """
        SELECT DISTINCT j.id FROM journey j JOIN source_record own ON own.record_id = j.record_id
        JOIN source_record r ON r.profile_id = own.profile_id
        JOIN activity a ON a.record_id = r.record_id AND a.type = ANY(j.heeds) AND NOT a.spam
        WHERE j.id = ANY($1::uuid[]) AND a.received_at > j.since AND a.event_id <> j.event_id
        """,
        ids,
    )
    await connection.execute(
        """
        UPDATE journey SET fresh = false, roused = roused OR id = ANY($2::uuid[]),
               due_at = CASE WHEN id = ANY($2::uuid[]) THEN clock_timestamp() ELSE due_at END
        WHERE id = ANY($1::uuid[])
        """,
        ids,
        [row[0] for row in missed],
    )


async def take(connection: Connection, tide: datetime, seconds: float) -> list[Lease]:
    """Journeys that are due, the oldest first. Whatever may end a wait and arrived before `tide` was heard of.

    A wait that heeds something is looked at when something was heard, and at its end only once the tide is past it.
    Rules that are paused let everybody wait.
    """
    await LEASES.expire(connection)
    await wake_fresh(connection)
    rows = await connection.fetch(
        """
        SELECT j.id FROM journey j JOIN rule_state s ON s.name = j.rule AND NOT s.paused
        WHERE j.state = 'waiting' AND j.due_at <= statement_timestamp()
          AND (j.roused OR j.heeds = '{}' OR j.until <= $1)
        ORDER BY j.due_at, j.id LIMIT $2
        """,
        tide,
        MOST_TAKEN,
    )
    return await LEASES.take(connection, [row[0] for row in rows], seconds) if rows else []


async def held_up(connection: Connection, tide: datetime) -> bool:
    """Whether a journey is due and waits for the tide alone."""
    found: bool = await connection.fetchval(
        """
        SELECT EXISTS (SELECT FROM journey j JOIN rule_state s ON s.name = j.rule AND NOT s.paused
                       WHERE j.state = 'waiting' AND j.due_at <= statement_timestamp()
                         AND NOT j.roused AND j.heeds <> '{}' AND j.until > $1)
        """,
        tide,
    )
    return found


async def next_due(connection: Connection, at_most: float) -> float:
    """In how many seconds the next journey comes due, `at_most` where that is far off or unknown."""
    seconds: float | None = await connection.fetchval(
        """
        SELECT greatest(0, least($1, extract(epoch FROM min(due_at) - clock_timestamp())::float))
        FROM journey WHERE state = 'waiting' AND due_at > statement_timestamp()
        """,
        at_most,
    )
    return at_most if seconds is None else seconds


async def load(connection: Connection, ids: Collection[bytes]) -> list[Waiting]:
    """Journeys that the caller holds, the one that began first first."""
    rows = await connection.fetch(
        """
        SELECT j.id, j.rule, j.version, j.event_id, j.record_id, j.occasion, j.happened_at, j.place, j.since, j.until,
               j.heeds, j.until <= clock_timestamp(), p.profile_id, p.line
        FROM journey j LEFT JOIN source_record r USING (record_id) LEFT JOIN profile p ON p.profile_id = r.profile_id
        WHERE j.id = ANY($1::uuid[]) ORDER BY j.happened_at, j.id
        """,
        list(ids),
    )
    return [Waiting(*row) for row in rows]


async def heard(connection: Connection, ids: Collection[bytes]) -> list[Heard]:
    """What may end these waits and arrived while they lasted, in the order of arrival; never what a rule did."""
    rows = await connection.fetch(
        """
        SELECT j.id, a.event_id, a.type, a.source, a.at, a.received_at, a.data
        FROM journey j JOIN source_record own ON own.record_id = j.record_id
        JOIN source_record r ON r.profile_id = own.profile_id
        JOIN activity a ON a.record_id = r.record_id AND a.type = ANY(j.heeds) AND NOT a.spam
        WHERE j.id = ANY($1::uuid[]) AND a.received_at > j.since AND a.received_at <= j.until
          AND a.event_id <> j.event_id AND (a.source <> 'hub' OR a.data->>'rule' IS NULL)
        ORDER BY a.received_at, a.event_id
        """,
        list(ids),
    )
    return [Heard(*row) for row in rows]


async def earlier(connection: Connection, ids: Collection[bytes]) -> dict[bytes, list[datetime]]:
    """Journey → when those of the same rule happened that the same profile had before it, as it is now."""
    rows = await connection.fetch(
        """
        SELECT j.id, e.happened_at FROM journey j JOIN source_record own ON own.record_id = j.record_id
        JOIN source_record r ON r.profile_id = own.profile_id
        JOIN journey e ON e.record_id = r.record_id AND e.rule = j.rule
                      AND (e.happened_at, e.id) < (j.happened_at, j.id)
        WHERE j.id = ANY($1::uuid[])
        """,
        list(ids),
    )
    found: dict[bytes, list[datetime]] = {}
    for journey, at in rows:
        found.setdefault(journey, []).append(at)
    return found


async def move(connection: Connection, moved: Sequence[Moved]) -> None:
    """Write down what became of journeys that the caller holds."""
    await connection.execute(
        """
        UPDATE journey j SET state = CASE WHEN u.outcome IS NULL THEN 'waiting' ELSE 'ended' END,
               place = u.place, since = u.since, until = u.until, heeds = string_to_array(u.heeds, ','),
               roused = false, fresh = u.heeds <> '' AND u.is_new AND u.outcome IS NULL, lease_until = NULL,
               due_at = u.until,
               outcome = u.outcome, ended_at = CASE WHEN u.outcome IS NOT NULL THEN clock_timestamp() END,
               silences = j.silences + u.in_silence::int
        FROM unnest($1::uuid[], $2::int[], $3::timestamptz[], $4::timestamptz[], $5::text[], $6::text[], $7::bool[],
                    $8::bool[]) AS u(id, place, since, until, heeds, outcome, is_new, in_silence)
        WHERE j.id = u.id
        """,
        [one.id for one in moved],
        *_rests([one.rest for one in moved]),
        [one.outcome for one in moved],
        [one.is_new for one in moved],
        [one.in_silence for one in moved],
    )
