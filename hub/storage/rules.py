"""Rules as they are kept: every version for ever, and which of them count for what begins now."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple

import orjson

from hub import clock
from hub.automation.plan import Change, Standing, body_of, kind_of
from hub.storage.pool import Connection, Pool, reading

_ONE_AT_A_TIME = 4_711_401


class InForce(NamedTuple):
    """A rule's version that looks at events which arrive after `since`; on trial it does nothing.

    `widened` (JSON) says of kinds of events that the live version before it did not look at from when it does: kinds
    are a type, or the change of a segment and its name (`segment.entered buyers`).
    """

    name: str
    version: int
    since: datetime
    on_trial: bool
    widened: str | None = None

    def looks_since(self, event_type: str, subject: str | None = None) -> datetime:
        """After when such events have to arrive; `subject` is the segment that one tells of."""
        kinds = orjson.loads(self.widened or "{}")
        later = clock.parse(kinds.get(f"{event_type} {subject}" if subject else event_type, ""))
        return max(self.since, later) if later else self.since


class Counting(NamedTuple):
    """A segment's version that counts, since when, and what it says (JSON)."""

    name: str
    version: int
    since: datetime
    body: str


class Listed(NamedTuple):
    """A rule or segment of the list. What it says of itself, and its sentence, are those of its newest version."""

    name: str
    kind: str
    newest: int
    live: int | None
    trial: int | None
    paused: bool
    changed_at: datetime
    changed_by: str
    about: str
    sentence: str
    waiting: int


class Version(NamedTuple):
    """A version as it was taken over; `body` is JSON."""

    version: int
    applied_at: datetime
    sentence: str
    body: str
    began: int
    waiting: int


async def alone(connection: Connection) -> None:
    """Nobody else changes rules until this transaction ends, so that `changed_at` never goes back."""
    await connection.execute("SELECT pg_advisory_xact_lock($1)", _ONE_AT_A_TIME)


async def standing(connection: Connection) -> dict[str, Standing]:
    """What is known of every name."""
    rows = await connection.fetch(
        """
        SELECT DISTINCT ON (r.name) r.name, r.kind, r.version, r.body, s.live, s.trial, s.paused
        FROM rule r JOIN rule_state s USING (name) ORDER BY r.name, r.version DESC
        """
    )
    return {row[0]: Standing(*row) for row in rows}


async def write(connection: Connection, changes: Sequence[Change], sentences: Sequence[str], by: str) -> None:
    """Take changes over, each with its sentence ('' without a file); the caller is `alone`.

    Where a version was live before, the next takes its place at once, for what both look at. Where none was, and for
    what only the new one looks at, it looks at what arrives now.
    """
    told = [(one.value, said) for one, said in zip(changes, sentences, strict=True) if one.value is not None]
    await connection.execute(
        """
        INSERT INTO rule (name, version, kind, body, sentence)
        SELECT * FROM unnest($1::text[], $2::int[], $3::text[], $4::json[], $5::text[]) ON CONFLICT DO NOTHING
        """,
        [value.name for value, _ in told],
        [value.version for value, _ in told],
        [kind_of(value) for value, _ in told],
        [body_of(value) for value, _ in told],
        [said for _, said in told],
    )
    await _widen(connection, changes)
    await connection.execute(
        """
        INSERT INTO rule_state AS s (name, live, live_since, trial, trial_since, changed_by)
        SELECT name, live, CASE WHEN live IS NOT NULL THEN clock_timestamp() END,
               trial, CASE WHEN trial IS NOT NULL THEN clock_timestamp() END, $4
        FROM unnest($1::text[], $2::int[], $3::int[]) AS u(name, live, trial)
        ON CONFLICT (name) DO UPDATE SET
            live = excluded.live, trial = excluded.trial,
            live_since = CASE WHEN s.live IS NULL OR excluded.live IS NULL THEN excluded.live_since
                              ELSE s.live_since END,
            trial_since = CASE WHEN s.trial = excluded.trial THEN s.trial_since ELSE excluded.trial_since END,
            changed_at = clock_timestamp(), changed_by = excluded.changed_by
        """,
        [one.name for one in changes],
        [one.live for one in changes],
        [one.trial for one in changes],
        by,
    )


async def _widen(connection: Connection, changes: Sequence[Change]) -> None:
    """From now on versions that take the place of others look at what those did not look at."""
    columns = [one.name for one in changes], [one.live for one in changes]
    await connection.execute(
        """
        DELETE FROM rule_widened w USING unnest($1::text[], $2::int[]) AS u(name, live)
        WHERE w.name = u.name AND NOT EXISTS (
            SELECT FROM rule_trigger t WHERE t.name = u.name AND t.version = u.live AND t.kind = w.kind)
        """,
        *columns,
    )
    await connection.execute(
        """
        INSERT INTO rule_widened (name, kind, since)
        SELECT t.name, t.kind, clock_timestamp() FROM unnest($1::text[], $2::int[]) AS u(name, live)
        JOIN rule_state s ON s.name = u.name AND s.live <> u.live
        JOIN rule_trigger t ON t.name = u.name AND t.version = u.live
        WHERE NOT EXISTS (SELECT FROM rule_trigger o WHERE o.name = s.name AND o.version = s.live AND o.kind = t.kind)
        ON CONFLICT DO NOTHING
        """,
        *columns,
    )


