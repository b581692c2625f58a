"""What each role of `hub serve` runs: the composition of the house.

A role imports what it runs when it runs: a process starts as fast as its own roles allow.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

import structlog

from hub.errors import Misconfigured
from hub.runtime.resources import Resources
from hub.settings import Settings

FAILED = 70
_log = structlog.get_logger("hub.roles")
LANES = 2
"""Consumers of the group `profiles` in one process: one decides while the other waits for PostgreSQL."""

Role = Callable[[Resources, asyncio.Event], Coroutine[Any, Any, None]]


async def run_door(settings: Settings, stop: asyncio.Event) -> None:
    """The gateway: it needs nothing but Kafka, and answers while even that is away."""
    from producers.gateway.serve import serve

    await serve(settings, stop, shared=True)


async def _gateway(resources: Resources, stop: asyncio.Event) -> None:
    await run_door(resources.settings, stop)


async def run_mailbox(settings: Settings, stop: asyncio.Event) -> None:
    """Mail, in: it needs nothing but Kafka, and says 451 while even that is away."""
    from producers.mailbox.run import run

    await run(settings, stop)


async def _mailbox(resources: Resources, stop: asyncio.Event) -> None:
    await run_mailbox(resources.settings, stop)


async def _profiles(resources: Resources, stop: asyncio.Event) -> None:
    from consumers import slow_lane
    from consumers.profiles import Profiles
    from hub.identity import blocklist
    from hub.identity.strategies import rules
    from hub.streams.batches import consume

    blocklist.apply(resources.settings)
    wished = rules(resources.settings)
    regions = regions_of(resources.settings)
    prefix = resources.settings.kafka.prefix
    works = [Profiles(resources.hints, regions, prefix, wished) for _ in range(LANES + 1)]
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(slow_lane.run(resources.batch_pool, works.pop(), stop))
        await consume(resources.settings.kafka, resources.store, works, stop, resources.instance)


async def _relay(resources: Resources, stop: asyncio.Event) -> None:
    from producers import relay

    await relay.run(resources.batch_pool, resources.settings.kafka, resources.hints, stop)


async def _sync(resources: Resources, stop: asyncio.Event) -> None:
    from consumers.instances import instances
    from consumers.sync import Sync
    from hub.streams.batches import consume

    works = [Sync(tool, resources.hints) for tool in instances(resources.settings).values()]
    await consume(resources.settings.kafka, resources.store, works, stop, resources.instance)


async def _duplicates(resources: Resources, stop: asyncio.Event) -> None:
    from consumers.duplicates import Duplicates
    from hub.streams.batches import consume

    kafka = resources.settings.kafka
    await consume(kafka, resources.store, [Duplicates(kafka.prefix)], stop, resources.instance)


async def _automation(resources: Resources, stop: asyncio.Event) -> None:
    from consumers.automation import SIP, Automation
    from consumers.journeys import run_journeys
    from consumers.reminders import Reminders, run_reminders
    from consumers.ways import manner
    from hub.streams.batches import consume

    kafka, own, hints = resources.settings.kafka, manner(resources.settings), resources.hints
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(run_journeys(resources.batch_pool, kafka, own, hints, stop))
        tasks.create_task(run_reminders(Reminders(resources.batch_pool, own.teams), hints, stop))
        await consume(kafka, resources.store, [Automation(hints, own)], stop, resources.instance, sip=SIP)


async def _dispatcher(resources: Resources, stop: asyncio.Event) -> None:
    from consumers import dispatcher, mailer
    from consumers.instances import instances

    sends = mailer.of(resources.settings.mail, resources.pool)
    async with asyncio.TaskGroup() as tasks:
        if sends:
            tasks.create_task(mailer.run(sends, resources.hints, stop))
        await dispatcher.run(resources.pool, instances(resources.settings), resources.hints, stop)


async def _monitor(resources: Resources, stop: asyncio.Event) -> None:
    from consumers import monitor

    await monitor.run(resources.settings, resources.pool, stop)


async def _console(resources: Resources, stop: asyncio.Event) -> None:
    from hub.api.serve import serve

    await serve(resources.settings, resources.pool, stop)


ROLES: dict[str, Role] = {
    "gateway": _gateway,
    "mailbox": _mailbox,
    "profiles": _profiles,
    "relay": _relay,
    "sync": _sync,
    "duplicates": _duplicates,
    "automation": _automation,
    "dispatcher": _dispatcher,
    "monitor": _monitor,
    "console": _console,
}

DOORS: dict[str, Callable[[Settings, asyncio.Event], Coroutine[Any, Any, None]]] = {
    "gateway": run_door,
    "mailbox": run_mailbox,
}
"""Roles that let events in: alone in a process they start, and answer, while Kafka or PostgreSQL is away."""

TOGETHER: tuple[tuple[str, ...], ...] = (
    ("gateway",),
    ("mailbox",),
    ("profiles",),
    ("relay", "sync", "duplicates", "automation", "dispatcher", "monitor", "console"),
)
"""How `hub serve` shares the roles out over processes: those that are busy with Python have one each."""


def together(settings: Settings) -> list[tuple[str, ...]]:
    """The shares that have something to do: without a mail source there is no mailbox."""
    from producers.mailbox.sources import has_mail

    return [share for share in TOGETHER if share != ("mailbox",) or has_mail(settings)]


def regions_of(settings: Settings) -> dict[str, str | None]:
    """Source instance → country of phones that name none; the empty name is everybody else's."""
    from producers.gateway.instances import instances

    own = {name: getattr(one.settings, "region", None) for name, one in instances(settings).items()}
    return {"": settings.region} | {name: region or settings.region for name, region in own.items()}


async def run_roles(names: Sequence[str], resources: Resources, stop: asyncio.Event) -> None:
    """Run these roles in this process until `stop`. Raises Misconfigured for a role that is not known.

    A role that fails ends the process at once, as a kill would: everything here survives that, and the parent starts a
    new one. Half a process that hangs on the way out helps nobody.
    """
    unknown = [name for name in names if name not in ROLES]
    if unknown:
        raise Misconfigured(f"no role {unknown[0]!r}; there are {', '.join(ROLES)}")
    tasks = {asyncio.get_running_loop().create_task(ROLES[name](resources, stop), name=name) for name in names}
    done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
    for task in done:
        if error := task.exception():
            _log.error("role_failed", role=task.get_name(), error=repr(error), exc_info=error)
            os._exit(FAILED)
