"""The publishing half: only producers may use it. What it returned for is on the log, in every copy in sync."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from zlib import crc32

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, MessageSizeTooLargeError

from hub.errors import Reject, Retry, TooLarge
from hub.settings import Kafka
from hub.streams.clients import producer, started

BATCH_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Message:
    """A record to be written; `value` None is a tombstone."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]] = ()


class Publisher:
    """Writes messages and returns when they are durable."""

    def __init__(self, client: AIOKafkaProducer, prefix: str) -> None:
        self._client = client
        self._prefix = prefix

    async def send(self, messages: Sequence[Message], *, within: float) -> None:
        """Write each message; return when all are safe.

        `within` is a bound in seconds. Raises Retry when it passes: a record may have been written all the same, which
        the event id makes harmless. Raises TooLarge, or Reject for a record without key on a compacted topic.
        """
        try:
            async with asyncio.timeout(within):
                waiting = [await self._hand_over(message) for message in messages]
                for one in waiting:
                    await one
        except MessageSizeTooLargeError as error:
            raise TooLarge(f"the broker takes no record of this size: {error}") from error
        except (KafkaError, TimeoutError, OSError) as error:
            raise Retry(f"Kafka did not acknowledge: {str(error) or type(error).__name__}", after=2) from error

    async def _hand_over(self, message: Message) -> asyncio.Future[object]:
        _key_of(message)
        sent: asyncio.Future[object] = await self._client.send(
            self._prefix + message.topic, key=message.key, value=message.value, headers=list(message.headers)
        )
        return sent

    async def send_bulk(self, messages: Sequence[Message], *, within: float) -> None:
        """As `send`, for thousands at once: one batch per partition, order kept per key, split where it is too long."""
        partitions: dict[tuple[str, int], list[Message]] = defaultdict(list)
        try:
            async with asyncio.timeout(within):
                counts = {topic: await self.partitions(topic) for topic in {message.topic for message in messages}}
                for message in messages:
                    partition = partition_of(_key_of(message), counts[message.topic])
                    partitions[message.topic, partition].append(message)
                await asyncio.gather(*(self._fill(self._prefix + t, p, rows) for (t, p), rows in partitions.items()))
        except (KafkaError, TimeoutError, OSError) as error:
            raise Retry(f"Kafka did not acknowledge: {str(error) or type(error).__name__}", after=1) from error

    async def send_together(self, messages: Sequence[Message], *, partition: int, within: float) -> None:
        """As `send`, for messages of one topic as one batch of this partition: a tenth of the work for each."""
        try:
            async with asyncio.timeout(within):
                await self._fill(self._prefix + messages[0].topic, partition, messages)
        except (KafkaError, TimeoutError, OSError) as error:
            raise Retry(f"Kafka did not acknowledge: {str(error) or type(error).__name__}", after=2) from error

    async def partitions(self, topic: str) -> int:
        """How many partitions a topic has. Waits for a topic that is not there: set a bound."""
        return len(await self._client.partitions_for(self._prefix + topic))

    async def _fill(self, topic: str, partition: int, messages: Sequence[Message]) -> None:
        waiting = []
        batch = self._client.create_batch()
        for message in messages:
            row = {"key": message.key, "value": message.value, "timestamp": None, "headers": list(message.headers)}
            if batch.append(**row) is None:
                waiting.append(await self._client.send_batch(batch, topic, partition=partition))
                batch = self._client.create_batch()
                if batch.append(**row) is None:
                    raise TooLarge("a record larger than the producer's batch")
        waiting.append(await self._client.send_batch(batch, topic, partition=partition))
        for one in waiting:
            await one


def _key_of(message: Message) -> bytes:
    """The key that places a record. Raises Reject where a compacted topic needs one: the broker would not say why."""
    if message.key is None and message.topic == "profiles":
        raise Reject("a record of the compacted topic `profiles` needs a key", "key")
    return message.key or b""


def partition_of(key: bytes, count: int) -> int:
    """The partition of a key: CRC-32 modulo the partitions, as librdkafka does. Murmur2 in Python costs 20 times it."""
    return crc32(key) % count


@asynccontextmanager
async def open_publisher(kafka: Kafka, *, bulk: bool = False) -> AsyncIterator[Publisher]:
    """A publisher for single events, or for the relay (`bulk`). Raises Retry where no broker answers."""
    client = producer(kafka, linger_ms=5, batch_bytes=BATCH_BYTES) if bulk else producer(kafka)
    async with started(client):
        yield Publisher(client, kafka.prefix)
