"""Redis: fast, and never the truth. Today it carries hints between processes; FLUSHALL costs milliseconds."""

from __future__ import annotations

import asyncio
from collections import defaultdict

import redis.asyncio as redis
import structlog
from redis.exceptions import RedisError

_CHANNEL = "hub:hints"
_log = structlog.get_logger("hub.cache")


class LocalHints:
    """Hints within one process."""

    def __init__(self) -> None:
        self._events: dict[str, asyncio.Event] = defaultdict(asyncio.Event)

    def wake(self, what: str) -> None:
        """Say that there is work for whoever waits for `what`."""
        self._events[what].set()

    async def wait(self, what: str, within: float) -> bool:
        """Wait for such a hint, at the most `within` seconds."""
        event = self._events[what]
        try:
            async with asyncio.timeout(within):
                await event.wait()
        except TimeoutError:
            return False
        event.clear()
        return True


class RedisHints(LocalHints):
    """Hints between processes as well, as far as Redis is there."""

    def __init__(self, url: str, prefix: str = "") -> None:
        super().__init__()
        self._client = redis.from_url(url, socket_timeout=2, socket_connect_timeout=2)
        self._channel = prefix + _CHANNEL
        self._unsent: set[str] = set()
        self._send = asyncio.Event()

    def wake(self, what: str) -> None:
        """Wake this process now and the others in a moment."""
        super().wake(what)
        self._unsent.add(what)
        self._send.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Carry hints until `stop`; without Redis only polls are left, so nothing is lost."""
        async with asyncio.TaskGroup() as both:
            tasks = [both.create_task(self._publish()), both.create_task(self._listen())]
            await stop.wait()
            for task in tasks:
                task.cancel()
        await self._client.aclose()

    async def _publish(self) -> None:
        while True:
            await self._send.wait()
            self._send.clear()
            hints, self._unsent = self._unsent, set()
            try:
                await self._client.publish(self._channel, " ".join(sorted(hints)))
            except (RedisError, OSError, TimeoutError) as error:
                _log.info("hint_lost", error=str(error))
                await asyncio.sleep(1)

    async def _listen(self) -> None:
        while True:
            try:
                async with self._client.pubsub() as channel:
                    await channel.subscribe(self._channel)
                    while True:
                        message = await channel.get_message(ignore_subscribe_messages=True, timeout=1.0)
                        for what in message["data"].decode().split() if message else ():
                            LocalHints.wake(self, what)
            except (RedisError, OSError, TimeoutError) as error:
                _log.info("hints_away", error=str(error))
                await asyncio.sleep(1)
