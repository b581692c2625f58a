"""The one loop that every consumer runs: a batch from Kafka, a transaction, the offsets.

A batch is one transaction: fence, the consumer's own work, dead letters, stored offsets, commit; then Kafka's offset as
a hint. The truth about progress is the store's: on every assignment the partition is paused before anything else, and
read on from where the store says (real-broker.md §0 and §2: without the pause 3,200 of 7,200 records were lost).
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, cast

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError

from hub import clock
from hub.clock import monotonic
from hub.components import BatchStore, Letter, Positions, Record, Work
from hub.crashpoints import crash_here
from hub.errors import HubError, Reject, Retry
from hub.settings import Kafka
from hub.streams.clients import JOIN_SECONDS, consumer, started
from hub.streams.limits import Limit
from hub.streams.pace import USUAL, Pace, Sip

MOST_RECORDS = 1000
WAIT_MILLISECONDS = 100
HINT_SECONDS = 0.25
BOUND_SECONDS = 5.0
STALL_SECONDS = 60.0
_log = structlog.get_logger("hub.batches")


class Stalled(HubError):
    """Records wait and nothing moves: the process ends, and whoever watches it starts a new one."""


class BatchLoop(ConsumerRebalanceListener):  # type: ignore[misc] # aiokafka ships no types
    """One lane: one consumer of a group and the work it drives."""

    def __init__(
        self, kafka: Kafka, store: BatchStore, work: Work, instance: str | None = None, sip: Sip = USUAL
    ) -> None:
        self._kafka = kafka
        self._store = store
        self._work = work
        self._instance = instance
        self._sip = sip
        self.group = kafka.prefix + work.group
        self._client: AIOKafkaConsumer = None
        self._pace: Pace = None  # type: ignore[assignment] # both are there while `run` does its work
        self._busy = asyncio.Lock()
        self.parked: set[TopicPartition] = set()
        self._limits: dict[tuple[str, int], Limit] = defaultdict(Limit)
        self.positions: dict[TopicPartition, int] = {}
        self._hint: Positions = {}
        self._hinted_at = float("-inf")
        self._moved_at = monotonic()

    async def run(self, stop: asyncio.Event) -> None:
        """Consume until `stop`. A broker or store that is away is waited for; raises Stalled for a loop that hangs."""
        pause = 0.2
        while not stop.is_set():
            self._client = consumer(self._kafka, self.group, instance=self._instance)
            self._pace = Pace(self._client, self._sip)
            self._client.subscribe([self._kafka.prefix + topic for topic in self._work.topics], listener=self)
            try:
                async with started(self._client, JOIN_SECONDS, stop):
                    pause = 0.2
                    await self._consume(stop)
            except (Retry, KafkaError, OSError) as error:
                _log.warning("consumer_retry", group=self.group, error=str(error))
                await clock.pause(stop, pause)
                pause = min(pause * 2, 5.0)

    async def _consume(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            found = await self._client.getmany(timeout_ms=WAIT_MILLISECONDS, max_records=MOST_RECORDS)
            if found:
                records = [record for of_one in found.values() for record in of_one]
                self._pace.took(len(records))
                async with self._busy:
                    await self._handle(records)
                await self._pace.keep(stop, self.parked)
            else:
                self._watch()
            if not found or monotonic() - self._hinted_at > HINT_SECONDS:
                await self._commit()
        await self._commit()

    async def _handle(self, records: list[Record]) -> None:
        try:
            done = await self._apply(records)
        except Retry as error:
            await self._wait_for_store(error)
            return
        self._moved_at = monotonic()
        self.positions |= {TopicPartition(*place): offset for place, offset in done.items()}
        crash_here("after_commit_before_offsets")
        self._work.committed()
        self._hint |= done

    async def _apply(self, records: Sequence[Record]) -> Positions:
        """The batch in one transaction; where our own code fails, in halves, until the culprit is alone."""
        records = [record for record in records if _place(record) not in self.parked]
        if not records:
            return {}
        try:
            done = await self._transact(records)
        except HubError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever our own code does wrong must not lose a record
            if len(records) > 1:
                middle = len(records) // 2
                return await self._apply(records[:middle]) | await self._apply(records[middle:])
            return await self._give_up(records[0], error)
        for partition, count in _counts(records).items():
            self._limits[partition].succeeded(count)
        return done

    async def _transact(self, records: Sequence[Record], letter: Letter | None = None) -> Positions:
        items, letters = ([], [letter]) if letter else self._read(records)
        done = {(record.topic, record.partition): record.offset + 1 for record in records}
        async with self._store.begin() as transaction:
            stored = await self._store.fence(transaction, self.group, list(done))
            if any(record.offset < stored[record.topic, record.partition] for record in records):
                fresh = [one for one in records if one.offset >= stored[one.topic, one.partition]]
                items, letters = self._read(fresh) if not letter or not fresh else ([], [letter])
                letters = letters if fresh else []
            if items:
                await self._work.write(transaction, items)
            if letters:
                await self._store.dead_letter(transaction, self.group, letters)
            await self._store.advance(transaction, self.group, done)
        return done

    def _read(self, records: Iterable[Record]) -> tuple[list[Any], list[Letter]]:
        items, letters = [], []
        for record in records:
            try:
                items.append(self._work.read(record))
            except Reject as error:
                letters.append(letter_of(record, "read", error))
        return items, letters

    async def _give_up(self, record: Record, error: Exception) -> Positions:
        """A record that our own code fails on: a dead letter, or, past the limit, the end of its partition."""
        place = _place(record)
        if self._limits[record.topic, record.partition].failed():
            self.parked.add(place)
            self._client.pause(place)
            _log.error("partition_stopped", group=self.group, topic=record.topic, partition=record.partition,
                       offset=record.offset, error=repr(error))  # fmt: skip
            return {}
        _log.error("record_failed", group=self.group, topic=record.topic, partition=record.partition,
                   offset=record.offset, error=repr(error))  # fmt: skip
        return await self._transact([record], letter_of(record, "write", error))

    async def _commit(self) -> None:
        """Tell Kafka how far we are, only of partitions that are still ours; its answer changes nothing."""
        done, self._hint = self._hint, {}
        self._hinted_at = monotonic()
        mine = self._client.assignment()
        offsets = {TopicPartition(*place): offset for place, offset in done.items() if TopicPartition(*place) in mine}
        try:
            async with asyncio.timeout(BOUND_SECONDS):
                if offsets:
                    await self._client.commit(offsets)
        except (CommitFailedError, IllegalStateError, KafkaError, TimeoutError) as error:
            self._hint = (
                done | self._hint
            )  # told again with the next: on a quiet topic nothing else would correct Kafka
            _log.info("offset_hint_lost", group=self.group, error=str(error))

    async def _wait_for_store(self, error: Retry) -> None:
        """Hold everything, stay in the group, and read on from the stored offsets once the store answers."""
        _log.warning("store_away", group=self.group, error=str(error))
        self._client.pause(*self._client.assignment())
        pause = error.after or 0.1
        while True:
            await asyncio.sleep(pause)
            await self._client.getmany(timeout_ms=0)
            try:
                await self._place(self._client.assignment())
            except Retry:
                pause = min(pause * 2, 2.0)
            else:
                self._moved_at = monotonic()
                return

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:  # noqa: ARG002 - aiokafka's name
        """Let the batch in hand end, offsets included, before somebody else gets the partition."""
        try:
            async with asyncio.timeout(BOUND_SECONDS):
                async with self._busy:
                    await self._commit()
        except TimeoutError:
            _log.warning("drain_bound", group=self.group)

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Pause first, then place each partition where the store says. Must not raise: aiokafka would go on."""
        partitions = list(assigned)
        self._client.pause(*partitions)
        self._pace.forget()
        self.parked.clear()
        for attempt in range(60):
            try:
                await self._place(partitions)
            except (Retry, KafkaError) as error:
                _log.warning("store_away_on_assign", group=self.group, error=str(error))
                await asyncio.sleep(min(0.1 * 2**attempt, 1.0))
            else:
                self._moved_at = monotonic()
                return
        self._moved_at = float("-inf")  # nothing was placed: the watchdog ends the process

    async def _place(self, assigned: Iterable[TopicPartition]) -> None:
        partitions = [one for one in assigned if one not in self.parked]
        stored = await self._store.positions(self.group, [tuple(one) for one in partitions])
        try:
            async with asyncio.timeout(BOUND_SECONDS):
                ends = await self._client.end_offsets(partitions)
                begins = await self._client.beginning_offsets(partitions)
        except TimeoutError as error:
            raise Retry("the broker does not tell its offsets") from error
        mine = self._client.assignment()
        for place in partitions:
            offset = stored.get(tuple(place), 0)
            if offset > ends[place]:
                self.parked.add(place)
                _log.error("partition_stopped", group=self.group, topic=place.topic, partition=place.partition,
                           stored=offset, end=ends[place], error="the log ends before the stored offset")  # fmt: skip
            elif place in mine:
                if offset < begins[place] and offset:
                    _log.error("records_lost", group=self.group, topic=place.topic, partition=place.partition,
                               stored=offset, begin=begins[place], error="deleted before they were read")  # fmt: skip
                self.positions[place] = max(offset, begins[place])
                self._hint[place.topic, place.partition] = self.positions[place]
                self._client.seek(place, self.positions[place])
                self._client.resume(place)

    def _watch(self) -> None:
        """End a consumer that has records before it and does not move: it may have lost its place for good."""
        if self._moved_at == float("-inf"):
            raise Stalled(f"{self.group}: the store did not answer, so no partition could be placed")
        waiting = [place for place in self._client.assignment() - self.parked if self._is_behind(place)]
        if waiting and monotonic() - self._moved_at > STALL_SECONDS:
            raise Stalled(f"{self.group}: {waiting[0]} has records and has not moved for {STALL_SECONDS:.0f} s")
        if not waiting:
            self._moved_at = monotonic()

    def _is_behind(self, place: TopicPartition) -> bool:
        high = self._client.highwater(place)
        return bool(high and high > self.positions.get(place, 0))


