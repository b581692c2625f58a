"""What a version on trial decided beside the live one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from hub.automation.compare import Pair
from hub.storage.pool import Connection


class Tried(NamedTuple):
    """A rule and how it stands; of both versions what they say (JSON)."""

    name: str
    live: int | None
    trial: int | None
    trial_since: datetime | None
    paused: bool
    live_body: str | None
    trial_body: str | None


class Window(NamedTuple):
    """Which decisions are compared: those of two versions of a rule since a time."""

    rule: str
    live: int | None
    trial: int
    since: datetime
    trial_since: datetime


class Side(NamedTuple):
    """What one version decided; `seen` is JSON."""

    verdict: str
    reason: str
    seen: str


class Decided(NamedTuple):
    """An event with both decisions, and whose it is now (None: nobody's any more); None: it was not looked at."""

    event: bytes
    type: str
    source: str
    at: datetime
    profile: bytes | None
    line: str | None
    live: Side | None
    trial: Side | None


async def tried(connection: Connection) -> dict[str, Tried]:
    """Every rule by its name, retired ones as well."""
    rows = await connection.fetch(
        """
        SELECT s.name, s.live, s.trial, s.trial_since, s.paused, l.body, t.body
        FROM rule_state s
        LEFT JOIN rule l ON l.name = s.name AND l.version = s.live
        LEFT JOIN rule t ON t.name = s.name AND t.version = s.trial
        WHERE EXISTS (SELECT FROM rule r WHERE r.name = s.name AND r.kind = 'rule')
        """
    )
    return {row[0]: Tried(*row) for row in rows}


# What the version on trial decided, with what the live one said of the same event; and what the live one alone looked
# at, of all that arrived while the other was on trial.
_PAIRED = """
    SELECT t.event_id, t.record_id, t.at, l.verdict AS live, t.verdict AS trial
    FROM rule_decision t
    LEFT JOIN rule_decision l ON l.event_id = t.event_id AND l.rule = t.rule AND l.version = $2 AND NOT l.on_trial
    WHERE t.rule = $1 AND t.version = $3 AND t.on_trial AND t.at >= $4
    UNION ALL
    SELECT l.event_id, l.record_id, l.at, l.verdict, NULL
    FROM rule_decision l JOIN activity a USING (event_id)
    WHERE l.rule = $1 AND l.version = $2 AND NOT l.on_trial AND l.at >= greatest($4, $5) AND a.received_at > $5
      AND NOT EXISTS (SELECT FROM rule_decision t
                      WHERE t.event_id = l.event_id AND t.rule = l.rule AND t.version = $3)
"""


async def counts(connection: Connection, window: Window) -> dict[Pair, int]:
    """How often which verdicts stood beside each other."""
    rows = await connection.fetch(f"SELECT live, trial, count(*) FROM ({_PAIRED}) p GROUP BY 1, 2", *window)  # noqa: S608 - a constant
    return {(row[0], row[1]): row[2] for row in rows}


async def differences(connection: Connection, window: Window, pairs: Sequence[Pair], limit: int) -> list[Decided]:
    """The events of these verdicts, the one decided last first."""
    rows = await connection.fetch(
        f"""
        SELECT p.event_id, a.type, a.source, a.at, who.profile_id, who.line,
               l.verdict, l.reason, l.seen, t.verdict, t.reason, t.seen
        FROM (
            SELECT * FROM ({_PAIRED}) every
            WHERE EXISTS (SELECT FROM unnest($6::text[], $7::text[]) AS u(live, trial)
                          WHERE u.live IS NOT DISTINCT FROM every.live AND u.trial IS NOT DISTINCT FROM every.trial)
            ORDER BY at DESC, event_id LIMIT $8
        ) p
        JOIN activity a USING (event_id)
        LEFT JOIN rule_decision l ON l.event_id = p.event_id AND l.rule = $1 AND l.version = $2
        LEFT JOIN rule_decision t ON t.event_id = p.event_id AND t.rule = $1 AND t.version = $3
        LEFT JOIN source_record r ON r.record_id = p.record_id
        LEFT JOIN profile who ON who.profile_id = r.profile_id
        ORDER BY p.at DESC, p.event_id
        """,  # noqa: S608 - a constant
        *window,
        [live for live, _ in pairs],
        [trial for _, trial in pairs],
        limit,
    )
    return [Decided(*row[:6], *(Side(*row[at : at + 3]) if row[at] else None for at in (6, 9))) for row in rows]
