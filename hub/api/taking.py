"""The pool: customers whom nobody looks after, and taking one of them. Of two who do so at once, one gets them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import orjson

from hub import clock
from hub.api.deciding import LOOK_SECONDS, WAIT_SECONDS, living
from hub.api.problems import Conflict, NotFound
from hub.api.remarking import Author, checked
from hub.api.side_by_side import called
from hub.errors import Reject, Retry
from hub.identity.ids import as_text, from_text
from hub.storage import suspects, todo
from hub.storage.pool import Connection, Pool, transaction
from hub.storage.todo import Owned, Place, Unowned
from producers.deeds import Deed, deed
from schemas.envelope import OWNER_ASSIGNED

LONGEST_TURN = 5.0
"""Seconds for which somebody waits for those who came before."""


async def page(pool: Pool, limit: int, after: str | None = None, *, untouched: bool = False) -> dict[str, Any]:
    """A page of the pool (`hub.api.tasks_shapes.PoolPage`). Raises Reject for an `after` that is none, Retry."""
    found = await todo.unowned(pool, limit + 1, _place(after) if after else None, untouched=untouched)
    shown = found[:limit]
    last = shown[-1] if len(found) > limit else None
    following = f"{last.since}_{as_text(last.profile)}" if last else None
    return {"profiles": [_told(one) for one in shown], "next": following}


def _told(one: Unowned) -> dict[str, Any]:
    line = orjson.loads(one.line)
    known = {name: field["value"] for name, field in line["fields"].items() if name in {"email", "phone"}}
    return {
        "profile_id": as_text(one.profile),
        "customer": called(line),
        "email": known.get("email"),
        "phone": known.get("phone"),
        "stage": line["stage"],
        "since": one.since,
        "touched": one.is_touched,
    }


def _place(written: str) -> Place:
    since, _, profile = written.partition("_")
    identity = from_text(profile)
    if identity is None or not clock.is_text(since):
        raise Reject("`after` is the `next` of a page", "after")
    return Place(since, identity)


async def take(
    pool: Pool, written: str, owner: str, author: Author, do: Callable[..., Awaitable[None]]
) -> dict[str, Any]:
    """Somebody looks after a customer of the pool from now on (`hub.api.tasks_shapes.Taken`).

    Raises Conflict where somebody else does, with who it is; Reject, NotFound, Retry.
    """
    identity, until = await living(pool, written), clock.monotonic() + LONGEST_TURN
    while clock.monotonic() < until:
        async with transaction(pool) as connection:
            if await todo.is_only_taker(connection, identity):
                return await _take(connection, identity, owner.lower(), author, do)
        await asyncio.sleep(LOOK_SECONDS)  # without a connection: whoever has the turn may need it
    raise Retry("somebody else is taking them at this moment", after=1.0)


async def _take(
    connection: Connection, identity: bytes, owner: str, author: Author, do: Callable[..., Awaitable[None]]
) -> dict[str, Any]:
    """One after the other; the connection holds the turn until it is written, 2 s at the most."""
    now = await todo.owned(connection, identity)
    if now is None:
        raise NotFound(f"no profile has the id {as_text(identity)}", "id")
    if now.owner and now.owner != owner:
        raise Conflict(f"{now.owner} looks after them already", "id")
    told = {"id": None, "profile_id": as_text(identity), "owner": owner, "state": "done"}
    if now.owner:
        return told
    one = _deed(identity, owner, now, author)
    await do(one)
    return told | {"id": as_text(one.event), "state": await _waited(connection, one.event)}


def _deed(identity: bytes, owner: str, now: Owned, author: Author) -> Deed:
    data = {"by": author.by, "record": as_text(identity), "owner": owner}
    checked(OWNER_ASSIGNED, data)
    said = clock.parse(now.said_at) if now.said_at else None
    at = max(clock.now(), said + timedelta(milliseconds=1)) if said else clock.now()
    return deed(OWNER_ASSIGNED, data, clock.text(at))


async def _waited(connection: Connection, event: bytes) -> str:
    """Wait until it is written, 2 s at the most, on the connection that holds the lock."""
    until = clock.monotonic() + WAIT_SECONDS
    while not await suspects.written(connection, [event]):
        if clock.monotonic() > until:
            return "on its way"
        await asyncio.sleep(LOOK_SECONDS)
    return "done"