def letter_of(record: Record, stage: str, error: Exception) -> Letter:
    """The dead letter of a record that an error ended."""
    return Letter(
        record,
        stage,
        str(error) or repr(error),
        type(error).__name__,
        cast("bytes | None", getattr(error, "event_id", None)),
        getattr(error, "field", None),
        getattr(error, "source", None),
    )


def _place(record: Record) -> TopicPartition:
    return TopicPartition(record.topic, record.partition)


def _counts(records: Iterable[Record]) -> dict[tuple[str, int], int]:
    counts: dict[tuple[str, int], int] = defaultdict(int)
    for record in records:
        counts[record.topic, record.partition] += 1
    return counts


async def consume(
    kafka: Kafka,
    store: BatchStore,
    works: Sequence[Work],
    stop: asyncio.Event,
    instance: str | None = None,
    *,
    sip: Sip = USUAL,
) -> None:
    """Run one lane per work, side by side, until `stop`; the first that fails ends all.

    `instance` names this process among all, where such a name is sure to be its own; `sip`: how a trickle is taken.
    """
    async with asyncio.TaskGroup() as lanes:
        for number, work in enumerate(works):
            name = f"{instance}.{number}" if instance else None
            lanes.create_task(BatchLoop(kafka, store, work, name, sip).run(stop))
