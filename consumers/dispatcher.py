"""The only one who talks to tools: takes what is due, sends it, writes down what came of it.

Nothing is on the wire within a transaction. The claim commits lease and bytes, then the request goes out, then the
answer is written under the claim's token: whoever was paused for longer than its lease writes nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from typing import NamedTuple

import structlog

from consumers.levels import dirty, opened
from consumers.plans import DEED, LEASE_SECONDS, Job, claim
from consumers.retries import Heard, judge
from consumers.tools import Tool
from hub import clock
from hub.components import Hints
from hub.crashpoints import crash_here
from hub.egress import Answer, Egress
from hub.errors import Retry
from hub.identity.ids import as_text
from hub.storage import told, tries
from hub.storage.leases import Lease
from hub.storage.pool import Connection, Pool, reading, transaction
from hub.storage.told import Know, Level, Opened
from hub.storage.tries import Tried

RENEW_SECONDS = LEASE_SECONDS / 4
POLL_SECONDS, IDLE_SECONDS = 0.25, 1.0
"""How often it looks by itself, and how seldom it gets when nothing is going on: hints do the rest."""
GRACE_SECONDS = 5.0
"""When told to stop, requests on the wire get that long to end."""
MOST_KEPT = 2000
"""Characters of an answer that are kept for people to read."""

_log = structlog.get_logger("consumers.dispatcher")


async def run(pool: Pool, tools: Mapping[str, Tool], hints: Hints, stop: asyncio.Event) -> None:
    """Deliver until `stop` is set; then end what is on the wire, write it down, and return."""
    async with AsyncExitStack() as stack:
        dispatcher = Dispatcher(pool, tools, stack)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(_ring(dispatcher, hints, stop))
            renewing = tasks.create_task(_renew(dispatcher))
            await dispatcher.work(tasks, stop)
            renewing.cancel()


async def _ring(dispatcher: Dispatcher, hints: Hints, stop: asyncio.Event) -> None:
    """Wake the dispatcher at every hint, when a retry comes due, and now and then without a reason."""
    pause = POLL_SECONDS
    while not stop.is_set():
        hinted = await hints.wait("deliveries", min(pause, dispatcher.next_due))
        pause = POLL_SECONDS if hinted or dispatcher.busy else min(pause * 2, IDLE_SECONDS)
        dispatcher.bell.set()


async def _renew(dispatcher: Dispatcher) -> None:
    while True:
        await asyncio.sleep(RENEW_SECONDS)
        try:
            await dispatcher.renew()
        except Retry as error:
            _log.warning("leases_not_renewed", error=str(error))


class Result(NamedTuple):
    """A job and what its tool answered."""

    job: Job
    answer: Answer


class Dispatcher:
    """What is on the wire of one process, and what came back and is not yet written down."""

    def __init__(self, pool: Pool, tools: Mapping[str, Tool], stack: AsyncExitStack) -> None:
        self.bell = asyncio.Event()
        self.next_due = IDLE_SECONDS
        self._pool = pool
        self._tools = tools
        self._slots = {tool.name: tool.settings.concurrency for tool in tools.values()}
        self._egress = {tool.name: _egress(tool) for tool in tools.values()}
        self._sending: dict[Lease, asyncio.Task[None]] = {}
        self._results: list[Result] = []
        for egress in self._egress.values():
            stack.push_async_callback(egress.close)

    @property
    def busy(self) -> bool:
        """Whether a request is on the wire."""
        return bool(self._sending)

    async def work(self, tasks: asyncio.TaskGroup, stop: asyncio.Event) -> None:
        """Turn after turn until `stop` is set. What PostgreSQL cannot take now is kept for the next turn."""
        while not stop.is_set():
            self.bell.clear()
            try:
                await self._turn(tasks)
            except Retry as error:
                _log.warning("deliveries_wait", error=str(error))
                await asyncio.sleep(error.after or IDLE_SECONDS)
                self.bell.set()
            await self.bell.wait()
        await self._end()

    async def renew(self) -> None:
        """Keep the leases of everything that is on the wire or not yet written down. Raises Retry."""
        if self._sending:
            async with transaction(self._pool) as connection:
                await tries.LEASES.renew(connection, list(self._sending), LEASE_SECONDS)

    async def _turn(self, tasks: asyncio.TaskGroup) -> None:
        await self._write_down()
        jobs = await claim(self._pool, self._tools, self._slots)
        for job in jobs:
            self._sending[job.lease] = tasks.create_task(self._send(job))
        self.next_due = IDLE_SECONDS
        if not jobs:
            async with reading(self._pool) as connection:
                self.next_due = max(0.005, await tries.next_due(connection, list(self._tools), IDLE_SECONDS))

    async def _send(self, job: Job) -> None:
        """One try. Whatever goes wrong is an answer: it is written down and tried again."""
        tool = job.tool
        try:
            call = tool.destination.call(
                tool.settings, as_text(job.notice.id), int(clock.now().timestamp()), job.notice.body
            )
            answer = await self._egress[tool.name].post(call.url, call.headers, call.body)
        except asyncio.CancelledError:
            self._results.append(
                Result(job, Answer(None, "the hub stopped while it waited for the answer", None, b"", 0))
            )
            raise
        except Exception as error:  # noqa: BLE001 - a lost task would end every delivery
            _log.exception("delivery_not_sent", destination=tool.name, delivery_id=as_text(job.notice.id))
            answer = Answer(None, f"{type(error).__name__}: {error}"[:500], None, b"", 0)
        if answer.status is not None and 200 <= answer.status < 300:
            crash_here("after_http_2xx_before_commit")
        self._results.append(Result(job, answer))
        self.bell.set()

    async def _write_down(self) -> None:
        """Everything that came back, in one transaction."""
        results = list(self._results)
        if not results:
            return
        async with transaction(self._pool) as connection:
            levels = await told.lock(connection, [(one.job.tool.name, one.job.notice.profile_id) for one in results])
            held = await tries.LEASES.hold(connection, [one.job.lease for one in results])
            await _finish(connection, [_tried(one) for one in results if one.job.lease.id in held], levels)
        del self._results[: len(results)]
        for one in results:
            del self._sending[one.job.lease]
            if one.job.lease.id not in held:
                _log.warning("lease_lost", destination=one.job.tool.name, delivery_id=as_text(one.job.lease.id))

    async def _end(self) -> None:
        """Requests on the wire may end; those that do not in time have failed."""
        deadline = clock.monotonic() + GRACE_SECONDS
        while len(self._results) < len(self._sending) and clock.monotonic() < deadline:
            self.bell.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self.bell.wait(), deadline - clock.monotonic())
        for task in self._sending.values():
            task.cancel()
        if self._sending:
            await asyncio.wait(self._sending.values())
        try:
            await self._write_down()
        except Retry as error:
            _log.warning("last_answers_not_written", error=str(error))


def _egress(tool: Tool) -> Egress:
    own = tool.settings
    return Egress(allow_private=own.allow_private, connections=own.concurrency, seconds=own.timeout_seconds)


def _tried(result: Result) -> Tried:
    job, answer = result
    heard = Heard(answer.status, answer.error, answer.retry_after)
    verdict = judge(heard, job.trouble, job.tool.settings.retry_seconds, clock.now())
    if verdict.state == "dead":
        _log.warning(
            "delivery_dead", destination=job.tool.name, delivery_id=as_text(job.notice.id), error=verdict.error
        )
    return Tried(
        lease=job.lease,
        known=Know(job.tool.name, job.notice.profile_id, job.notice.kind, job.notice.version, job.into),
        state=verdict.state,
        delay=verdict.delay,
        step=verdict.step,
        status=answer.status,
        error=verdict.error,
        milliseconds=answer.milliseconds,
        response=answer.body.decode("utf-8", "replace").replace("\x00", "")[:MOST_KEPT],
    )


async def _finish(connection: Connection, tried: Sequence[Tried], levels: Sequence[Level]) -> None:
    """The rows' new states, what the tools know now, and a new delivery wherever more is wanted meanwhile."""
    if not tried:
        return
    await tries.finish(connection, tried)
    of_profiles = [one for one in tried if one.known.kind != DEED]
    if known := [one.known for one in of_profiles if one.state == "delivered"]:
        await told.know(connection, known)
    if openings := list(_more(of_profiles, levels)):
        await told.open_rows(connection, openings)


def _more(tried: Sequence[Tried], levels: Sequence[Level]) -> Iterator[Opened]:
    now = {(level.destination, level.profile_id): level for level in levels}
    for one in tried:
        level = now[one.known.destination, one.known.profile_id]
        if one.state == "delivered":
            level = level._replace(told_kind=one.known.kind, told_version=one.known.version, told_into=one.known.into)
        if one.state != "retry" and level.want_version > one.known.version and dirty(level):
            yield opened(level)
