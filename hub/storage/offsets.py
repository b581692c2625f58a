"""How far each consumer group is, beside what it wrote, and the records it gave up on: the batch loop's store."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import AbstractAsyncContextManager

import orjson

from hub.clock import from_milliseconds
from hub.components import Letter, Positions
from hub.errors import Retry
from hub.storage.pool import Connection, Pool, reading, transaction

Place = tuple[str, int]
"""(topic with Kafka's prefix, partition)"""


async def reached(connection: Connection, group: str, topics: Collection[str]) -> dict[Place, int]:
    """Where another consumer group is on these topics; names with Kafka's prefix."""
    rows = await connection.fetch(
        "SELECT topic, part, next_offset FROM stored_offset WHERE grp = $1 AND topic = ANY($2::text[])",
        group,
        list(topics),
    )
    return {(row[0], row[1]): row[2] for row in rows}


class PostgresStore:
    """A `hub.components.BatchStore` on PostgreSQL. `cluster` is the Kafka cluster that the offsets belong to."""

    def __init__(self, pool: Pool, cluster: str | None = None) -> None:
        self._pool = pool
        self._cluster = cluster
        self._there: set[tuple[str, str, int]] = set()

    async def positions(self, group: str, partitions: Sequence[tuple[str, int]]) -> Positions:
        """The stored positions. Offsets of another cluster say nothing about this one's log: they begin again."""
        async with reading(self._pool) as connection:
            await connection.execute(
                """
                UPDATE stored_offset s SET next_offset = 0, cluster = $4
                FROM unnest($2::text[], $3::int[]) u(topic, part)
                WHERE s.grp = $1 AND s.topic = u.topic AND s.part = u.part AND s.cluster <> $4
                """,
                group,
                *_columns(partitions),
                self._cluster,
            )
            rows = await connection.fetch(
                """
                SELECT s.topic, s.part, s.next_offset FROM stored_offset s
                JOIN unnest($2::text[], $3::int[]) u(topic, part) USING (topic, part)
                WHERE s.grp = $1
                """,
                group,
                *_columns(partitions),
            )
        return {(row[0], row[1]): row[2] for row in rows}

    def begin(self) -> AbstractAsyncContextManager[Connection]:
        """A transaction of the pool."""
        return transaction(self._pool)

    async def fence(self, transaction: Connection, group: str, partitions: Sequence[tuple[str, int]]) -> Positions:
        """Lock these partitions' rows in order, so that a zombie waits, and then sees that its records are done.

        Rows of which nothing is known are made before any is locked: whoever waits for their maker holds no other.
        """
        places = sorted(partitions)
        new = [place for place in places if (group, *place) not in self._there]
        made = await self._make(transaction, group, new) if new else set()
        rows = await transaction.fetch(
            """
            SELECT s.topic, s.part, s.next_offset FROM stored_offset s
            JOIN unnest($2::text[], $3::int[]) u(topic, part) USING (topic, part)
            WHERE s.grp = $1 ORDER BY s.topic, s.part FOR UPDATE OF s
            """,
            group,
            *_columns(places),
        )
        if len(rows) < len(places):
            self._there.clear()
            raise Retry("stored offsets were there and are gone", after=0.0)
        stored = {(row[0], row[1]): row[2] for row in rows}
        self._there |= {(group, *place) for place in stored.keys() - made}
        return stored

    async def _make(
        self, transaction: Connection, group: str, places: Sequence[tuple[str, int]]
    ) -> set[tuple[str, int]]:
        """Rows at 0 where there are none; gives those that were made here, and are there for others once committed."""
        rows = await transaction.fetch(
            """
            INSERT INTO stored_offset (grp, topic, part, next_offset, cluster)
            SELECT $1, u.topic, u.part, 0, $4 FROM unnest($2::text[], $3::int[]) u(topic, part)
            ORDER BY 2, 3 ON CONFLICT DO NOTHING RETURNING topic, part
            """,
            group,
            *_columns(places),
            self._cluster,
        )
        return {(row[0], row[1]) for row in rows}

    async def advance(self, transaction: Connection, group: str, positions: Positions) -> None:
        """Store the next offsets; the rows are locked by `fence`, and never go back."""
        await transaction.execute(
            """
            UPDATE stored_offset s SET next_offset = u.next_offset
            FROM unnest($2::text[], $3::int[], $4::bigint[]) u(topic, part, next_offset)
            WHERE s.grp = $1 AND s.topic = u.topic AND s.part = u.part AND s.next_offset < u.next_offset
            """,
            group,
            *_columns(list(positions)),
            list(positions.values()),
        )

    async def dead_letter(self, transaction: Connection, group: str, letters: Sequence[Letter]) -> None:
        """Keep the letters. The same event (else the same place) again counts a failure more and is open again.

        In one order: two consumers may hold the same events.
        """
        letters = sorted(letters, key=lambda letter: letter.event_id or b"")
        await transaction.executemany(
            """
            INSERT INTO dead_letter AS d (grp, topic, part, next_offset, at, key, headers, body, event_id, source,
                                          stage, error, reason, field)
            VALUES ($1, $2, $3, $4, $5::text::timestamptz, $6, $7, $8, $9, $10, $11, $12, $13, $14)
            ON CONFLICT (grp, event_id) WHERE event_id IS NOT NULL
            DO UPDATE SET failures = d.failures + 1, error = excluded.error,
                          reason = CASE WHEN d.reason = 'erased' THEN d.reason ELSE excluded.reason END,
                          state = CASE WHEN d.state = 'replaying' THEN 'open' ELSE d.state END
            """,
            [_letter(group, letter) for letter in letters if letter.event_id],
        )
        await transaction.executemany(
            """
            INSERT INTO dead_letter (grp, topic, part, next_offset, at, key, headers, body, event_id, source,
                                     stage, error, reason, field)
            VALUES ($1, $2, $3, $4, $5::text::timestamptz, $6, $7, $8, $9, $10, $11, $12, $13, $14)
            ON CONFLICT DO NOTHING
            """,
            [_letter(group, letter) for letter in letters if not letter.event_id],
        )


def _columns(partitions: Sequence[tuple[str, int]]) -> tuple[list[str], list[int]]:
    return [topic for topic, _ in partitions], [part for _, part in partitions]


def _letter(group: str, letter: Letter) -> tuple[object, ...]:
    record = letter.record
    headers = [[name, (value or b"").decode("latin-1")] for name, value in record.headers]  # other clients write null
    return (
        group,
        record.topic,
        record.partition,
        record.offset + 1,
        from_milliseconds(record.timestamp),
        record.key,
        orjson.dumps(headers).decode(),
        record.value,
        letter.event_id,
        _plain(letter.source),
        letter.stage,
        letter.error,
        _plain(letter.reason),
        _plain(letter.field),
    )


def _plain(text: str | None) -> str | None:
    """Text that PostgreSQL takes: no NUL, no half of a pair."""
    return text and text.replace("\x00", "�").encode("utf-8", "replace").decode("utf-8")
