"""Looks at every queue of the hub every few seconds: how much waits, how long, and whether anybody works on it."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack
from datetime import datetime
from typing import Any, Self, TypeVar

import structlog

from hub import clock
from hub.errors import HubError
from hub.settings import Settings
from hub.storage import queues, samples
from hub.storage.pool import Pool
from hub.storage.samples import Look, Stand
from hub.streams.lag import LagReader, Reading, Watched, open_lag_reader, watched
from hub.telemetry.lagstate import Sample, state
from hub.telemetry.metrics import Gauges, shared

EVERY_SECONDS = 5.0
PROFILES, SLOW_LANE = "profiles", "slow lane"
_log = structlog.get_logger("hub.monitor")

T = TypeVar("T")
Report = dict[str, Any]
"""What `hub lag --json` prints (design §9)."""


class Monitor:
    """Looks at the lag and tells what it means. Keeps its line to Kafka from one look to the next.

    Use it as a context; every method raises Retry where Kafka or PostgreSQL is away.
    """

    def __init__(self, settings: Settings, pool: Pool) -> None:
        self._kafka = settings.kafka
        self._groups = watched(settings.kafka, settings.destinations)
        self._pool = pool
        self._line = AsyncExitStack()
        self._reader: LagReader | None = None
        self._alone = asyncio.Lock()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._line.aclose()

    async def report(self, *, keep: bool = False) -> Report:
        """The lag of every group and the waiting rooms; `keep` also writes the look down as history."""
        async with self._alone:
            readings = await self._read()
            at = clock.now()
            # Where nothing waits the last look says it all: history is read for those that lag.
            lagging = {one.group for one in readings if one.messages}
            history = await samples.history(self._pool, lagging) if lagging else {}
            if keep:
                await samples.add(self._pool, looks(readings, at))
            rows = rows_of(readings, history, at) + slow_lane_rows(*await queues.slow_lane(self._pool))
            return {"groups": rows, **await queues.waiting(self._pool)}

    async def answers(self) -> None:
        """Returns where Kafka answers."""
        async with self._alone:
            await self._asked(LagReader.answers)

    async def _read(self) -> list[Reading]:
        return await self._asked(lambda reader: reader.read(self._groups))

    async def _asked(self, question: Callable[[LagReader], Awaitable[T]]) -> T:
        try:
            if self._reader is None:
                self._reader = await self._line.enter_async_context(open_lag_reader(self._kafka))
            return await question(self._reader)
        except Exception:
            self._reader = None  # a line that failed once is not trusted again
            await self._line.aclose()
            raise

    @property
    def groups(self) -> Sequence[Watched]:
        """The groups that are looked at."""
        return self._groups


def looks(readings: Iterable[Reading], at: datetime) -> list[Look]:
    """Readings of one moment, as they are kept: one look per group."""
    groups: dict[str, list[Reading]] = defaultdict(list)
    for one in readings:
        groups[one.group].append(one)
    return [
        Look(
            group,
            at,
            found[0].members,
            tuple(Stand(r.topic, r.partition, r.committed, r.beginning, r.end, r.seconds) for r in found),
        )
        for group, found in groups.items()
    ]


def rows_of(readings: Sequence[Reading], history: Mapping[str, Sequence[Look]], now: datetime) -> list[Report]:
    """One row per group and partition, its state told from the looks before."""
    past: dict[tuple[str, str, int], list[Sample]] = {
        (one.group, one.topic, one.partition): [] for one in readings if one.messages
    }
    for look in (look for kept in history.values() for look in kept):
        at = look.at.timestamp()
        for topic, part, committed, beginning, end, seconds in look.stands:
            samples_of = past.get((look.group, topic, part))
            if samples_of is not None:
                samples_of.append(Sample(at, committed, beginning, end, look.members, seconds))
    return [
        {
            "group": one.group,
            "topic": one.topic,
            "partition": one.partition,
            "messages": one.messages,
            "seconds": one.seconds,
            "state": state([*past.get((one.group, one.topic, one.partition), ()), _sample(one, now)]),
            "seconds_to_loss": one.seconds_to_loss,
        }
        for one in readings
    ]


def slow_lane_rows(events: int, seconds: float) -> list[Report]:
    """What waits in the slow lane of the group `profiles`, as a row like the others; none where nothing does.

    It is behind by design, and nothing of it can be lost: it is in PostgreSQL.
    """
    row = {"group": PROFILES, "topic": SLOW_LANE, "partition": 0, "messages": events, "seconds": seconds}
    return [row | {"state": "slow", "seconds_to_loss": None}] if events else []


def _sample(one: Reading, at: datetime) -> Sample:
    return Sample(at.timestamp(), one.committed, one.beginning, one.end, one.members, one.seconds)


async def run(settings: Settings, pool: Pool, stop: asyncio.Event) -> None:
    """The role `monitor`: look, write down, show as metrics, until `stop`. What is away is looked for again."""
    async with Monitor(settings, pool) as monitor:
        await every(EVERY_SECONDS, stop, lambda: _once(monitor, shared()))


async def _once(monitor: Monitor, gauges: Gauges) -> None:
    try:
        report = await monitor.report(keep=True)
    except HubError as error:
        _log.warning("lag_unknown", error=str(error))
    except Exception:  # noqa: BLE001 - looking must not end the roles that share this process
        _log.exception("lag_unknown")
    else:
        gauges.show(report, clock.now().timestamp())


async def every(seconds: float, stop: asyncio.Event, do: Callable[[], Awaitable[None]]) -> None:
    """Do it now and every so many seconds until `stop`; a turn that takes longer shifts the next."""
    while not stop.is_set():
        await do()
        await clock.pause(stop, seconds)
