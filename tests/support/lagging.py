"""Groups that lag on purpose: records with a known age, positions where a test wants them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from uuid import uuid4

from aiokafka import AIOKafkaConsumer, TopicPartition

from hub import clock
from hub.settings import Kafka
from hub.streams.clients import consumer, producer, started
from hub.streams.lag import Watched
from hub.streams.topics import create_topics
from schemas.topics import Topic

PARTITIONS = 2


class Lagging:
    """A topic of its own on a real broker, and groups that read it."""

    def __init__(self, servers: tuple[str, ...]) -> None:
        self.kafka = Kafka(servers=servers, prefix=f"lag-{uuid4().hex[:8]}.", partitions=PARTITIONS)
        self.topic = f"{self.kafka.prefix}records"

    async def make(self, *, retention_ms: int = 3_600_000, compacted: bool = False, name: str = "records") -> None:
        """The topic, with the producer's own time on its records."""
        topic = Topic(name, "of a test", "any", retention_ms, compacted=compacted, log_append_time=False)
        await create_topics(self.kafka, [topic])

    def watched(self, *groups: str) -> list[Watched]:
        """These groups on the topic."""
        return [Watched(self.group(name), (self.topic,)) for name in groups]

    def group(self, name: str) -> str:
        """A group's name in Kafka."""
        return self.kafka.prefix + name

    async def send(self, partition: int, count: int = 1, *, age: float = 0.0) -> float:
        """Records with one time, `age` seconds ago; gives that time, in seconds since 1970."""
        at = int((clock.now().timestamp() - age) * 1000)
        client = producer(self.kafka)
        async with started(client):
            for number in range(count):
                await client.send_and_wait(
                    self.topic, b"x" * 500, key=str(number).encode(), partition=partition, timestamp_ms=at
                )
        return at / 1000

    async def commit(self, group: str, positions: Mapping[int, int]) -> None:
        """Set a group's offsets, as one that has read so far and is gone."""
        client = consumer(self.kafka, self.group(group))
        async with started(client):
            client.assign([TopicPartition(self.topic, part) for part in positions])
            await client.commit({TopicPartition(self.topic, part): offset for part, offset in positions.items()})

    @asynccontextmanager
    async def member(self, group: str) -> AsyncIterator[AIOKafkaConsumer]:
        """A member of a group that has its partitions and reads nothing."""
        client = consumer(self.kafka, self.group(group), session_seconds=6)
        async with started(client):
            client.subscribe([self.topic])
            while not client.assignment():
                await client.getmany(timeout_ms=100)
            client.pause(*client.assignment())
            yield client
