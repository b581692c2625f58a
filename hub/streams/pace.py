"""A trickle is taken in sips: a batch costs a dozen round trips, whatever it holds."""

from __future__ import annotations

import asyncio
from collections.abc import Set as AbstractSet
from typing import NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition

from hub.clock import monotonic, pause


class Sip(NamedTuple):
    """What a trickle is (fewer records than this in a batch), and the time from one sip to the next, in seconds.

    The first record after a silence waits for nothing.
    """

    few: int
    seconds: float


USUAL = Sip(100, 0.05)


class Pace:
    """Between two sips nothing is fetched ahead.

    aiokafka would fetch at once, be answered with the first record that comes, and fetch nothing more until that one is
    taken: what comes behind it waits for one more turn, and every other turn is for a single record.
    """

    def __init__(self, client: AIOKafkaConsumer, sip: Sip = USUAL) -> None:
        self._client = client
        self._sip = sip
        self._held: set[TopicPartition] = set()
        self._since = 0.0

    def took(self, count: int) -> None:
        """A batch of `count` records was taken: hold what is assigned, if it was a trickle."""
        if count < self._sip.few:
            self._since = monotonic()
            self._held = self._client.assignment() - self._client.paused()
            self._client.pause(*self._held)

    async def keep(self, stop: asyncio.Event, parked: AbstractSet[TopicPartition]) -> None:
        """After a sip: wait until it is time for the next, or to stop, and let go of all but what is `parked`."""
        if self._held:
            await pause(stop, self._sip.seconds - (monotonic() - self._since))
            held, self._held = self._held, set()
            self._client.resume(*(held & self._client.assignment()) - parked)

    def forget(self) -> None:
        """Partitions were assigned anew: somebody else sees to it that they flow."""
        self._held.clear()
