"""Deliveries as people and programs look at them, and another chance for those that wait or were given up on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import asyncpg

from hub import clock
from hub.identity.ids import as_text, from_text
from hub.storage import fired, told
from hub.storage.pool import Connection, Pool, reading, transaction
from hub.storage.told import Level
from schemas.envelope import ACTION_FIRED

STATES = ("pending", "sending", "retry", "delivered", "folded", "dead")
OPEN = ("pending", "sending", "retry")
MOST = 1000
"""Rows of one transaction, and of one page."""
DUE = "due now"
"""What `retry` says of a delivery that goes out again."""

_ROW = """id, destination, profile_id, type, version, state, attempts, status, error, created_at, due_at,
          first_try_at, last_try_at, ended_at"""
_BY_KEY = f"""JOIN unnest($1::text[], $2::uuid[]) AS asked(destination, profile_id) USING (destination, profile_id)
              WHERE type <> '{ACTION_FIRED}' AND"""


async def page(
    pool: Pool, *, destination: str | None, state: str | None, limit: int, before: str | None = None
) -> dict[str, Any]:
    """`{"deliveries": […], "next"}`: newest first, at the most `limit`; None stands for every destination or state.

    `next` is the `before` of the page after this one, None on the last. A `before` that never was a `next` begins anew.
    Raises Retry.
    """
    limit, place = min(limit, MOST), _place(before)
    async with reading(pool) as connection:
        rows = await connection.fetch(
            f"""
            SELECT {_ROW} FROM delivery
            WHERE ($1::text IS NULL OR destination = $1) AND ($2::text IS NULL OR state = $2)
              AND ($4::uuid IS NULL OR (created_at, id) < (to_timestamp($5::bigint / 1000000)
                   + make_interval(secs => $5 % 1000000 / 1000000.0), $4))
            ORDER BY created_at DESC, id DESC LIMIT $3
            """,  # noqa: S608 - a constant
            destination,
            state,
            limit + 1,
            *place,
        )
    found = rows[:limit]
    return {"deliveries": [_summary(row) for row in found], "next": _next(found[-1]) if len(rows) > limit else None}


def _next(row: asyncpg.Record) -> str:
    """The place of a row in the order: its microsecond, and its id among those of the same one."""
    return f"{int(row['created_at'].timestamp())}{row['created_at'].microsecond:06d}-{row['id'].hex()}"


def _place(before: str | None) -> tuple[bytes | None, int]:
    at, _, identity = (before or "").partition("-")
    known = from_text(identity) if at.isascii() and at.isdigit() and len(at) <= 18 else None
    return known, int(at) if known else 0


async def get(pool: Pool, written: str) -> dict[str, Any] | None:
    """One delivery as a JSON object, with its body (the text that was sent) and every try, or None. Raises Retry."""
    identity = from_text(written)
    if identity is None:
        return None
    async with reading(pool) as connection:
        row = await connection.fetchrow(
            f"SELECT {_ROW}, body FROM delivery WHERE id = $1",  # noqa: S608 - a constant
            identity,
        )
        tries = await connection.fetch(
            """
            SELECT attempt, at, status, error, milliseconds, response
            FROM delivery_attempt WHERE delivery_id = $1 ORDER BY attempt
            """,
            identity,
        )
    if row is None:
        return None
    body = None if row["body"] is None else row["body"].decode()
    return {**_summary(row), "body": body, "tries": [dict(one) | {"at": clock.text(one["at"])} for one in tries]}


async def dead_ids(pool: Pool, destination: str | None) -> list[str]:
    """The deliveries that were given up on, of one destination or of all. Raises Retry."""
    async with reading(pool) as connection:
        rows = await connection.fetch(
            "SELECT id FROM delivery WHERE state = 'dead' AND ($1::text IS NULL OR destination = $1) ORDER BY id",
            destination,
        )
    return [as_text(row[0]) for row in rows]


async def retry(pool: Pool, written: Sequence[str]) -> dict[str, str]:
    """Make deliveries due now, dead ones with a fresh schedule; gives what became of each id, in words. Raises Retry.

    A dead one whose profile has moved on does not come back: the newest version goes out in its place.
    """
    outcome: dict[str, str] = {}
    for start in range(0, len(written), MOST):
        ids = {identity: text for text in written[start : start + MOST] if (identity := from_text(text))}
        async with transaction(pool) as connection:
            outcome |= {ids[identity]: words for identity, words in (await _retry(connection, list(ids))).items()}
    return {text: outcome.get(text, "there is no such delivery") for text in written}


async def _retry(connection: Connection, ids: Sequence[bytes]) -> dict[bytes, str]:
    known = await connection.fetch(
        "SELECT id, destination, profile_id, type, state FROM delivery WHERE id = ANY($1::uuid[])", ids
    )
    profiles = await _retry_profiles(connection, ids, [row for row in known if row["type"] != ACTION_FIRED])
    return profiles | await _retry_deeds(connection, [row for row in known if row["type"] == ACTION_FIRED])


async def _retry_deeds(connection: Connection, asked: Sequence[asyncpg.Record]) -> dict[bytes, str]:
    """What rules did: each is told by itself, so each comes back by itself."""
    hurried = await fired.retry(connection, [row["id"] for row in asked]) if asked else set()
    left = {"folded": "nobody is left"}
    return {row["id"]: DUE if row["id"] in hurried else left.get(row["state"], _ended(row["state"])) for row in asked}


async def _retry_profiles(
    connection: Connection, ids: Sequence[bytes], asked: Sequence[asyncpg.Record]
) -> dict[bytes, str]:
    levels = await told.lock(connection, sorted({(row["destination"], row["profile_id"]) for row in asked}))
    keys = [level.destination for level in levels], [level.profile_id for level in levels]
    hurried = await connection.fetch(
        f"SELECT destination, profile_id FROM delivery {_BY_KEY} state = ANY($3::text[])",  # noqa: S608 - a constant
        *keys,
        OPEN,
    )
    await connection.execute(
        f"""
        UPDATE delivery x SET due_at = clock_timestamp()
        FROM (SELECT id FROM delivery {_BY_KEY} state IN ('pending', 'retry') FOR UPDATE OF delivery) waiting
        WHERE x.id = waiting.id
        """,  # noqa: S608 - a constant
        *keys,
    )
    dead = await connection.fetch(
        f"SELECT id, destination, profile_id, version FROM delivery {_BY_KEY} state = 'dead'",  # noqa: S608 - a constant
        *keys,
    )
    again, past = _sort_dead(dead, {(row[0], row[1]) for row in hurried}, levels)
    await _reopen(connection, again)
    await _leave(connection, [one for one in ids if one in past])
    return {row["id"]: _words(row["id"], row["state"], again, past) for row in asked}


def _sort_dead(
    dead: Sequence[asyncpg.Record], still_open: set[tuple[str, bytes]], levels: Sequence[Level]
) -> tuple[set[bytes], set[bytes]]:
    """Of the dead: those that come back (the newest of a profile that was not told since), and those that are past."""
    known = {(level.destination, level.profile_id): level.told_version for level in levels}
    newest: dict[tuple[str, bytes], asyncpg.Record] = {}
    for row in sorted(dead, key=lambda row: row["version"]):
        newest[row["destination"], row["profile_id"]] = row
    again = {row["id"] for key, row in newest.items() if key not in still_open and row["version"] > known.get(key, 0)}
    return again, {row["id"] for row in dead} - again


async def _reopen(connection: Connection, ids: set[bytes]) -> None:
    await connection.execute(
        """
        UPDATE delivery SET state = CASE WHEN body IS NULL THEN 'pending' ELSE 'retry' END, due_at = clock_timestamp(),
               step = 0, failing_since = NULL, ended_at = NULL WHERE id = ANY($1::uuid[])
        """,
        list(ids),
    )


async def _leave(connection: Connection, ids: Sequence[bytes]) -> None:
    await connection.execute(
        "UPDATE delivery SET state = 'folded', error = 'a newer version took its place' WHERE id = ANY($1::uuid[])", ids
    )


def _words(identity: bytes, state: str, again: set[bytes], past: set[bytes]) -> str:
    if identity in past:
        return "left as it is: a newer version of this profile goes out, or did"
    if identity in again or state in {"pending", "retry"}:
        return DUE
    return _ended(state)


def _ended(state: str) -> str:
    return {"sending": "is on the wire at this moment", "folded": "a newer version took its place"}.get(
        state, "was delivered"
    )


def _summary(row: asyncpg.Record) -> dict[str, Any]:
    ended = row["state"] not in OPEN
    return {
        "id": as_text(row["id"]),
        "destination": row["destination"],
        "profile_id": as_text(row["profile_id"]),
        "type": row["type"],
        "version": row["version"],
        "state": row["state"],
        "attempts": row["attempts"],
        "status": row["status"],
        "error": row["error"],
        "created_at": _time(row["created_at"]),
        "due_at": None if ended else _time(row["due_at"]),
        "first_try_at": _time(row["first_try_at"]),
        "last_try_at": _time(row["last_try_at"]),
        "ended_at": _time(row["ended_at"]),
    }


def _time(at: datetime | None) -> str | None:
    return None if at is None else clock.text(at)
