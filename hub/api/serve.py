"""The console's listener: the JSON answers under uvicorn."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import uvicorn

from consumers.monitor import Monitor
from hub import clock
from hub.api.app import create_app
from hub.errors import HubError, Misconfigured
from hub.settings import Listener, Settings
from hub.storage.pool import Pool
from hub.storage.standing import answers
from hub.telemetry.health import Check
from hub.telemetry.metrics import shared

BACKLOG = 512
GOODBYE_SECONDS = 5
FRESH_SECONDS = 4.0
"""Metrics that are younger than this are told as they are."""


def _told(_port: int) -> None:
    """Nobody asked for the port."""


async def serve(
    settings: Settings,
    pool: Pool,
    stop: asyncio.Event,
    ready: Callable[[int], None] = _told,
    *,
    checks: Mapping[str, Check] | None = None,
) -> None:
    """Answer until `stop` is set, then finish what is in hand.

    `ready` is called with the port once it is open; `checks` come on top of PostgreSQL and Kafka.
    Raises Misconfigured for a key without a secret, or a port in use.
    """
    async with Monitor(settings, pool) as monitor:
        own: dict[str, Check] = {"postgres": lambda: answers(pool), "kafka": monitor.answers}
        app = create_app(settings, pool, monitor.report, own | dict(checks or {}), before_metrics=_Refresh(monitor))
        with _bound(settings.console) as listening:
            config = uvicorn.Config(
                app,
                ws="none",
                lifespan="off",
                access_log=False,
                log_config=None,
                server_header=False,
                timeout_graceful_shutdown=GOODBYE_SECONDS,
            )
            server = _Server(config, lambda: ready(listening.getsockname()[1]))
            async with asyncio.TaskGroup() as tasks:
                leaving = tasks.create_task(_leave(server, stop))
                await server.serve([listening])
                leaving.cancel()


class _Refresh:
    """Brings the gauges up to date, at the most every few seconds; what is away leaves them as they were."""

    def __init__(self, monitor: Monitor) -> None:
        self._monitor = monitor
        self._done_at = float("-inf")

    async def __call__(self) -> None:
        if clock.monotonic() - self._done_at < FRESH_SECONDS:
            return
        try:
            shared().show(await self._monitor.report(), clock.now().timestamp())
        except HubError:
            return
        self._done_at = clock.monotonic()


class _Server(uvicorn.Server):
    """A server that leaves signals to the process it runs in, and tells when its port is open."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._ready()


async def _leave(server: uvicorn.Server, stop: asyncio.Event) -> None:
    await stop.wait()
    server.should_exit = True


@contextmanager
def _bound(address: Listener) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    try:
        listening = socket.create_server((address.host, address.port), family=family, backlog=BACKLOG)
    except OSError as error:
        raise Misconfigured(f"console.listen: {address.listen}: {error.strerror}") from error
    with listening:
        yield listening
