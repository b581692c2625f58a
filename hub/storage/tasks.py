"""Tasks: what their events come to, and the reminders that are due. Written by the one writer of profiles."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

import msgspec

from hub import clock
from hub.identity.evidence import Fact
from hub.identity.tasks import Parts, Said, Task, folded, standing
from hub.storage.leases import Lease, Leases
from hub.storage.pool import Connection

LEASES = Leases("task", waiting=("armed",), taken="reminding", lost="armed")
MOST_TAKEN = 256
_decode = msgspec.json.Decoder(Parts).decode
_encode = msgspec.json.Encoder(order="sorted").encode


class Reminder(NamedTuple):
    """A reminder that is due; of its profile the id and the line, None where there is nobody (any more).

    `is_late` says that it was long over when the hub first heard of it.
    """

    id: bytes
    record: bytes
    title: str
    assignee: str | None
    team: str | None
    due: datetime
    is_late: bool
    profile: bytes | None
    line: str | None


class Reminded(NamedTuple):
    """A reminder that was told, for which of its times, and to whom."""

    id: bytes
    due: datetime
    to: Sequence[str]


async def write(connection: Connection, facts: Iterable[Fact]) -> None:
    """Fold these events into their tasks; those that are about none are left alone.

    The rows are locked in one order, so two writers of one task come one after the other.
    """
    words: dict[bytes, list[tuple[str, Said]]] = defaultdict(list)
    records: dict[bytes, bytes] = {}
    for fact in facts:
        if fact.remark and (word := fact.remark.task):
            words[word.task].append((word.part, Said(fact.at, fact.id, word.by, word.value)))
            records[word.task] = min(fact.remark.record, records.get(word.task, fact.remark.record))
    if not words:
        return
    ids = sorted(words)
    await connection.execute(
        """
        INSERT INTO task (id, record_id) SELECT * FROM unnest($1::uuid[], $2::uuid[]) u(i, r) ORDER BY i
        ON CONFLICT DO NOTHING
        """,
        ids,
        [records[one] for one in ids],
    )
    rows = await connection.fetch("SELECT id, parts FROM task WHERE id = ANY($1::uuid[]) ORDER BY id FOR UPDATE", ids)
    await _keep(connection, {row[0]: folded(_decode(row[1]), words[row[0]]) for row in rows})


async def _keep(connection: Connection, parts: dict[bytes, Parts]) -> None:
    """Write tasks that the caller holds. A reminder is armed where nobody was told of this time of it yet.

    Whoever was about to tell of it holds it no more.
    """
    whole = {one: standing(known) for one, known in parts.items()}
    await connection.execute(
        """
        UPDATE task t SET parts = u.parts, kind = u.kind, title = u.title, assignee = u.assignee, team = u.team,
               due = u.due, status = u.status, since = u.since, due_at = u.due, lease_until = NULL,
               state = CASE WHEN u.kind = 'reminder' AND u.status IN ('open', 'waiting')
                                 AND u.due IS DISTINCT FROM t.reminded_for THEN 'armed' ELSE 'idle' END
        FROM unnest($1::uuid[], $2::json[], $3::text[], $4::text[], $5::text[], $6::text[], $7::timestamptz[],
                    $8::text[], $9::timestamptz[]) AS u(id, parts, kind, title, assignee, team, due, status, since)
        WHERE t.id = u.id
        """,
        list(parts),
        [_encode(known).decode() for known in parts.values()],
        *_columns(list(whole.values())),
    )


def _columns(tasks: Sequence[Task | None]) -> list[list[object]]:
    """The columns of a task, in the order of the statement above."""
    rows = [
        (one.kind, one.title, one.to, one.team, clock.parse(one.due), one.status, clock.parse(one.since))
        if one
        else (None,) * 7
        for one in tasks
    ]
    return [list(column) for column in zip(*rows, strict=True)]


async def forget(connection: Connection, records: Collection[bytes]) -> None:
    """Nothing is to be done about these records any more, and nothing tells that it was."""
    await connection.execute("DELETE FROM task WHERE record_id = ANY($1::uuid[])", list(records))


async def take(connection: Connection, seconds: float) -> list[Lease]:
    """Reminders that are due, the oldest first; what a dead or paused process held is given back first."""
    await LEASES.expire(connection)
    rows = await connection.fetch(
        "SELECT id FROM task WHERE state = 'armed' AND due_at <= statement_timestamp() ORDER BY due_at, id LIMIT $1",
        MOST_TAKEN,
    )
    return await LEASES.take(connection, [row[0] for row in rows], seconds) if rows else []


async def load(connection: Connection, ids: Collection[bytes], late: float) -> list[Reminder]:
    """Reminders that the caller holds. One that the hub heard of more than `late` seconds after its time is late."""
    rows = await connection.fetch(
        """
        SELECT t.id, t.record_id, t.title, t.assignee, t.team, t.due, t.due < t.heard_at - make_interval(secs => $2),
               p.profile_id, p.line
        FROM task t LEFT JOIN source_record r USING (record_id) LEFT JOIN profile p ON p.profile_id = r.profile_id
        WHERE t.id = ANY($1::uuid[]) ORDER BY t.due, t.id
        """,
        list(ids),
        late,
    )
    return [Reminder(*row) for row in rows]


async def reminded(connection: Connection, told: Sequence[Reminded]) -> None:
    """These were told, and are not told again for the same time. The caller holds them."""
    await connection.execute(
        """
        UPDATE task t SET state = 'idle', lease_until = NULL, reminded_for = u.due,
               reminded_to = string_to_array(u.told, ' ')
        FROM unnest($1::uuid[], $2::timestamptz[], $3::text[]) AS u(id, due, told) WHERE t.id = u.id
        """,
        [one.id for one in told],
        [one.due for one in told],
        [" ".join(one.to) for one in told],
    )


async def next_due(connection: Connection, at_most: float) -> float:
    """In how many seconds the next reminder comes due, `at_most` where that is far off or there is none."""
    seconds: float = await connection.fetchval(
        """
        SELECT greatest(0, least($1, extract(epoch FROM min(due_at) - clock_timestamp())::float))
        FROM task WHERE state = 'armed'
        """,
        at_most,
    )
    return seconds
