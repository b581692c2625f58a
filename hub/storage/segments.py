"""Who is in which segment: what a look at profiles needs to know, and what it comes to. Set-based, in one transaction.

The caller holds the locks of the profiles (`hub.storage.automation.one_by_one`), and takes them before any row of these
tables: then nobody looks at the same profile meanwhile.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple

from hub.storage.pool import Connection
from schemas.envelope import SEGMENT_CHANGES, SEGMENT_ENTERED

MOST_TOLD = 100
"""Times of activities that are told with a count."""


class Known(NamedTuple):
    """A living profile: its line (JSON), the record that its changes hang on, and when it was last looked at."""

    profile: bytes
    line: str
    record: bytes
    looked_at: datetime | None


class Newest(NamedTuple):
    """What arrived last of a profile, and how many rules led to it."""

    event: bytes
    at: datetime
    received_at: datetime
    hops: int


class Question(NamedTuple):
    """Activities of these types that a profile had later than `since` (None: ever), as they stand at `at`."""

    profile: bytes
    types: tuple[str, ...]
    since: datetime | None
    at: datetime


class Tallied(NamedTuple):
    """How many, the times of the oldest where `since` bounds them, and the first that lies ahead."""

    number: int
    oldest: Sequence[datetime]
    ahead: datetime | None


class Change(NamedTuple):
    """Somebody came into a segment, or left it, as an activity of theirs; `data` is JSON."""

    event: bytes
    profile: bytes
    segment: str
    record: bytes
    type: str
    at: datetime
    received_at: datetime
    data: str


class Looked(NamedTuple):
    """A profile that was looked at: at which moment, and up to which the answer stands by itself."""

    profile: bytes
    at: datetime
    until: datetime | None


async def heirs(connection: Connection, records: Collection[bytes]) -> set[bytes]:
    """The living profiles that these ids lead to now."""
    rows = await connection.fetch(
        """
        SELECT DISTINCT p.profile_id FROM source_record r JOIN profile p ON p.profile_id = r.profile_id
        WHERE r.record_id = ANY($1::uuid[])
        """,
        list(records),
    )
    return {row[0] for row in rows}


async def load(connection: Connection, profiles: Collection[bytes]) -> list[Known]:
    """Those of these profiles that live. A profile's id is that of its founder's record: changes hang on that one."""
    rows = await connection.fetch(
        """
        SELECT p.profile_id, p.line, f.record_id, c.looked_at
        FROM profile p LEFT JOIN segment_check c ON c.id = p.profile_id
        CROSS JOIN LATERAL (
            SELECT record_id FROM source_record WHERE profile_id = p.profile_id
            ORDER BY record_id <> p.profile_id, record_id LIMIT 1
        ) f
        WHERE p.profile_id = ANY($1::uuid[])
        """,
        list(profiles),
    )
    return [Known(*row) for row in rows]


async def newest(connection: Connection, profiles: Collection[bytes]) -> dict[bytes, Newest]:
    """What arrived last of these profiles; that they came into segments, and left them, aside."""
    rows = await connection.fetch(
        """
        SELECT DISTINCT ON (r.profile_id) r.profile_id, a.event_id, a.at, a.received_at,
               CASE WHEN a.source = 'hub' THEN coalesce((a.data->>'hops')::int, 0) ELSE 0 END
        FROM source_record r JOIN activity a USING (record_id)
        WHERE r.profile_id = ANY($1::uuid[]) AND NOT (a.source = 'hub' AND a.type = ANY($2::text[]))
        ORDER BY r.profile_id, a.received_at DESC, a.event_id DESC
        """,
        list(profiles),
        sorted(SEGMENT_CHANGES),
    )
    return {row[0]: Newest(*row[1:]) for row in rows}


async def memberships(connection: Connection, profiles: Collection[bytes]) -> dict[bytes, frozenset[str]]:
    """Profile → the segments that it is in."""
    rows = await connection.fetch(
        "SELECT profile_id, segment FROM segment_member WHERE profile_id = ANY($1::uuid[])", list(profiles)
    )
    found: dict[bytes, set[str]] = defaultdict(set)
    for profile, segment in rows:
        found[profile].add(segment)
    return {profile: frozenset(names) for profile, names in found.items()}


async def tallied(connection: Connection, questions: Sequence[Question]) -> dict[Question, Tallied]:
    """The answers. Spam is nobody's."""
    rows = await connection.fetch(
        """
        SELECT q.n, count(*) FILTER (WHERE a.at <= q.until),
               (array_agg(a.at ORDER BY a.at) FILTER (WHERE a.at <= q.until AND q.since IS NOT NULL))[1:$6],
               min(a.at) FILTER (WHERE a.at > q.until)
        FROM unnest($1::int[], $2::uuid[], $3::text[], $4::timestamptz[], $5::timestamptz[])
             AS q(n, profile, types, since, until)
        JOIN source_record r ON r.profile_id = q.profile
        JOIN activity a ON a.record_id = r.record_id AND (q.since IS NULL OR a.at > q.since)
        WHERE a.type = ANY(string_to_array(q.types, ',')) AND NOT a.spam GROUP BY q.n
        """,
        list(range(len(questions))),
        [one.profile for one in questions],
        [",".join(one.types) for one in questions],
        [one.since for one in questions],
        [one.at for one in questions],
        MOST_TOLD,
    )
    found = {questions[row[0]]: Tallied(row[1], row[2] or (), row[3]) for row in rows}
    return dict.fromkeys(questions, Tallied(0, (), None)) | found