async def pause(connection: Connection, name: str, by: str, *, paused: bool) -> bool | None:
    """Stop a rule, or let it go on with what arrives from now on. Says whether that is new; None: there is none such.

    A rule that was retired is none, but while somebody waits in it. The caller is `alone`.
    """
    found = await connection.fetchval(
        """
        SELECT s.paused FROM rule_state s WHERE name = $1
           AND (coalesce(live, trial) IS NOT NULL
                OR EXISTS (SELECT FROM journey j WHERE j.rule = s.name AND j.state <> 'ended'))
           AND EXISTS (SELECT FROM rule r WHERE r.name = s.name AND r.kind = 'rule') FOR UPDATE
        """,
        name,
    )
    if found is None or found is paused:
        return None if found is None else False
    await connection.execute(
        """
        UPDATE rule_state SET paused = $2, changed_at = clock_timestamp(), changed_by = $3,
               live_since = CASE WHEN $2 OR live IS NULL THEN live_since ELSE clock_timestamp() END,
               trial_since = CASE WHEN $2 OR trial IS NULL THEN trial_since ELSE clock_timestamp() END
        WHERE name = $1
        """,
        name,
        paused,
        by,
    )
    return True


async def changed_at(connection: Connection) -> datetime | None:
    """When the rules that count were last changed; None: there are none."""
    found: datetime | None = await connection.fetchval("SELECT max(changed_at) FROM rule_state")
    return found


async def in_force(connection: Connection) -> list[InForce]:
    """The rules that look at events, in the order of their names; a version on trial behind the live one."""
    rows = await connection.fetch(
        """
        SELECT s.name, v.version, v.since, v.on_trial, CASE WHEN NOT v.on_trial THEN (
            SELECT json_object_agg(w.kind, w.since) FROM rule_widened w WHERE w.name = s.name) END
        FROM rule_state s
        CROSS JOIN LATERAL (VALUES (live, live_since, false), (trial, trial_since, true)) v(version, since, on_trial)
        JOIN rule r ON r.name = s.name AND r.version = v.version AND r.kind = 'rule'
        WHERE NOT paused ORDER BY s.name, v.on_trial
        """
    )
    return [InForce(*row) for row in rows]


async def segments(connection: Connection) -> list[Counting]:
    """The segments that count, by their names."""
    rows = await connection.fetch(
        """
        SELECT s.name, r.version, greatest(s.live_since, r.applied_at), r.body
        FROM rule_state s JOIN rule r ON r.name = s.name AND r.version = s.live AND r.kind = 'segment' ORDER BY s.name
        """
    )
    return [Counting(*row) for row in rows]


async def bodies(connection: Connection, versions: Collection[tuple[str, int]]) -> dict[tuple[str, int], str]:
    """What these versions say (JSON)."""
    rows = await connection.fetch(
        """
        SELECT name, version, body FROM rule JOIN unnest($1::text[], $2::int[]) AS u(name, version)
        USING (name, version)
        """,
        [name for name, _ in versions],
        [version for _, version in versions],
    )
    return {(row[0], row[1]): row[2] for row in rows}


async def every_version(connection: Connection) -> list[tuple[str, int]]:
    """All versions of all rules, those that nobody begins with any more as well."""
    rows = await connection.fetch("SELECT name, version FROM rule WHERE kind = 'rule' ORDER BY name, version")
    return [(row[0], row[1]) for row in rows]


async def listing(pool: Pool) -> list[Listed]:
    """Every rule and segment that was ever taken over. Raises Retry."""
    async with reading(pool) as connection:
        rows = await connection.fetch(
            """
            SELECT r.name, r.kind, r.version, s.live, s.trial, s.paused, s.changed_at, s.changed_by,
                   r.body->>'about', r.sentence,
                   (SELECT count(*) FROM journey j WHERE j.rule = r.name AND j.state <> 'ended')
            FROM (SELECT DISTINCT ON (name) * FROM rule ORDER BY name, version DESC) r JOIN rule_state s USING (name)
            ORDER BY r.kind, r.name
            """
        )
    return [Listed(*row) for row in rows]


async def versions(pool: Pool, name: str) -> list[Version]:
    """Every version of a rule, the newest first. Raises Retry."""
    async with reading(pool) as connection:
        rows = await connection.fetch(
            """
            SELECT r.version, r.applied_at, r.sentence, r.body, count(j.id), count(j.id) FILTER (WHERE state <> 'ended')
            FROM rule r LEFT JOIN journey j ON j.rule = r.name AND j.version = r.version
            WHERE r.name = $1 GROUP BY r.name, r.version ORDER BY r.version DESC
            """,
            name,
        )
    return [Version(*row) for row in rows]


async def verdicts(pool: Pool, name: str) -> dict[str, int]:
    """How often a rule came to which verdict. Raises Retry."""
    async with reading(pool) as connection:
        rows = await connection.fetch(
            "SELECT verdict, count(*) FROM rule_decision WHERE rule = $1 GROUP BY 1 ORDER BY 1", name
        )
    return {row[0]: row[1] for row in rows}
