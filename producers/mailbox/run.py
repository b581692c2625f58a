"""The role `mailbox`: every mail source of hub.toml at work, as long as the process lives."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import ExitStack

from hub.settings import Settings
from producers.gateway.instances import instances
from producers.gateway.line import Line
from producers.mailbox.fetcher import Fetcher
from producers.mailbox.listener import Listener


def _told(_ports: Mapping[str, int]) -> None:
    """Nobody asked for the ports."""


async def run(settings: Settings, stop: asyncio.Event, ready: Callable[[Mapping[str, int]], None] = _told) -> None:
    """Take mail until `stop` is set, then finish what is in hand; without a mail source just wait.

    `ready` is called with the port of each listener once all are open. Raises Misconfigured for a wrong source, or a
    port in use.
    """
    found = [one for one in instances(settings).values() if one.source.door == "mail"]
    if not found:
        await stop.wait()
        return
    line = Line()
    with ExitStack() as closing:
        listeners: dict[str, Listener] = {}
        for one in (one for one in found if one.source.name == "smtp"):
            listeners[one.name] = Listener(one, line)
            closing.callback(listeners[one.name].close)
        ready({name: listener.port for name, listener in listeners.items()})
        fetchers = [Fetcher(one, line, settings.state / "mailbox") for one in found if one.name not in listeners]
        await _work(settings, line, [*listeners.values(), *fetchers], stop)


async def _work(settings: Settings, line: Line, workers: list[Listener | Fetcher], stop: asyncio.Event) -> None:
    closed = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(line.keep(settings.kafka, closed))
        try:
            async with asyncio.TaskGroup() as at_work:
                for worker in workers:
                    at_work.create_task(worker.run(stop))
        finally:
            closed.set()
