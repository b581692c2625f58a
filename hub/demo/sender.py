"""Sends what the company does to the hub's front door, each request at its time, and keeps the ids that came back."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import httpx

from hub import clock
from hub.demo.doors import Answer, Doors
from hub.demo.posts import Post
from hub.errors import Retry

AT_ONCE = 16
"""Requests on the wire at a time, at the most."""
PATIENCE_SECONDS = 60.0
"""How long a request is tried again while the front door is away."""
PAUSE_SECONDS, KNOCK_SECONDS = 0.5, 0.2


class Accepted(NamedTuple):
    """A request that was taken in, and the event id that it was given."""

    post: Post
    event: str


class Sender:
    """What was sent, and what the hub said to it: its gateway at `address`, its mailbox at `mail` (host:port).

    `secrets` holds the key of every source that needs one.
    """

    def __init__(self, address: str, mail: str, secrets: Mapping[str, str]) -> None:
        self.mail = mail
        self._doors = Doors(address, mail, secrets, AT_ONCE)
        self._places = asyncio.Semaphore(AT_ONCE)
        self._fresh: list[Accepted] = []
        self.accepted: Counter[str] = Counter()
        self.again: Counter[str] = Counter()
        self.refused: list[str] = []
        self.is_done = False

    @property
    def sent(self) -> int:
        """Requests that were taken in."""
        return self.accepted.total()

    def fresh(self) -> list[Accepted]:
        """What was taken in since this was asked last."""
        found, self._fresh = self._fresh, []
        return found

    async def send(self, planned: Iterable[Post]) -> None:
        """Send each request at its time. Raises Retry where the front door stays away."""
        began = clock.monotonic()
        try:
            async with asyncio.TaskGroup() as tasks:
                for post in planned:
                    await asyncio.sleep(max(0.0, began + post.offset - clock.monotonic()))
                    await self._places.acquire()
                    tasks.create_task(self._deliver(post))
        except ExceptionGroup as group:
            raise group.exceptions[0] from group
        self.is_done = True

    async def say(self, post: Post) -> None:
        """Send one more, now. Raises Retry where the front door stays away."""
        await self._places.acquire()
        await self._deliver(post)

    async def aclose(self) -> None:
        """Let go of the connections."""
        await self._doors.close()

    async def _deliver(self, post: Post) -> None:
        try:
            answer = await self._answered(post)
        finally:
            self._places.release()
        if answer.is_accepted:
            self._fresh.append(Accepted(post, answer.event))
            self.accepted[post.source] += 1
            self.again[post.source] += post.is_repeat
        else:
            self.refused.append(f"{post.source}: {answer.words}")

    async def _answered(self, post: Post) -> Answer:
        """The hub's answer; where it is away or busy, the same request again."""
        deadline = clock.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                answer = await self._doors.knock(post)
                if not answer.is_busy:
                    return answer
                wrong = answer.words
            except (httpx.TransportError, OSError) as error:
                wrong = str(error) or type(error).__name__
            if clock.monotonic() > deadline:
                raise Retry(f"the hub's front door takes nothing in: {wrong}")
            await asyncio.sleep(PAUSE_SECONDS)


async def until_ready(addresses: Iterable[str], within: float, stop: asyncio.Event) -> bool:
    """Wait until every listener says that it can work, or `stop`; False where that takes too long."""
    deadline = clock.monotonic() + within
    async with httpx.AsyncClient(timeout=5, trust_env=False) as client:
        for address in addresses:
            while not await _is_ready(client, address):
                if stop.is_set() or clock.monotonic() > deadline:
                    return False
                await asyncio.sleep(KNOCK_SECONDS)
    return True


async def _is_ready(client: httpx.AsyncClient, address: str) -> bool:
    try:
        return (await client.get(f"{address}/readyz")).status_code == 200
    except httpx.TransportError:
        return False
