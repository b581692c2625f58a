"""Work that is due at a time and must be done by one worker: rows with a lease and a fencing token.

A table under this engine has the columns `id, state, due_at, lease_until, token`. A worker *takes* rows that are due
and works outside any transaction. It then *holds* what it took, in the transaction of the effect: whoever lost its
lease meanwhile (it was paused, or cut off) holds nothing, because every new owner raises the token. All times are the
database's clock; a worker whose clock is wrong changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

from hub.storage.pool import Connection

Table = Literal["delivery", "journey", "mail", "segment_check", "task"]


class Lease(NamedTuple):
    """The right to finish one row: worth something until somebody else is given a higher token."""

    id: bytes
    token: int


class Leases:
    """The engine over one table. `waiting` are the states of rows to be taken, `taken` that of a row at work.

    A row whose owner went silent becomes `lost`, which is one of `waiting`.
    """

    def __init__(self, table: Table, *, waiting: tuple[str, ...], taken: str, lost: str) -> None:
        states = ", ".join(f"'{state}'" for state in waiting)
        # The names put in are those of our own tables and states, never anybody's input. Rows are found by their ids,
        # which a query before them gives as one array: a join of a table with itself may be made the wrong way round,
        # by a plan from when it was empty. Nobody waits who skips what is locked, so that may be in any order. What is
        # due is compared with the statement's begin: no index leads to a clock that goes on meanwhile.
        self._expire = f"""
            UPDATE {table} SET state = '{lost}', due_at = clock_timestamp(), lease_until = NULL, token = token + 1
            WHERE id = ANY(ARRAY(SELECT id FROM {table} WHERE state = '{taken}' AND lease_until < statement_timestamp()
                                 FOR UPDATE SKIP LOCKED))
            RETURNING id
        """  # noqa: S608
        self._take = f"""
            UPDATE {table} SET state = '{taken}', token = token + 1,
                   lease_until = clock_timestamp() + make_interval(secs => $2)
            WHERE id = ANY(ARRAY(SELECT id FROM {table} WHERE id = ANY($1::uuid[]) AND state IN ({states})
                                 AND due_at <= statement_timestamp() FOR UPDATE SKIP LOCKED))
            RETURNING id, token
        """  # noqa: S608
        self._renew = f"""
            UPDATE {table} SET lease_until = clock_timestamp() + make_interval(secs => $3)
            WHERE id = ANY(ARRAY(
                SELECT id FROM {table} JOIN unnest($1::uuid[], $2::bigint[]) AS mine(id, token) USING (id, token)
                WHERE {table}.id = ANY($1::uuid[]) AND state = '{taken}' FOR UPDATE OF {table} SKIP LOCKED))
        """  # noqa: S608
        self._hold = f"""
            SELECT id FROM {table} JOIN unnest($1::uuid[], $2::bigint[]) AS mine(id, token) USING (id, token)
            WHERE {table}.id = ANY($1::uuid[]) AND state = '{taken}' ORDER BY id FOR UPDATE OF {table}
        """  # noqa: S608

    async def expire(self, connection: Connection) -> list[bytes]:
        """Give back the rows of owners that went silent: due at once, their tokens worth nothing."""
        return [row[0] for row in await connection.fetch(self._expire)]

    async def take(self, connection: Connection, ids: Sequence[bytes], seconds: float) -> list[Lease]:
        """Of these rows, those that are due and that nobody else is taking: ours for `seconds`, unless renewed."""
        return [Lease(*row) for row in await connection.fetch(self._take, ids, seconds)]

    async def renew(self, connection: Connection, leases: Sequence[Lease], seconds: float) -> None:
        """Still at work: the leases that are still ours last `seconds` from now."""
        await connection.execute(self._renew, *_columns(leases), seconds)

    async def hold(self, connection: Connection, leases: Sequence[Lease]) -> set[bytes]:
        """Lock the rows that are still ours until the transaction ends. Only these may be finished."""
        return {row[0] for row in await connection.fetch(self._hold, *_columns(leases))}


def _columns(leases: Sequence[Lease]) -> tuple[list[bytes], list[int]]:
    return [lease.id for lease in leases], [lease.token for lease in leases]
