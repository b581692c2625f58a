"""The relational floor: what a good team would write without identity rules. Nothing in it is slow on purpose.

Two lanes with half of the partitions each: consume, decode, one set-based insert of activities with a unique id, one
upsert of profiles by e-mail that makes the outbox rows as well, stored offsets, all in one transaction. A relay in a
process of its own puts the rows on Kafka and deletes them once they are acknowledged.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterable, Sequence
from operator import attrgetter
from typing import NamedTuple

import msgspec
import uvloop
from aiokafka import TopicPartition

from bench.children import say_ready_and_wait
from hub.components import Record
from hub.settings import Kafka, load
from hub.storage.pool import Connection, Pool, open_pool, transaction
from hub.streams.clients import consumer, started
from hub.streams.publish import Message, open_publisher

LANES = 2
BATCH = 1000
RELAY_BATCH = 2000
TOPIC = "inbound.forms"
OUT = "profiles"
TABLES = (
    """
    CREATE TABLE activity (
        event_id uuid PRIMARY KEY, email text NOT NULL, type text NOT NULL, source text NOT NULL,
        received_at timestamptz NOT NULL, data json NOT NULL
    )
    """,
    """
    CREATE TABLE profile (
        email text PRIMARY KEY, name text, phone text, activities int NOT NULL, version bigint NOT NULL
    ) WITH (fillfactor = 70)
    """,
    """
    CREATE TABLE outbox (seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, key text NOT NULL, body json NOT NULL)
        WITH (autovacuum_vacuum_scale_factor = 0.02)
    """,
    "CREATE TABLE stored_offset (part int PRIMARY KEY, next_offset bigint NOT NULL) WITH (fillfactor = 50)",
)
_INSERT = """
    INSERT INTO activity SELECT i, e, t, s, r::timestamptz, d
    FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::json[]) u(i, e, t, s, r, d)
    ON CONFLICT DO NOTHING RETURNING event_id
"""
_UPSERT = """
    WITH told AS (
        INSERT INTO profile AS p (email, name, phone, activities, version)
        SELECT e, n, t, a, 1 FROM unnest($1::text[], $2::text[], $3::text[], $4::int[]) u(e, n, t, a)
        ON CONFLICT (email) DO UPDATE SET name = excluded.name, phone = coalesce(excluded.phone, p.phone),
            activities = p.activities + excluded.activities, version = p.version + 1
        RETURNING *
    )
    INSERT INTO outbox (key, body) SELECT email, row_to_json(told) FROM told
"""
_ADVANCE = """
    INSERT INTO stored_offset AS s SELECT * FROM unnest($1::int[], $2::bigint[])
    ON CONFLICT (part) DO UPDATE SET next_offset = greatest(s.next_offset, excluded.next_offset)
"""
_PLACES = "SELECT part, next_offset FROM stored_offset"
_OLDEST = "SELECT seq, key, body FROM outbox ORDER BY seq LIMIT $1 FOR UPDATE SKIP LOCKED"


class Form(msgspec.Struct):
    """What the floor reads of a form."""

    email: str
    name: str | None = None
    phone: str | None = None


class Post(NamedTuple):
    """An event as it is written down."""

    event: bytes
    email: str
    type: str
    source: str
    received_at: str
    data: str
    form: Form


_form = msgspec.json.Decoder(Form).decode


def read(record: Record) -> Post:
    """One record, decoded."""
    words = dict(record.headers)
    value = record.value or b""
    form = _form(value)
    return Post(
        bytes.fromhex(words["ce_id"].decode().replace("-", "")),
        form.email.strip().lower(),
        words["ce_type"].decode(),
        words["ce_source"].decode(),
        words["ce_receivedtime"].decode(),
        value.decode(),
        form,
    )


async def lane(pool: Pool, kafka: Kafka, number: int) -> None:
    """Consume this lane's partitions for ever, from where it is written that they have come to."""
    async with transaction(pool) as connection:
        known = {row["part"]: row["next_offset"] for row in await connection.fetch(_PLACES)}
    client = consumer(kafka, None)
    async with started(client):
        parts = [TopicPartition(kafka.prefix + TOPIC, part) for part in range(number, kafka.partitions, LANES)]
        client.assign(parts)
        for place in parts:
            client.seek(place, known.get(place.partition, 0))
        while True:
            found = await client.getmany(timeout_ms=100, max_records=BATCH)
            if found:
                posts = [read(record) for records in found.values() for record in records]
                places = {place.partition: records[-1].offset + 1 for place, records in found.items()}
                async with transaction(pool) as connection:
                    await write(connection, posts, places)


async def write(connection: Connection, posts: Iterable[Post], places: dict[int, int]) -> None:
    """A batch: activities, profiles with their outbox rows, offsets."""
    ordered = sorted({post.event: post for post in posts}.values(), key=attrgetter("event"))
    columns = list(zip(*(post[:6] for post in ordered), strict=True))
    new = {row[0] for row in await connection.fetch(_INSERT, *columns)}
    people: dict[str, tuple[str | None, str | None, int]] = {}
    for post in sorted((post for post in ordered if post.event in new), key=attrgetter("email", "received_at")):
        _, phone, before = people.get(post.email, (None, None, 0))
        people[post.email] = (post.form.name, post.form.phone or phone, before + 1)
    if people:
        await connection.execute(_UPSERT, list(people), *zip(*people.values(), strict=True))
    await connection.execute(_ADVANCE, list(places), list(places.values()))


async def relay(pool: Pool, kafka: Kafka) -> None:
    """Outbox to Kafka, for ever."""
    async with open_publisher(kafka, bulk=True) as publisher:
        while True:
            async with transaction(pool) as connection:
                rows = await connection.fetch(_OLDEST, RELAY_BATCH)
                if rows:
                    await publisher.send_bulk([_message(key, body) for _, key, body in rows], within=30)
                    await connection.execute(
                        "DELETE FROM outbox WHERE seq = ANY($1::bigint[])", [row[0] for row in rows]
                    )
            if not rows:
                await asyncio.sleep(0.01)


def _message(key: str, body: str) -> Message:
    return Message(OUT, key.encode(), body.encode(), (("ce_type", b"profile.updated"),))


async def main(parts: Sequence[str]) -> None:
    """The lanes and the relay that are named, from `go` until the input ends."""
    settings = load()
    pool = await open_pool(settings.postgres.url or "", 4, name="relational floor", point_lookups=True)
    lines = await say_ready_and_wait()
    async with asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(_part(name, pool, settings.kafka)) for name in parts]
        await lines.read()
        for one in running:
            one.cancel()
    pool.terminate()


async def _part(name: str, pool: Pool, kafka: Kafka) -> None:
    await (relay(pool, kafka) if name == "relay" else lane(pool, kafka, int(name)))


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1:]))
