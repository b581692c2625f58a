"""What is to be put on Kafka, written with what it tells of.

A row holds the messages of one shard of one transaction: a thousand messages are eight rows. The shard is a hash of
the profile id, and whoever writes holds the profile's lock, so within a shard the rows of a profile are in order.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from hub.storage.pool import Connection

SHARDS = 8
MOST_BYTES = 8 * 1024 * 1024
_RELAY_LOCK = 4_711_100


class Message(msgspec.Struct, array_like=True, frozen=True):
    """A message: topic without prefix, profile id as key, type and id of the event, its data as JSON (null: gone).

    An event that the hub itself takes in again, on `inbound.hub`, has the time at which it was (text).
    """

    topic: str
    key: str
    type: str
    id: str
    value: msgspec.Raw
    at: str = ""


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(list[Message]).decode


async def add(connection: Connection, messages: Sequence[tuple[bytes, Message]]) -> None:
    """Add messages, each with the profile id (16 bytes) whose lock the transaction holds."""
    shards: list[list[Message]] = [[] for _ in range(SHARDS)]
    for profile, message in messages:
        shards[profile[-1] % SHARDS].append(message)
    rows = [(shard, len(found), _encode(found).decode()) for shard, found in enumerate(shards) if found]
    await connection.execute(
        "INSERT INTO outbox (shard, messages, body) SELECT * FROM unnest($1::smallint[], $2::int[], $3::json[])",
        [row[0] for row in rows],
        [row[1] for row in rows],
        [row[2] for row in rows],
    )


async def claim(connection: Connection, most: int) -> tuple[list[int], list[Message]]:
    """The oldest rows of the shards that no other relay holds, for the length of this transaction.

    Rows and messages are in order within each shard. `most` bounds the rows, not the messages; their size is bounded
    too (the first row always comes), for what heaps up while Kafka is away may be more than one sending bears.
    """
    mine = await connection.fetch(
        "SELECT s FROM generate_series(0, $1::int - 1) s WHERE pg_try_advisory_xact_lock($2::bigint + s)",
        SHARDS,
        _RELAY_LOCK,
    )
    # A statement of its own, so that it sees what the last holder of a shard has taken off before it let go.
    rows = await connection.fetch(
        """
        SELECT seq, body FROM (
            SELECT seq, body, sum(pg_column_size(body)) OVER (ORDER BY seq) - pg_column_size(body) AS before
            FROM (SELECT seq, body FROM outbox WHERE shard = ANY($2::int[]) ORDER BY seq LIMIT $1) oldest
        ) sized
        WHERE before < $3 ORDER BY seq
        """,
        most,
        [row[0] for row in mine],
        MOST_BYTES,
    )
    return [row[0] for row in rows], [message for row in rows for message in _decode(row[1])]


async def done(connection: Connection, rows: Sequence[int]) -> None:
    """These rows are on Kafka, in every copy in sync."""
    await connection.execute("DELETE FROM outbox WHERE seq = ANY($1::bigint[])", list(rows))