async def merged(connection: Connection, profiles: Collection[bytes]) -> set[bytes]:
    """Bring to these profiles what ids were in that lead to them by now; gives those that something came to.

    An id is absorbed where its founder's record belongs to another profile. So it does not matter who is heard of
    first, and a merge that is told once more moves nothing.
    """
    rows = await connection.fetch(
        """
        SELECT c.id, r.profile_id FROM source_record r JOIN segment_check c ON c.id = r.record_id
        WHERE r.profile_id = ANY($1::uuid[]) AND r.record_id <> r.profile_id
        """,
        list(profiles),
    )
    if not rows:
        return set()
    ends = [row[0] for row in rows], [row[1] for row in rows]
    await connection.execute(
        """
        INSERT INTO segment_member AS m (profile_id, segment, since, event_id)
        SELECT DISTINCT ON (heir, segment) heir, segment, since, event_id
        FROM unnest($1::uuid[], $2::uuid[]) AS u(old, heir) JOIN segment_member ON profile_id = old
        ORDER BY heir, segment, since, event_id
        ON CONFLICT (profile_id, segment) DO UPDATE SET since = least(m.since, excluded.since)
        """,
        *ends,
    )
    await connection.execute(
        """
        INSERT INTO segment_check AS c (id, looked_at)
        SELECT heir, max(looked_at) FROM unnest($1::uuid[], $2::uuid[]) AS u(old, heir) JOIN segment_check ON id = old
        GROUP BY heir ORDER BY heir
        ON CONFLICT (id) DO UPDATE SET looked_at = greatest(c.looked_at, excluded.looked_at)
        """,
        *ends,
    )
    await connection.execute("DELETE FROM segment_member WHERE profile_id = ANY($1::uuid[])", ends[0])
    await connection.execute("DELETE FROM segment_check WHERE id = ANY($1::uuid[])", ends[0])
    return set(ends[1])


async def parted(connection: Connection, profiles: Collection[bytes]) -> set[bytes]:
    """Let those of these profiles that were never looked at be in what they were in as a part of another one.

    Gives all of them that came out of another one.
    """
    rows = await connection.fetch(
        """
        SELECT DISTINCT ON (l.record_id) l.record_id, r.profile_id
        FROM membership_log l JOIN source_record r ON r.record_id = l.from_profile
        WHERE l.record_id = ANY($1::uuid[]) AND l.to_profile = l.record_id
          AND NOT EXISTS (SELECT FROM segment_check c WHERE c.id = l.record_id)
        ORDER BY l.record_id, l.op_id DESC
        """,
        list(profiles),
    )
    rows = [row for row in rows if row[0] != row[1]]
    if rows:
        await connection.execute(
            """
            INSERT INTO segment_member (profile_id, segment, since, event_id)
            SELECT part, segment, since, event_id
            FROM unnest($1::uuid[], $2::uuid[]) AS u(part, whole) JOIN segment_member ON profile_id = whole
            ON CONFLICT DO NOTHING
            """,
            [row[0] for row in rows],
            [row[1] for row in rows],
        )
    return {row[0] for row in rows}


async def write(connection: Connection, looked: Sequence[Looked], changes: Sequence[Change]) -> set[bytes]:
    """What the looks came to; gives the events of the changes that were not told before.

    A worker that has taken one of these profiles loses it.
    """
    await connection.execute(
        """
        INSERT INTO segment_check AS c (id, looked_at, until, due_at)
        SELECT p, l, u, u FROM unnest($1::uuid[], $2::timestamptz[], $3::timestamptz[]) AS x(p, l, u) ORDER BY p
        ON CONFLICT (id) DO UPDATE SET looked_at = excluded.looked_at, until = excluded.until, because = 'time',
               state = 'waiting', due_at = excluded.due_at, lease_until = NULL, token = c.token + 1
        """,
        *(list(column) for column in zip(*looked, strict=True)),
    )
    return await change(connection, changes) if changes else set()


async def change(connection: Connection, changes: Sequence[Change]) -> set[bytes]:
    """Let people in and out; gives the events that were not there before."""
    ins = [one for one in changes if one.type == SEGMENT_ENTERED]
    await connection.execute(
        """
        DELETE FROM segment_member m USING unnest($1::uuid[], $2::text[]) AS u(p, s)
        WHERE m.profile_id = p AND m.segment = s
        """,
        [one.profile for one in changes],
        [one.segment for one in changes],
    )
    await connection.execute(
        """
        INSERT INTO segment_member (profile_id, segment, since, event_id)
        SELECT * FROM unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::uuid[])
        """,
        [one.profile for one in ins],
        [one.segment for one in ins],
        [one.at for one in ins],
        [one.event for one in ins],
    )
    rows = await connection.fetch(
        """
        INSERT INTO activity (event_id, record_id, type, source, at, received_at, spam, trusted, data)
        SELECT e, r, t, 'hub', a, b, false, true, d
        FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::timestamptz[], $5::timestamptz[], $6::json[])
             AS u(e, r, t, a, b, d)
        ON CONFLICT DO NOTHING RETURNING event_id
        """,
        [one.event for one in changes],
        [one.record for one in changes],
        [one.type for one in changes],
        [one.at for one in changes],
        [one.received_at for one in changes],
        [one.data for one in changes],
    )
    return {row[0] for row in rows}


async def forget(connection: Connection, segment: str, profiles: Collection[bytes]) -> None:
    """These are in the segment no more, living or not."""
    await connection.execute(
        "DELETE FROM segment_member WHERE segment = $1 AND profile_id = ANY($2::uuid[])", segment, list(profiles)
    )
