"""The gateway's listener: up at once, whether the broker is there or not."""

from __future__ import annotations

import asyncio
import gc
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import uvicorn

from hub.errors import Misconfigured
from hub.settings import Listener as Address
from hub.settings import Settings
from producers.gateway.app import ASGIApp, Health, create_app
from producers.gateway.line import Line
from producers.gateway.protocol import BoundedProtocol
from producers.gateway.refusals import Refusals

BACKLOG = 2048
GOODBYE_SECONDS = 5


async def _well() -> Sequence[str]:
    return ()


def _told(_port: int) -> None:
    """Nobody asked for the port."""


async def serve(
    settings: Settings,
    stop: asyncio.Event,
    ready: Callable[[int], None] = _told,
    *,
    health: Health = _well,
    shared: bool = False,
) -> None:
    """Take posts until `stop` is set, then finish what is in hand.

    `ready` is called with the port once it is open; `health` adds to what makes the gateway unready; `shared` lets
    several processes listen on the same port. Raises Misconfigured for a wrong source or key, or a port in use.
    """
    line = Line()

    async def problems() -> Sequence[str]:
        return [*await line.problems(), *await health()]

    refusals = Refusals()
    app = create_app(settings, line, problems, refusals)
    _spare_the_collector()
    closed = asyncio.Event()
    with _bound(settings.gateway, shared=shared) as listening:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(line.keep(settings.kafka, closed))
            if settings.redis.url:
                tasks.create_task(refusals.keep(settings.redis.url, settings.kafka.prefix, closed))
            try:
                await _listen(app, listening, stop, ready)
            finally:
                closed.set()


def _spare_the_collector() -> None:
    """What is loaded by now stays for good: walking it again and again costs a twentieth of the rate."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)


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


async def _listen(app: ASGIApp, listening: socket.socket, stop: asyncio.Event, ready: Callable[[int], None]) -> None:
    config = uvicorn.Config(
        app,
        http=BoundedProtocol,
        ws="none",
        lifespan="off",
        interface="asgi3",
        access_log=False,
        proxy_headers=False,
        log_config=None,
        server_header=False,
        backlog=BACKLOG,
        timeout_graceful_shutdown=GOODBYE_SECONDS,
    )
    server = _Server(config, lambda: ready(listening.getsockname()[1]))

    async def leave() -> None:
        await stop.wait()
        server.should_exit = True

    async with asyncio.TaskGroup() as tasks:
        leaving = tasks.create_task(leave())
        await server.serve([listening])
        leaving.cancel()


@contextmanager
def _bound(address: Address, *, shared: bool) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    try:
        listening = socket.create_server(
            (address.host, address.port), family=family, backlog=BACKLOG, reuse_port=shared
        )
    except OSError as error:
        raise Misconfigured(f"gateway.listen: {address.listen}: {error.strerror}") from error
    with listening:
        yield listening
