"""Outbox → Kafka: no row lost or skipped, a profile's versions in order, whoever writes and however many relays run."""

from __future__ import annotations

import asyncio
import random
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from typing import Any

import msgspec
import orjson
import pytest
import pytest_asyncio

from hub.cache import LocalHints
from hub.components import Record
from hub.embedded import Addresses
from hub.errors import Retry
from hub.identity.ids import as_text, hash_id
from hub.settings import Kafka
from hub.storage import outbox
from hub.storage.outbox import Message
from hub.storage.pool import Connection, Pool, transaction
from hub.streams.publish import BATCH_BYTES, Publisher, open_publisher
from producers import relay
from tests.support.line import batch_connections, read_all, running, topics, until
from tests.support.posts import pause

pytestmark = pytest.mark.integration
WRITERS, RELAYS = 16, 3
CUSTOMERS = [hash_id("test", str(number)) for number in range(24)]
Told = list[tuple[bytes, Message]]


@pytest_asyncio.fixture
async def pool(database_url: str) -> AsyncIterator[Pool]:
    async with batch_connections(database_url, size=WRITERS + RELAYS + 1) as connections:
        await connections.execute("CREATE TABLE customer (id uuid PRIMARY KEY, version int NOT NULL DEFAULT 0)")
        await connections.executemany("INSERT INTO customer VALUES ($1)", [(one,) for one in CUSTOMERS])
        yield connections


@pytest_asyncio.fixture
async def kafka(servers: Addresses) -> AsyncIterator[Kafka]:
    async with topics(servers.kafka) as made:
        yield made


def state(profile: bytes, version: int, padding: str = "") -> tuple[bytes, Message]:
    """What is told of a profile's new version."""
    value = orjson.dumps({"padding": padding, "version": version})
    return profile, Message(
        "profiles", as_text(profile), "profile.updated", f"{profile.hex()}:{version}", msgspec.Raw(value)
    )


async def put(pool: Pool, told: Told) -> None:
    async with transaction(pool) as connection:
        await outbox.add(connection, told)


async def is_empty(pool: Pool) -> bool:
    return not await pool.fetchval("SELECT EXISTS (SELECT FROM outbox)")


def versions(records: Sequence[Record]) -> dict[str, list[int]]:
    """The versions under each key, as they lie on the topic."""
    found = defaultdict(list)
    for record in records:
        found[(record.key or b"").decode()].append(orjson.loads(record.value or b"")["version"])
    return dict(found)


async def writer(pool: Pool, seed: int, rounds: int) -> None:
    """Raises versions under the customers' locks, holds the transaction for a while, and takes some of them back."""
    chance = random.Random(seed)
    for _ in range(rounds):
        chosen = sorted(chance.sample(CUSTOMERS, chance.randint(1, 4)))
        async with pool.acquire() as connection:
            attempt = connection.transaction()
            await attempt.start()
            told = []
            for one in chosen:
                raised = "UPDATE customer SET version = version + 1 WHERE id = $1 RETURNING version"
                told.append(state(one, await connection.fetchval(raised, one)))
            await outbox.add(connection, told)
            await connection.execute("SELECT pg_sleep($1)", chance.choice((0.0, 0.0, 0.005, 0.02)))
            await (attempt.rollback() if chance.random() < 0.2 else attempt.commit())


async def test_no_row_is_lost_skipped_doubled_or_overtaken_with_many_writers_and_three_relays(
    pool: Pool, kafka: Kafka
) -> None:
    stop = asyncio.Event()

    async def move(publisher: Publisher) -> None:
        while not stop.is_set():
            if not await relay.relay_once(pool, publisher):
                await pause(0)

    async with AsyncExitStack() as stack:
        publishers = [await stack.enter_async_context(open_publisher(kafka, bulk=True)) for _ in range(RELAYS)]
        async with running(*(move(publisher) for publisher in publishers)) as relays:
            await asyncio.gather(*(writer(pool, seed, 30) for seed in range(WRITERS)))
            await until(lambda: is_empty(pool), "the outbox is empty")
            stop.set()
            await asyncio.gather(*relays)
    rows = await pool.fetch("SELECT id, version FROM customer WHERE version > 0")
    last: dict[bytes, int] = {row[0]: row[1] for row in rows}
    told = versions(await read_all(kafka, "profiles"))
    assert told == {as_text(one): list(range(1, version + 1)) for one, version in last.items()}


