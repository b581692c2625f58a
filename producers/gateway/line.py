"""The way to the broker: connected with back-off while it is away, and anew where a client stays silent for long."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

from hub import clock
from hub.errors import Retry
from hub.settings import Kafka
from hub.streams.publish import Message, open_publisher
from producers.gateway.lanes import Lanes

FIRST_PAUSE, LONGEST_PAUSE = 0.25, 5.0
SILENCE_SECONDS = 20.0
"""After so long without one acknowledgement, though some were waited for, the client is replaced."""

LATELY_SECONDS = 5.0
"""How long a missing acknowledgement makes the gateway unready: not for good, or nobody would ever try again."""

AWAY = "Kafka does not answer"

log = logging.getLogger(__name__)


class Line:
    """What the application publishes on, whether there is a broker or not."""

    def __init__(self) -> None:
        self._lanes: Lanes | None = None
        self._silent_since: float | None = None
        self._refused_at = float("-inf")
        self._interrupted = asyncio.Event()

    async def send(self, messages: Sequence[Message], *, within: float) -> None:
        """As Publisher.send. Raises Retry at once while there is no broker."""
        if self._lanes is None:
            raise Retry(AWAY, after=2)
        try:
            await self._lanes.send(messages, within=within)
        except Retry:
            self._refused()
            raise
        self._silent_since = None

    async def problems(self) -> list[str]:
        """Why no post can be taken now; empty when it can."""
        lately = clock.monotonic() - self._refused_at < LATELY_SECONDS
        return [AWAY] if self._lanes is None or (lately and self._silent_since is not None) else []

    async def keep(self, kafka: Kafka, stop: asyncio.Event) -> None:
        """Hold the line until `stop` is set."""
        pause = FIRST_PAUSE
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._interrupt_at(stop))
            while not stop.is_set():
                try:
                    await self._hold(kafka, stop)
                    pause = FIRST_PAUSE
                except Retry as away:
                    log.warning("%s; trying again in %.1f s", away, pause)
                    await self._interrupted_within(pause)
                    pause = min(pause * 2, LONGEST_PAUSE)

    async def _hold(self, kafka: Kafka, stop: asyncio.Event) -> None:
        async with open_publisher(kafka) as publisher, Lanes(publisher) as lanes:
            self._lanes, self._silent_since = lanes, None
            if not stop.is_set():
                self._interrupted.clear()
            try:
                await self._interrupted.wait()
            finally:
                self._lanes = None

    def _refused(self) -> None:
        self._refused_at = clock.monotonic()
        if self._silent_since is None:
            self._silent_since = self._refused_at
        elif self._refused_at - self._silent_since > SILENCE_SECONDS:
            log.warning("no acknowledgement for %.0f s; connecting anew", SILENCE_SECONDS)
            self._interrupted.set()

    async def _interrupt_at(self, stop: asyncio.Event) -> None:
        await stop.wait()
        self._interrupted.set()

    async def _interrupted_within(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._interrupted.wait(), seconds)
        except TimeoutError:
            return
