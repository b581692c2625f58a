"""Consumers at once on the partitions of one log, through the batch loop's own transaction, until all of it is read."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from bench.identity.logs import PARTITIONS, Log, Plan
from bench.identity.weather import ExposedStore, Killer, Tally
from consumers import slow_lane
from consumers.profiles import GROUP, Profiles
from hub.cache import LocalHints
from hub.components import Record
from hub.errors import Retry
from hub.identity.evidence import Fact
from hub.settings import Kafka
from hub.storage.pool import Connection, Pool, open_pool, reading
from hub.streams.batches import BatchLoop

TOPIC = "inbound.all"
REASSIGN_SECONDS = 0.05
IDLE_SECONDS = 0.002
WITHIN_SECONDS = 60.0


class Laid(Profiles):
    """The room `profiles`, whose records lie in a log in memory."""

    def __init__(self, log: Log) -> None:
        super().__init__(LocalHints(), {})
        self._log = log

    def read(self, record: Record) -> Fact:
        """The fact at a place."""
        return self._log[record.partition][record.offset]


@asynccontextmanager
async def _connections(url: str, size: int) -> AsyncIterator[Pool]:
    """As the batch path opens them, and there before the first is ended."""
    pool = await open_pool(url, size, name="crew", point_lookups=True)
    try:
        yield pool
    finally:
        await pool.close()


class Crew:
    """As a consumer group: each partition has one owner, who may change while the old one still holds its records."""

    def __init__(self, plan: Plan, log: Log, url: str) -> None:
        self._plan = plan
        self._log = log
        self._url = url
        self._chance = random.Random(f"crew {plan.seed}")
        self._owners = [number % plan.consumers for number in range(PARTITIONS)]
        self._reached = [0] * PARTITIONS
        self.tally = Tally()

    async def run(self) -> None:
        """Read the log to its end. Raises TimeoutError where that never comes, ExceptionGroup for what went wrong."""
        async with AsyncExitStack() as stack:
            own, lane, *pools = [
                await stack.enter_async_context(_connections(self._url, size))
                for size in (3, 1, *[1] * self._plan.consumers)
            ]
            killer = Killer(own, self._chance, self._plan.kills, self.tally)
            await stack.enter_async_context(asyncio.timeout(WITHIN_SECONDS))
            tasks = await stack.enter_async_context(asyncio.TaskGroup())
            others = [tasks.create_task(killer.roam()), tasks.create_task(self._reassign())]
            async with asyncio.TaskGroup() as readers:
                readers.create_task(self._work_off(lane))
                for number, pool in enumerate(pools):
                    readers.create_task(self._consume(number, pool, killer))
            for task in others:
                task.cancel()

    @property
    def _ended(self) -> bool:
        return all(reached == len(lain) for reached, lain in zip(self._reached, self._log, strict=True))

    async def _consume(self, number: int, pool: Pool, killer: Killer) -> None:
        """One consumer with a connection of its own. After any trouble it reads on from the stored offsets."""

        async def before(connection: Connection) -> None:
            await self._pause()
            await killer.between(connection)

        store = ExposedStore(pool, before, self.tally)
        loop = BatchLoop(Kafka(), store, Laid(self._log))
        at: dict[int, int] = {}
        while not self._ended:
            try:
                at = await self._turn(number, loop, store, at)
            except Retry:
                self.tally.retries += 1
                at = {}

    async def _work_off(self, pool: Pool) -> None:
        """The slow lane, until nothing waits in it any more."""
        room, left = Profiles(LocalHints(), {}), 1
        while left:
            try:
                self.tally.slow += await slow_lane.once(pool, room, self._plan.most_at_once)
                async with reading(pool) as connection:
                    left = await connection.fetchval("SELECT count(*) FROM slow_lane") if self._ended else 1
            except Retry:
                self.tally.retries += 1
            await asyncio.sleep(IDLE_SECONDS)

    async def _turn(self, number: int, loop: BatchLoop, store: ExposedStore, at: dict[int, int]) -> dict[int, int]:
        """A batch of what this one owns, from where it believes to be; gives where it believes to be then."""
        mine = [part for part, owner in enumerate(self._owners) if owner == number]
        new = [part for part in mine if part not in at]
        stored = await store.positions(GROUP, [(TOPIC, part) for part in new]) if new else {}
        at = {part: at[part] if part in at else stored.get((TOPIC, part), 0) for part in mine}
        batch = self._take(at)
        if batch:
            await self._pause()
            done = await loop._transact(batch)  # noqa: SLF001 - the loop's transaction, without its Kafka
            self.tally.refused += sum(one.offset < store.stored[one.topic, one.partition] for one in batch)
            at |= {part: offset for (_, part), offset in done.items()}
        else:
            await asyncio.sleep(IDLE_SECONDS)
        for part, offset in at.items():
            self._reached[part] = max(self._reached[part], offset)
        return at

    def _take(self, at: dict[int, int]) -> Sequence[Record]:
        """As a client hands them out: some of some partitions, in their order."""
        left = self._chance.randint(1, self._plan.most_at_once)
        parts = [part for part in at if at[part] < len(self._log[part])]
        self._chance.shuffle(parts)
        batch: list[Record] = []
        for part in parts:
            ends = min(at[part] + self._chance.randint(1, left), len(self._log[part]))
            batch += [Record(TOPIC, part, offset, 0, None, None, []) for offset in range(at[part], ends)]
            left -= ends - at[part]
            if left <= 0:
                break
        return batch

    async def _pause(self) -> None:
        """Mostly short, now and then as long as the plan has it."""
        if self._plan.pause_seconds:
            await asyncio.sleep(self._chance.random() ** 3 * self._plan.pause_seconds)

    async def _reassign(self) -> None:
        """Give a partition to somebody else, whoever holds records of it."""
        while True:
            await asyncio.sleep(self._chance.random() * REASSIGN_SECONDS)
            self._owners[self._chance.randrange(PARTITIONS)] = self._chance.randrange(self._plan.consumers)
            self.tally.reassigned += 1
