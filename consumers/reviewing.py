"""Everybody once more by today's rules: the same locks, the same writes and the same messages as a batch of events.

A page of groups is looked at without a lock; where something is to be done it is locked as every writer of identity
does it (`hub.storage.profiles`), read again, and written.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Collection
from typing import NamedTuple

from consumers.telling import states
from hub.errors import Retry
from hub.identity import resolve
from hub.identity.evidence import SHARED
from hub.identity.outcome import Row
from hub.identity.review import Review, Value, reviewed, stale
from hub.identity.strategies import DEFAULT, Rules
from hub.storage import erasure, outbox, profiles
from hub.storage import review as storage
from hub.storage.pool import Connection, Pool, snapshot, transaction

PAGE = 200
_MOST_TRIES = 12


class Page(NamedTuple):
    """What became of some groups: how many, their records as they are now, and what has changed."""

    groups: int
    rows: dict[bytes, Row]
    review: Review


class Scope(NamedTuple):
    """Groups that have to be looked at together. `opened` are values whose claimers meet anew, `kept` stay shared."""

    groups: set[bytes]
    rows: dict[bytes, Row]
    versions: dict[bytes, int]
    opened: dict[bytes, Value]
    kept: set[bytes]


async def review(
    pool: Pool, rules: Rules = DEFAULT, *, dry_run: bool = False, at_once: int = PAGE
) -> AsyncGenerator[Page]:
    """Walk over all groups, and tell after each page what it came to; a dry run only reads. Raises Retry.

    `rules` say which statement of a field counts. Writers may write meanwhile, if they go by today's rules as well.
    """
    below: bytes | None = None
    seen: set[bytes] = set()
    while page := await storage.groups_below(pool, below, at_once):
        below = page[-1]
        async with snapshot(pool) as connection:
            scope = await _scope(connection, set(page) - seen)
            found = await _reviewed(connection, scope, rules)
        if found and not dry_run:
            scope, found = await _again(pool, scope, rules)
        elif dry_run:
            seen |= scope.groups.difference(page)
        yield Page(len(page), scope.rows, found)


async def _scope(connection: Connection, groups: Collection[bytes]) -> Scope:
    """These groups, and all that may be joined to them by values which are to be counted anew."""
    scope = Scope(set(), {}, {}, {}, set())
    new = set(groups)
    while new:
        rows, versions = await profiles.load(connection, new, ())
        scope.groups.update(new)
        scope.rows.update(rows)
        scope.versions.update(versions)
        opened = await _opened(connection, scope, rows.values())
        scope.opened.update(opened)
        missing = await storage.linking(connection, opened) - scope.rows.keys() if opened else ()
        new = set((await profiles.groups_of(connection, missing)).values()) - scope.groups if missing else set()
    return scope


async def _opened(connection: Connection, scope: Scope, rows: Collection[Row]) -> dict[bytes, Value]:
    """Values of these rows that are to be counted anew, and are not known for it yet.

    Who stands behind a value only grows, so what stands for too many now needs no lock to be known as shared.
    """
    unblocked, shared = stale(rows)
    asked = {one: value for one, value in shared.items() if one not in scope.opened and one not in scope.kept}
    if asked:
        most = max(resolve.MOST_CLAIMERS.values()) + 1
        counted = await storage.counted(connection, asked, most)
        scope.kept.update(one for one, records in counted.items() if resolve.exceeds(asked[one][0], records))
    opened = {one: value for one, value in asked.items() if one not in scope.kept} | unblocked
    return {one: value for one, value in opened.items() if one not in scope.opened}


async def _reviewed(connection: Connection, scope: Scope, rules: Rules) -> Review:
    lines = await storage.lines_of(connection, scope.versions)
    return reviewed(scope.rows, scope.versions, lines, scope.kept - scope.opened.keys(), rules)


async def _again(pool: Pool, scope: Scope, rules: Rules) -> tuple[Scope, Review]:
    """Lock, read again and write; another try where somebody was in the way."""
    for left in reversed(range(_MOST_TRIES)):
        try:
            async with transaction(pool) as connection:
                await erasure.enter(connection)
                scope, made = await _lock(connection, scope)
                found = await _reviewed(connection, scope, rules)
                await _write(connection, found, made)
        except Retry as error:
            if not left:
                raise
            await asyncio.sleep(error.after or 0.05)
        else:
            return scope, found
    raise AssertionError("the last try returns or raises")


async def _lock(connection: Connection, scope: Scope) -> tuple[Scope, set[bytes]]:
    """The scope as it is under its locks, and the identifiers that were made for it. Raises Retry.

    Everything made and locked is given back before the next try: whoever waits holds nothing of a later phase.
    """
    for _ in range(_MOST_TRIES):
        savepoint = connection.transaction()
        await savepoint.start()
        made = await _make(connection, scope)
        await storage.hold_shared(connection, scope.opened.keys() | _shared(scope))
        await profiles.lock_groups(connection, scope.groups)
        held, scope = scope, await _scope(connection, scope.groups)
        if scope.groups <= held.groups and scope.opened.keys() <= held.opened.keys():
            await savepoint.commit()
            return scope, made
        await savepoint.rollback()
    raise Retry("the groups of this page keep moving", after=0.05)


async def _make(connection: Connection, scope: Scope) -> set[bytes]:
    """Make the identifiers that lead nowhere yet; gives the ids of those that were made here."""
    home = {
        claim.identifier: row.group
        for row in scope.rows.values()
        for claim in row.known.evidence.claims
        if claim.identifier in scope.opened
    }
    return await profiles.insert_identifiers(
        connection, {one: (*value, home[one]) for one, value in scope.opened.items()}
    )


def _shared(scope: Scope) -> set[bytes]:
    """Identifiers that are shared and will not be."""
    claims = (claim for row in scope.rows.values() for claim in row.known.evidence.claims if claim.state == SHARED)
    return {claim.identifier for claim in claims} - scope.kept


async def _write(connection: Connection, found: Review, made: set[bytes]) -> None:
    changes = found.changes
    if found:
        await profiles.write(connection, changes)
    await profiles.forget(connection, found.blocked | (made - changes.identifiers.keys()), ())
    messages = list(states(changes))
    if messages:
        await outbox.add(connection, messages)
