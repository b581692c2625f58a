"""Mails on their way: what is due, and what came of it. Written in the transaction of what they follow from."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Literal, NamedTuple

import orjson

from hub.storage.leases import Lease, Leases
from hub.storage.pool import Connection

LEASES = Leases("mail", waiting=("pending", "retry"), taken="sending", lost="retry")


class Mail(NamedTuple):
    """A mail as it will be sent, always with the same bytes. `record` is whom it is about (None: a team of ours).

    `audience` is who reads it; None: a row from before that was written down.
    """

    id: bytes
    recipient: str
    subject: str
    body: str
    record: bytes | None = None
    headers: Mapping[str, str] = {}
    audience: Literal["customer", "ours"] | None = None


class Taken(NamedTuple):
    """A mail that is ours to send, the tries before it, and since how many seconds they fail."""

    lease: Lease
    mail: Mail
    created_at: datetime
    attempts: int
    step: int
    failing: float


class Tried(NamedTuple):
    """What came of a try: the next state, and for `retry` the seconds until the next one."""

    lease: Lease
    state: str
    delay: float
    step: int
    answer: str


async def put(connection: Connection, mails: Sequence[Mail]) -> None:
    """Write mails down; one that is there already (the same id) is left as it is."""
    await connection.execute(
        """
        INSERT INTO mail (id, recipient, subject, body, record_id, headers, audience, state)
        SELECT *, 'pending'
        FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::uuid[], $6::json[], $7::text[])
        ON CONFLICT DO NOTHING
        """,
        [mail.id for mail in mails],
        [mail.recipient for mail in mails],
        [mail.subject for mail in mails],
        [mail.body for mail in mails],
        [mail.record for mail in mails],
        [orjson.dumps(dict(mail.headers)).decode() for mail in mails],
        [mail.audience for mail in mails],
    )


async def written_to(
    connection: Connection, records: Collection[bytes], seconds: float
) -> dict[bytes, tuple[bytes, int]]:
    """Record → the profile of it now, and how many mails to the customer that one got (or will get: a mail that was
    given up on is none) in so many seconds. A record that is gone is left out.
    """
    rows = await connection.fetch(
        """
        SELECT own.record_id, own.profile_id, count(m.id)
        FROM source_record own JOIN source_record r ON r.profile_id = own.profile_id
        LEFT JOIN mail m ON m.record_id = r.record_id AND m.audience = 'customer' AND m.state <> 'dead'
                        AND m.created_at > statement_timestamp() - make_interval(secs => $2)
        WHERE own.record_id = ANY($1::uuid[]) GROUP BY own.record_id, own.profile_id
        """,
        list(records),
        seconds,
    )
    return {record: (profile, number) for record, profile, number in rows}


async def unsubscribed(connection: Connection, records: Collection[bytes]) -> set[bytes]:
    """Of these records of the hub's own those that said that a consent is taken back; they never say another thing."""
    rows = await connection.fetch(
        "SELECT DISTINCT record_id FROM activity WHERE record_id = ANY($1::uuid[]) AND type = 'consent.withdrawn'",
        list(records),
    )
    return {row[0] for row in rows}


async def take(connection: Connection, most: int, seconds: float) -> list[Taken]:
    """Up to `most` of what is due, the longest due first; what a dead or paused process held is given back first."""
    await LEASES.expire(connection)
    due = await connection.fetch(
        """
        SELECT id FROM mail WHERE state IN ('pending', 'retry') AND due_at <= statement_timestamp()
        ORDER BY due_at LIMIT $1
        """,
        most,
    )
    leases = {lease.id: lease for lease in await LEASES.take(connection, [row[0] for row in due], seconds)}
    rows = await connection.fetch(
        """
        SELECT id, recipient, subject, body, record_id, headers, created_at, attempts, step,
               coalesce(extract(epoch FROM clock_timestamp() - failing_since), 0)::float
        FROM mail WHERE id = ANY($1::uuid[]) ORDER BY created_at, id
        """,
        list(leases),
    )
    return [
        Taken(leases[key], Mail(key, to, subject, body, record, orjson.loads(headers)), made, attempts, step, failing)
        for key, to, subject, body, record, headers, made, attempts, step, failing in rows
    ]


async def finish(connection: Connection, tried: Sequence[Tried]) -> set[bytes]:
    """Write down what came of tries; gives those whose lease was still ours, the others are somebody else's by now."""
    held = await LEASES.hold(connection, [one.lease for one in tried])
    ours = [one for one in tried if one.lease.id in held]
    await connection.execute(
        """
        UPDATE mail m SET state = v.state, attempts = attempts + 1, step = v.step, answer = v.answer,
               lease_until = NULL, due_at = clock_timestamp() + make_interval(secs => v.delay),
               failing_since = CASE WHEN v.state = 'sent' THEN NULL ELSE coalesce(failing_since, clock_timestamp()) END,
               ended_at = CASE WHEN v.state = 'retry' THEN NULL ELSE clock_timestamp() END
        FROM unnest($1::uuid[], $2::text[], $3::float[], $4::int[], $5::text[]) AS v(id, state, delay, step, answer)
        WHERE m.id = v.id
        """,
        [one.lease.id for one in ours],
        [one.state for one in ours],
        [one.delay for one in ours],
        [one.step for one in ours],
        [one.answer for one in ours],
    )
    return held


async def next_due(connection: Connection, at_most: float) -> float:
    """In how many seconds the next mail comes due; `at_most` where that is far off or there is none."""
    seconds: float = await connection.fetchval(
        """
        SELECT greatest(0, least($1, extract(epoch FROM min(due_at) - clock_timestamp())::float))
        FROM mail WHERE state IN ('pending', 'retry')
        """,
        at_most,
    )
    return seconds
