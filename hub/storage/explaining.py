"""What rules made of one event: their decisions, whoever is on the way because of it, and what was done."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from hub.storage.pool import Pool, reading


class Event(NamedTuple):
    """An event, and the profile that it belongs to now (None: nobody's, or erased); `data` is JSON."""

    id: bytes
    type: str
    source: str
    at: datetime
    received_at: datetime
    profile: bytes | None
    data: str


class Verdict(NamedTuple):
    """What a rule's version decided, live or on trial. `seen` and `body` are JSON."""

    rule: str
    version: int
    verdict: str
    reason: str
    seen: str
    at: datetime
    body: str
    on_trial: bool


class Way(NamedTuple):
    """A journey of the event: where it waits, or how it ended."""

    rule: str
    version: int
    state: str
    place: int | None
    since: datetime | None
    until: datetime | None
    outcome: str | None
    began_at: datetime
    ended_at: datetime | None


class Done(NamedTuple):
    """A deed of the event; `effect` is JSON."""

    rule: str
    version: int
    step: str
    verb: str
    state: str
    effect: str
    at: datetime


async def event(pool: Pool, identity: bytes) -> Event | None:
    """The event of this id. Raises Retry."""
    async with reading(pool) as connection:
        row = await connection.fetchrow(
            """
            SELECT a.event_id, a.type, a.source, a.at, a.received_at, r.profile_id, a.data
            FROM activity a LEFT JOIN source_record r USING (record_id) WHERE a.event_id = $1
            """,
            identity,
        )
    return Event(*row) if row else None


async def verdicts(pool: Pool, identity: bytes) -> list[Verdict]:
    """Every decision about an event, by the rules' names. Raises Retry."""
    async with reading(pool) as connection:
        rows = await connection.fetch(
            """
            SELECT d.rule, d.version, d.verdict, d.reason, d.seen, d.at, r.body, d.on_trial
            FROM rule_decision d JOIN rule r ON r.name = d.rule AND r.version = d.version
            WHERE d.event_id = $1 ORDER BY d.rule, d.version
            """,
            identity,
        )
    return [Verdict(*row) for row in rows]


async def ways(pool: Pool, identity: bytes, profile: bytes) -> list[Way]:
    """The journeys that an event of this profile set off. Raises Retry."""
    async with reading(pool) as connection:
        rows = await connection.fetch(
            """
            SELECT j.rule, j.version, j.state, j.place, j.since, j.until, j.outcome, j.began_at, j.ended_at
            FROM source_record r JOIN journey j USING (record_id) WHERE j.event_id = $1 AND r.profile_id = $2
            """,
            identity,
            profile,
        )
    return [Way(*row) for row in rows]


async def done(pool: Pool, identity: bytes, profile: bytes) -> list[Done]:
    """What was done because of an event of this profile, in order. Raises Retry."""
    async with reading(pool) as connection:
        rows = await connection.fetch(
            """
            SELECT l.rule, l.version, l.step, l.verb, l.state, l.effect, l.at
            FROM source_record r JOIN ledger l USING (record_id) WHERE l.event_id = $1 AND r.profile_id = $2
            ORDER BY l.at, l.step
            """,
            identity,
            profile,
        )
    return [Done(*row) for row in rows]
