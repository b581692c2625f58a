"""Small messages travel together: whatever arrived while the last batch of a partition was on its way is the next one.

Nobody waits for company: an idle lane leaves at once. A lane per partition, so a partition whose leader is away holds
up no other.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from copy import copy
from types import TracebackType
from typing import Protocol, Self

from hub import clock
from hub.errors import HubError, Retry
from hub.streams.publish import Message, partition_of

SMALL_BYTES = 32 * 1024
"""Larger values travel alone, so that they hold up nobody."""

CLOSING = "the connection to Kafka is being closed"


class Carrier(Protocol):
    """The part of hub.streams.publish.Publisher that lanes need."""

    async def send(self, messages: Sequence[Message], *, within: float) -> None:
        """Messages on their own."""

    async def send_together(self, messages: Sequence[Message], *, partition: int, within: float) -> None:
        """Messages of one partition as one batch."""

    async def partitions(self, topic: str) -> int:
        """How many a topic has."""


class Lanes:
    """The lanes of a publisher, made as they are needed, for as long as the block lasts."""

    def __init__(self, publisher: Carrier) -> None:
        self._publisher = publisher
        self._lanes: dict[str, list[Lane]] = {}
        self._workers: list[asyncio.Task[None]] = []
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        self._tasks = await self._stack.enter_async_context(asyncio.TaskGroup())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for worker in self._workers:
            worker.cancel()
        await self._stack.__aexit__(kind, error, trace)

    async def send(self, messages: Sequence[Message], *, within: float) -> None:
        """As Publisher.send."""
        message = messages[0] if len(messages) == 1 else None
        if message is None or message.key is None or len(message.value or b"") > SMALL_BYTES:
            await self._publisher.send(messages, within=within)
            return
        lanes = self._lanes.get(message.topic) or await self._open(message.topic, within)
        await lanes[partition_of(message.key, len(lanes))].join(message, clock.monotonic() + within)

    async def _open(self, topic: str, within: float) -> list[Lane]:
        try:
            count = await asyncio.wait_for(self._publisher.partitions(topic), within)
        except TimeoutError:
            raise Retry(f"Kafka tells nothing of the topic {topic}", after=2) from None
        if topic not in self._lanes:
            self._lanes[topic] = [Lane(self._publisher, partition) for partition in range(count)]
            self._workers += [self._tasks.create_task(lane.work()) for lane in self._lanes[topic]]
        return self._lanes[topic]


class Lane:
    """One partition: what waits, until when, and who is told."""

    def __init__(self, publisher: Carrier, partition: int) -> None:
        self._publisher = publisher
        self._partition = partition
        self._waiting: list[tuple[Message, float, asyncio.Future[None]]] = []
        self._arrived = asyncio.Event()

    def join(self, message: Message, deadline: float) -> asyncio.Future[None]:
        """Done when the message is safe; carries a Retry when it is not by the deadline (see `clock.monotonic`)."""
        told: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((message, deadline, told))
        self._arrived.set()
        return told

    async def work(self) -> None:
        """Carry batch after batch, until it is cancelled; then tell whoever still waits."""
        try:
            while True:
                await self._arrived.wait()
                self._arrived.clear()
                await self._carry()
        finally:
            self._tell(self._waiting, Retry(CLOSING, after=2))

    async def _carry(self) -> None:
        carried, self._waiting = self._waiting, []
        wrong: HubError | None = Retry(CLOSING, after=2)
        try:
            messages = [message for message, _, _ in carried]
            within = carried[0][1] - clock.monotonic()  # the first has waited longest, and speaks for all
            await self._publisher.send_together(messages, partition=self._partition, within=within)
            wrong = None
        except HubError as error:
            wrong = error
        finally:
            self._tell(carried, wrong)

    @staticmethod
    def _tell(carried: Sequence[tuple[Message, float, asyncio.Future[None]]], wrong: HubError | None) -> None:
        for _, _, told in carried:
            if not told.done() and wrong is None:
                told.set_result(None)
            elif not told.done() and wrong is not None:
                told.set_exception(copy(wrong))  # each waiter adds its own traceback
