"""The copy floor: consume, COPY into a plain table, nothing else. What the machine gives at the most.

One lane in a process of its own; while one batch is copied, the next one is read.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from time import perf_counter
from typing import Any

import orjson
import uvloop
from aiokafka import AIOKafkaConsumer, TopicPartition

from bench.children import say_ready_and_wait
from hub.components import Record
from hub.settings import load
from hub.storage.pool import Pool, open_pool, transaction
from hub.streams.clients import consumer, started

TABLES = ("CREATE TABLE copied (event_id uuid, topic text, part int, place bigint, value bytea)",)
TOPIC = "inbound.forms"
BATCH = 5000
AT_ONCE = 2


async def main() -> None:
    """Read everything that is there, copy it, and say how many records took how many seconds."""
    settings = load()
    pool = await open_pool(settings.postgres.url or "", AT_ONCE, name="copy floor")
    client = consumer(settings.kafka, None)
    async with started(client):
        parts = [TopicPartition(settings.kafka.prefix + TOPIC, part) for part in range(settings.kafka.partitions)]
        total = sum((await client.end_offsets(parts)).values())
        await say_ready_and_wait()
        client.assign(parts)
        await client.seek_to_beginning(*parts)
        print(orjson.dumps(await _copy_all(client, pool, total)).decode(), flush=True)
    await pool.close()


async def _copy_all(client: AIOKafkaConsumer, pool: Pool, total: int) -> tuple[int, float]:
    """The clock starts with the first commit, as for every contender."""
    seen, room, commits = 0, asyncio.Semaphore(AT_ONCE), list[tuple[float, int]]()
    async with asyncio.TaskGroup() as copies:
        while seen < total:
            found = await client.getmany(timeout_ms=1000, max_records=BATCH)
            records = [record for batch in found.values() for record in batch]
            seen += len(records)
            await room.acquire()
            copies.create_task(_copy(pool, records, room, commits))
    (began, first), (ended, _) = commits[0], commits[-1]
    return total - first, ended - began


async def _copy(
    pool: Pool, records: Sequence[Record], room: asyncio.Semaphore, commits: list[tuple[float, int]]
) -> None:
    try:
        async with transaction(pool) as connection:
            await connection.copy_records_to_table("copied", records=_rows(records))
        commits.append((perf_counter(), len(records)))
    finally:
        room.release()


def _rows(records: Sequence[Record]) -> Iterator[tuple[Any, ...]]:
    for one in records:
        written = next(value for name, value in one.headers if name == "ce_id")
        event = bytes.fromhex(written.decode().replace("-", ""))
        yield event, one.topic, one.partition, one.offset, one.value


if __name__ == "__main__":
    uvloop.run(main())
