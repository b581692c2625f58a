"""How far behind each consumer group is, in messages and in seconds, asked of Kafka itself.

Seconds are the age of the first record that a group has not read: that record is fetched, and nothing is guessed
(real-broker.md §7). Offsets are those committed to Kafka; a partition without one is read from its log's start.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import zip_longest

from aiokafka import AIOKafkaConsumer, TopicPartition

from hub import clock
from hub.settings import Kafka
from hub.streams.broker import Broker, GroupFound, TopicFound, answering, open_broker, translated
from hub.streams.clients import consumer, started
from schemas.topics import ACTIVITIES, HUB_TOPIC, INBOUND, PROFILES

FIRST_RECORD_SECONDS = 5.0
_SMALLEST_FETCH = 1

Place = tuple[str, int]
"""(topic, partition)"""


@dataclass(frozen=True, slots=True)
class Watched:
    """A consumer group and the topics it should read; names as Kafka knows them."""

    group: str
    topics: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """One group on one partition at one moment.

    `committed` is None where the group has no offset; `members` is None where the broker does not say. `messages` is
    what Kafka calls lag. `seconds` is the age of the first unread record (0 without one, None where it did not come
    in time); `seconds_to_loss` is how long until that record may be deleted: None where nothing can be lost, 0 where
    records were deleted unread.
    """

    group: str
    topic: str
    partition: int
    committed: int | None
    beginning: int
    end: int
    members: int | None
    messages: int
    seconds: float | None
    seconds_to_loss: float | None


def watched(kafka: Kafka, destinations: Iterable[str]) -> tuple[Watched, ...]:
    """The groups of the hub: `profiles` on every inbound topic, one `sync.<destination>` each on `profiles`.

    `duplicates` follows the profiles, and what people decide; `automation` what happens.
    """
    inbound = tuple(kafka.prefix + topic.name for topic in INBOUND)
    syncs = (Watched(f"{kafka.prefix}sync.{name}", (kafka.prefix + PROFILES.name,)) for name in sorted(destinations))
    looked = (kafka.prefix + PROFILES.name, kafka.prefix + HUB_TOPIC)
    own = (
        Watched(f"{kafka.prefix}profiles", inbound),
        Watched(f"{kafka.prefix}duplicates", looked),
        Watched(f"{kafka.prefix}automation", (kafka.prefix + ACTIVITIES.name,)),
    )
    return (*own, *syncs)


class LagReader:
    """Reads the lag of groups. Open one with `open_lag_reader`, read as often as you like."""

    def __init__(self, broker: Broker, client: AIOKafkaConsumer) -> None:
        self._broker = broker
        self._client = client
        self._alone = asyncio.Lock()

    async def answers(self) -> None:
        """Returns where a broker answers. Raises Retry."""
        async with self._alone:
            await self._broker.servers()

    async def read(self, groups: Sequence[Watched]) -> list[Reading]:
        """One reading per group and partition, in order. Topics that do not exist have none.

        Raises Retry where Kafka is away or does not answer in 15 s.
        """
        async with self._alone:
            topics = await self._broker.topics({topic for one in groups for topic in one.topics})
            places = [TopicPartition(name, part) for name, found in topics.items() for part in found.partitions]
            # Beginnings before commits before ends: whatever moves in between makes no loss and no negative lag.
            beginnings = await self._offsets(places, end=False)
            found = {one.group: await self._broker.group(one.group) for one in groups}
            ends = await self._offsets(places, end=True)
            spans = [
                _Span(one.group, found[one.group], topics[topic], part, (beginnings[topic, part], ends[topic, part]))
                for one in groups
                for topic in one.topics
                if topic in topics
                for part in topics[topic].partitions
            ]
            stamps = await self._stamps({(span.place, span.unread) for span in spans if span.unread < span.end})
        return [span.reading(stamps.get((span.place, span.unread)), clock.now().timestamp()) for span in spans]

    async def _offsets(self, places: Sequence[TopicPartition], *, end: bool) -> dict[Place, int]:
        if not places:
            return {}
        async with answering():
            ask = self._client.end_offsets if end else self._client.beginning_offsets
            return {(at.topic, at.partition): offset for at, offset in (await ask(places)).items()}

    async def _stamps(self, wanted: Iterable[tuple[Place, int]]) -> dict[tuple[Place, int], int]:
        """(place, offset) → timestamp in milliseconds of the first record there. Unanswered ones are left out."""
        offsets: dict[Place, list[int]] = defaultdict(list)
        for place, offset in sorted(wanted):
            offsets[place].append(offset)
        stamps: dict[tuple[Place, int], int] = {}
        # One position per partition at a time: groups that stand at different offsets take turns.
        for column in zip_longest(*offsets.values()):
            positions = {place: at for place, at in zip(offsets, column, strict=True) if at is not None}
            for place, stamp in (await self._first_records(positions)).items():
                stamps[place, positions[place]] = stamp
        return stamps

    async def _first_records(self, positions: dict[Place, int]) -> dict[Place, int]:
        found: dict[Place, int] = {}
        self._client.assign([TopicPartition(*place) for place in positions])
        try:
            for place, offset in positions.items():
                self._client.seek(TopicPartition(*place), offset)
            deadline = clock.monotonic() + FIRST_RECORD_SECONDS
            while len(found) < len(positions) and clock.monotonic() < deadline:
                with translated():
                    answer = await self._client.getmany(timeout_ms=200, max_records=1)
                for at, records in answer.items():
                    found[at.topic, at.partition] = records[0].timestamp
                    self._client.pause(at)
        finally:
            self._client.unsubscribe()
        return found


class _Span:
    """A group's position within a partition's log."""

    def __init__(self, group: str, found: GroupFound, topic: TopicFound, part: int, log: tuple[int, int]) -> None:
        self.group, self.topic, self.part = group, topic, part
        self.place = (topic.name, part)
        self.beginning, self.end = log
        self.members = found.members
        self.committed = found.committed.get(self.place)
        self.unread = max(self.beginning, self.committed or 0)

    def reading(self, stamp: int | None, now: float) -> Reading:
        start = self.beginning if self.committed is None else self.committed
        messages = max(0, self.end - start)
        age = None if stamp is None else max(0.0, now - stamp / 1000)
        seconds = 0.0 if self.unread >= self.end else age
        return Reading(
            self.group,
            self.topic.name,
            self.part,
            self.committed,
            self.beginning,
            self.end,
            self.members,
            messages,
            None if seconds is None else round(seconds, 3),
            self._to_loss(age),
        )

    def _to_loss(self, age: float | None) -> float | None:
        kept = retention_seconds(self.topic.configuration)
        if self.committed is not None and self.committed < self.beginning:
            return 0.0
        if kept is None or age is None or self.unread >= self.end:
            return None
        return round(max(0.0, kept - age), 3)


def retention_seconds(configuration: dict[str, str]) -> float | None:
    """How long a topic keeps a record for certain; None where it keeps the newest of each key, or everything."""
    milliseconds = int(configuration.get("retention.ms", "-1"))
    if "delete" not in configuration.get("cleanup.policy", "delete") or milliseconds < 0:
        return None
    return milliseconds / 1000


@asynccontextmanager
async def open_lag_reader(kafka: Kafka) -> AsyncIterator[LagReader]:
    """A reader with its two connections. Raises Retry where no broker answers within 10 s."""
    async with open_broker(kafka) as broker:
        client = consumer(kafka, None)
        # A single record per partition is wanted; the broker sends a whole first batch all the same.
        client._max_partition_fetch_bytes = _SMALLEST_FETCH  # noqa: SLF001 - the builder of clients has no such option
        async with started(client):
            yield LagReader(broker, client)
