"""Where the logs of topics begin and end now."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaConsumer, TopicPartition

from hub.settings import Kafka
from hub.streams.broker import Broker, answering, open_broker
from hub.streams.clients import consumer, started

Place = tuple[str, int]
"""(topic with Kafka's prefix, partition)"""


class Ends:
    """Asks the brokers. Open one with `open_ends`; topics are named without their prefix."""

    def __init__(self, prefix: str, broker: Broker, client: AIOKafkaConsumer) -> None:
        self._prefix = prefix
        self._broker = broker
        self._client = client

    async def of(self, topics: Sequence[str]) -> dict[Place, tuple[int, int]]:
        """Each partition's first offset and the one behind its last record. Raises Retry."""
        found = await self._broker.topics({self._prefix + name for name in topics})
        places = [TopicPartition(name, part) for name, one in found.items() for part in one.partitions]
        if not places:
            return {}
        async with answering():
            begins = await self._client.beginning_offsets(places)
            ends = await self._client.end_offsets(places)
        return {(at.topic, at.partition): (begins[at], ends[at]) for at in places}


@asynccontextmanager
async def open_ends(kafka: Kafka) -> AsyncIterator[Ends]:
    """For as long as the block lasts. Raises Retry where no broker answers."""
    async with open_broker(kafka) as broker:
        client = consumer(kafka, None)
        async with started(client):
            yield Ends(kafka.prefix, broker, client)
