"""What the brokers hold: topics with their partitions and settings, groups with their members. Looks, changes nothing.

The admin client raises for few error codes; here every answer's code is read.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import (
    GroupCoordinatorNotAvailableError,
    GroupLoadInProgressError,
    KafkaError,
    NotCoordinatorForGroupError,
    UnknownTopicOrPartitionError,
    for_code,
)

from hub.errors import Retry
from hub.settings import Kafka
from hub.streams.clients import admin, started

ANSWER_SECONDS = 15.0
COORDINATOR_TRIES, COORDINATOR_PAUSE = 5, 0.2
_MOVING = (GroupCoordinatorNotAvailableError, GroupLoadInProgressError, NotCoordinatorForGroupError)


@dataclass(frozen=True, slots=True)
class TopicFound:
    """A topic as the broker has it: its partitions' numbers, copies of the first one, settings by name."""

    name: str
    partitions: tuple[int, ...]
    replication: int
    configuration: dict[str, str]


@dataclass(frozen=True, slots=True)
class GroupFound:
    """A consumer group: members now (None: the broker does not say), committed offset per (topic, partition)."""

    members: int | None
    committed: dict[tuple[str, int], int]


@contextmanager
def translated() -> Iterator[None]:
    """Whatever Kafka refuses or leaves unanswered is a Retry."""
    try:
        yield
    except (KafkaError, TimeoutError, OSError) as error:
        raise Retry(f"Kafka: {str(error) or type(error).__name__}") from error


@asynccontextmanager
async def answering() -> AsyncIterator[None]:
    """As `translated`, within 15 s. Not for a fetch: that has a bound of its own and must not be cut off."""
    with translated():
        async with asyncio.timeout(ANSWER_SECONDS):
            yield


class Broker:
    """Questions to the brokers. Every method raises Retry where they are away."""

    def __init__(self, client: AIOKafkaAdminClient) -> None:
        self._client = client

    async def topics(self, names: Collection[str]) -> dict[str, TopicFound]:
        """The topics of these names that exist."""
        async with answering():
            described = await self._client.describe_topics(sorted(names))
            there = [topic for topic in described if _exists(topic["error_code"], topic["topic"])]
            settings = await self._configurations([topic["topic"] for topic in there])
        return {
            topic["topic"]: TopicFound(
                topic["topic"],
                tuple(sorted(part["partition"] for part in topic["partitions"])),
                len(topic["partitions"][0]["replicas"]) if topic["partitions"] else 0,
                settings.get(topic["topic"], {}),
            )
            for topic in there
        }

    async def _configurations(self, names: Collection[str]) -> dict[str, dict[str, str]]:
        if not names:
            return {}
        answers = await self._client.describe_configs(
            [ConfigResource(ConfigResourceType.TOPIC, name) for name in sorted(names)]
        )
        return {
            name: {entry[0]: entry[1] for entry in entries}
            for answer in answers
            for code, _, _, name, entries in answer.resources
            if _exists(code, name)
        }

    async def group(self, name: str) -> GroupFound:
        """A group's members and offsets; a group that nobody knows has no members and no offsets.

        A young cluster makes its offsets topic at the first such question, and a group may be on its way to another
        broker: a few tries of 0.2 s.
        """
        async with answering():
            for attempt in range(COORDINATOR_TRIES):
                try:
                    return await self._group(name)
                except _MOVING:
                    if attempt == COORDINATOR_TRIES - 1:
                        raise
                    await asyncio.sleep(COORDINATOR_PAUSE)
        raise AssertionError("the last try returns or raises")

    async def _group(self, name: str) -> GroupFound:
        coordinator = await self._client.find_coordinator(name)
        # One call per group: of two groups in one call the client loses the connection (real-broker.md §7).
        (answer,) = await self._client.describe_consumer_groups([name], coordinator)
        offsets = await self._client.list_consumer_group_offsets(name, coordinator)
        (described,) = answer.to_object()["groups"]
        known = described["error_code"] == 0
        return GroupFound(
            len(described["members"]) if known else None,
            {(at.topic, at.partition): found.offset for at, found in offsets.items() if found.offset >= 0},
        )

    async def members_of(self, name: str) -> int | None:
        """How many members a group has now."""
        return (await self.group(name)).members

    async def servers(self) -> list[str]:
        """host:port of every broker of the cluster."""
        async with answering():
            cluster = await self._client.describe_cluster()
        return [f"{broker['host']}:{broker['port']}" for broker in cluster["brokers"]]


def _exists(code: int, name: str) -> bool:
    error = for_code(code)
    if error is UnknownTopicOrPartitionError:
        return False
    if code:
        raise error(f"{name}: code {code}")
    return True


@asynccontextmanager
async def open_broker(kafka: Kafka) -> AsyncIterator[Broker]:
    """An open line to the brokers. Raises Retry where none answers within 10 s."""
    client = admin(kafka)
    async with started(client):
        yield Broker(client)