async def test_a_crash_between_the_acknowledgement_and_the_delete_only_repeats(
    pool: Pool, kafka: Kafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = CUSTOMERS[0]
    for version in (1, 2, 3):
        await put(pool, [state(one, version)])

    async def die(connection: Connection, rows: Sequence[int]) -> None:
        raise Retry("killed")

    async with open_publisher(kafka, bulk=True) as publisher:
        with monkeypatch.context() as patched:
            patched.setattr(outbox, "done", die)
            with pytest.raises(Retry, match="killed"):
                await relay.relay_once(pool, publisher)
        assert not await is_empty(pool)
        assert await relay.relay_once(pool, publisher) == 3
    assert await is_empty(pool)
    assert versions(await read_all(kafka, "profiles")) == {as_text(one): [1, 2, 3, 1, 2, 3]}


async def test_more_than_a_batch_holds_is_split_and_stays_in_order(pool: Pool, kafka: Kafka) -> None:
    one, other = CUSTOMERS[:2]
    letters = random.Random(1)
    padding = "".join(letters.choices("abcdefghijklmnop", k=BATCH_BYTES // 3))
    for version in range(1, 9):
        await put(pool, [state(one, version, padding), state(other, version)])
    async with open_publisher(kafka, bulk=True) as publisher:
        assert await relay.relay_once(pool, publisher) == 16
    assert versions(await read_all(kafka, "profiles")) == {
        as_text(profile): list(range(1, 9)) for profile in (one, other)
    }


async def test_what_is_larger_than_a_batch_goes_all_the_same(pool: Pool, kafka: Kafka) -> None:
    """A form of 10 MiB is accepted at the door: its activity must not stop the relay for everybody."""
    one = CUSTOMERS[0]
    padding = "".join(random.Random(1).choices("0123456789abcdef", k=10 * 1024 * 1024))
    for version, text in enumerate(("", padding, ""), 1):
        await put(pool, [state(one, version, text)])
    async with open_publisher(kafka, bulk=True) as publisher:
        assert sum([await relay.relay_once(pool, publisher) for _ in range(2)]) == 3
    assert await is_empty(pool)
    assert versions(await read_all(kafka, "profiles")) == {as_text(one): [1, 2, 3]}


async def test_a_long_queue_of_large_rows_is_claimed_bit_by_bit(pool: Pool) -> None:
    """What heaps up while the broker is away is more than can be sent within the bound: sent whole, it never goes."""
    padding = "".join(random.Random(1).choices("0123456789abcdef", k=3 * 1024 * 1024))
    for version in range(1, 9):
        await put(pool, [state(CUSTOMERS[0], version, padding)])
    found = []
    while not await is_empty(pool):
        async with transaction(pool) as connection:
            rows, messages = await outbox.claim(connection, 64)
            assert 1 <= sum(len(message.value) for message in messages) // len(padding) <= 3
            found += [orjson.loads(bytes(message.value))["version"] for message in messages]
            await outbox.done(connection, rows)
    assert found == list(range(1, 9))


async def test_a_shard_that_another_relay_holds_is_left_to_it(pool: Pool, kafka: Kafka) -> None:
    await put(pool, [state(one, 1) for one in CUSTOMERS])
    async with open_publisher(kafka, bulk=True) as publisher, transaction(pool) as held:
        rows, messages = await outbox.claim(held, 100)
        assert len(messages) == len(CUSTOMERS)
        assert await relay.relay_once(pool, publisher) == 0
        assert rows
    assert not await is_empty(pool)


async def test_a_tombstone_is_a_record_without_a_value(pool: Pool, kafka: Kafka) -> None:
    one = CUSTOMERS[0]
    await put(pool, [(one, Message("profiles", as_text(one), "profile.erased", "1", msgspec.Raw(b"null")))])
    async with open_publisher(kafka, bulk=True) as publisher:
        await relay.relay_once(pool, publisher)
    (record,) = await read_all(kafka, "profiles")
    assert (record.key, record.value) == (as_text(one).encode(), None)


async def test_the_headers_say_what_it_is(pool: Pool, kafka: Kafka) -> None:
    one = CUSTOMERS[0]
    await put(pool, [state(one, 1)])
    async with open_publisher(kafka, bulk=True) as publisher:
        await relay.relay_once(pool, publisher)
    (record,) = await read_all(kafka, "profiles")
    headers: dict[str, Any] = dict(record.headers)
    assert headers["ce_type"] == b"profile.updated"
    assert headers["ce_id"] == f"{one.hex()}:1".encode()


async def test_a_hint_wakes_the_relay_and_stop_ends_it(
    pool: Pool, kafka: Kafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay, "POLL_SECONDS", 60.0)
    hints, stop = LocalHints(), asyncio.Event()
    async with running(relay.run(pool, kafka, hints, stop)) as (task,):
        await until(lambda: hints._events, "the relay waits for a hint")
        await put(pool, [state(CUSTOMERS[0], 1)])
        hints.wake("outbox")
        await until(lambda: is_empty(pool), "the outbox is empty", within=10)
        stop.set()
        hints.wake("outbox")
        await asyncio.wait_for(task, 10)
