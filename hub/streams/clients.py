"""The one place that builds Kafka clients, with the settings that lose nothing (measured on Kafka 4.3).

The defaults of aiokafka acknowledge too early (`acks=1`), skip what was there before the first fetch
(`auto_offset_reset=latest`) and commit by themselves; `tests/contract` holds a test for each trap.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager, suppress
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from hub.errors import Retry
from hub.settings import Kafka

START_SECONDS, LAST_SECONDS = 10.0, 1.0
JOIN_SECONDS = 75.0
"""A consumer's start waits for its group, and the group for members that were killed: at most its rebalance timeout."""
FETCH_BYTES = 16 * 1024 * 1024


def servers(kafka: Kafka) -> list[str]:
    """A list, never a comma string: some clients take such a string for one address."""
    return list(kafka.servers)


def consumer(
    kafka: Kafka, group: str | None, *, session_seconds: float = 30.0, instance: str | None = None
) -> AIOKafkaConsumer:
    """A consumer that commits only what it is told to and begins at the earliest record.

    `instance` is a name that no other living member of the group has. Who comes back under it takes its old place at
    once; without one the group first waits for a killed member's session to end.
    Heartbeats are frequent because a rebalance begins when the members notice it at one.
    """
    return AIOKafkaConsumer(
        bootstrap_servers=servers(kafka),
        group_id=group,
        group_instance_id=instance,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        fetch_max_wait_ms=100,
        max_partition_fetch_bytes=1024 * 1024,
        heartbeat_interval_ms=500,
        session_timeout_ms=int(session_seconds * 1000),
        rebalance_timeout_ms=60_000,
        max_poll_interval_ms=300_000,
        metadata_max_age_ms=10_000,
        request_timeout_ms=40_000,
    )


def producer(kafka: Kafka, *, linger_ms: int = 0, batch_bytes: int = 131_072) -> AIOKafkaProducer:
    """A producer that writes each record once and waits for every copy in sync.

    An idempotent producer never times out by itself: whoever waits for it sets a bound of its own.
    """
    return AIOKafkaProducer(
        bootstrap_servers=servers(kafka),
        acks="all",
        enable_idempotence=True,
        linger_ms=linger_ms,
        max_batch_size=batch_bytes,
        max_request_size=FETCH_BYTES,
        request_timeout_ms=8_000,
        metadata_max_age_ms=30_000,
        compression_type="zstd" if linger_ms else None,
    )


@asynccontextmanager
async def started(
    client: AIOKafkaConsumer | AIOKafkaProducer | AIOKafkaAdminClient,
    within: float = START_SECONDS,
    stop: asyncio.Event | None = None,
) -> AsyncIterator[None]:
    """The client, started within a bound and stopped at the end.

    Raises Retry where no broker answers, and where `stop` is set before it has started.
    """
    try:
        await asyncio.wait_for(_start(client, stop), within)
    except asyncio.CancelledError:
        await _stop(client)
        raise
    except Retry:
        await _stop(client)
        raise
    except (KafkaError, TimeoutError, OSError) as error:
        await _stop(client)
        raise Retry(f"Kafka does not answer: {str(error) or type(error).__name__}") from error
    try:
        yield
    finally:
        await _stop(client)


async def _start(client: AIOKafkaConsumer | AIOKafkaProducer | AIOKafkaAdminClient, stop: asyncio.Event | None) -> None:
    """To join a group may take its rebalance timeout; whoever is to stop does not wait for that."""
    loop = asyncio.get_running_loop()
    starting, stopping = loop.create_task(client.start()), loop.create_task((stop or asyncio.Event()).wait())
    try:
        await asyncio.wait({starting, stopping}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        is_stopped = not starting.done()
        await _cancelled({starting, stopping})
    if is_stopped:
        raise Retry("it was told to stop before it had started")
    starting.result()


async def _stop(client: AIOKafkaConsumer | AIOKafkaProducer | AIOKafkaAdminClient) -> None:
    try:
        if isinstance(client, AIOKafkaProducer):
            await asyncio.wait_for(client.flush(), START_SECONDS)
        stop = client.close() if isinstance(client, AIOKafkaAdminClient) else client.stop()
        await asyncio.wait_for(stop, START_SECONDS)
    except (KafkaError, TimeoutError, OSError, AttributeError):
        await _silence(client)  # a client that never started, or whose broker is gone


async def _silence(client: AIOKafkaConsumer | AIOKafkaProducer | AIOKafkaAdminClient) -> None:
    """See to it that a client which could not be stopped in order says nothing any more.

    A producer keeps what it could not send: hours later it would write old records behind newer ones.
    """
    client._closed = True  # noqa: SLF001 - aiokafka has no other way to end a client that waits for its broker
    tasks = _tasks_of(client)
    connections = client.client if isinstance(client, AIOKafkaProducer) else client._client  # noqa: SLF001
    await _cancelled(tasks)
    with suppress(KafkaError, TimeoutError, OSError, AttributeError):
        await asyncio.wait_for(connections.close(), LAST_SECONDS)
    await _cancelled(tasks)  # the first time they may have waited for what was on its way


def _tasks_of(client: AIOKafkaConsumer | AIOKafkaProducer | AIOKafkaAdminClient) -> set[asyncio.Task[None]]:
    """What a client does in the background, as far as it has begun."""
    holders = {
        "_sender": ("sender_task",),
        "_fetcher": ("_fetch_task", "_pending_tasks"),
        "_coordinator": ("_coordination_task", "_heartbeat_task", "_commit_refresh_task"),
    }
    found: set[asyncio.Task[None]] = set()
    for holder, names in holders.items():
        for name in names:
            task = getattr(getattr(client, holder, None), name, None)
            found |= set(task) if isinstance(task, set) else {task} if task else set()
    return found


async def _cancelled(tasks: Collection[asyncio.Future[Any]]) -> None:
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks, timeout=LAST_SECONDS)


def admin(kafka: Kafka) -> AIOKafkaAdminClient:
    """An admin client; see `hub.streams.topics` for what its calls do not raise."""
    return AIOKafkaAdminClient(bootstrap_servers=servers(kafka), request_timeout_ms=15_000)
