"""A department's tool for tests: a real HTTP server that answers by a script and writes down what it was sent."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from ssl import SSLContext
from typing import Any

import orjson

from hub import clock
from hub.embedded.ports import LOOPBACK


@dataclass(frozen=True)
class Got:
    """A request as it came in; `answered` is the status it was given, None where there was no answer."""

    at: float
    path: str
    headers: dict[str, str]
    body: bytes
    answered: int | None

    @property
    def id(self) -> str:
        """The webhook-id."""
        return self.headers["webhook-id"]

    @property
    def json(self) -> dict[str, Any]:
        """The body, decoded."""
        decoded: dict[str, Any] = orjson.loads(self.body)
        return decoded

    @property
    def profile(self) -> dict[str, Any]:
        """The profile's line in it."""
        line: dict[str, Any] = self.json["data"]["profile"]
        return line


@dataclass(frozen=True)
class Reply:
    """What the tool does: a status; `hang` never answers, `reset` cuts the line, `gate` is waited for first."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b"ok"
    hang: bool = False
    reset: bool = False
    gate: asyncio.Event | None = None


OK = Reply()
Script = Callable[[Got], Reply]


class FakeTool:
    """The server. `script` may be exchanged at any time; `got` holds the requests in the order of their arrival."""

    def __init__(self, script: Script | None = None) -> None:
        self.script: Script = script or (lambda _: OK)
        self.got: list[Got] = []
        self.port = 0
        self.connections = 0
        self.on_the_wire = 0
        self.most_on_the_wire = 0
        self._news = asyncio.Event()

    @property
    def url(self) -> str:
        """Where to post."""
        return f"http://{LOOPBACK}:{self.port}/hub"

    async def until(self, condition: Callable[[], bool], within: float = 20.0) -> None:
        """Come back when the condition holds; it is looked at after every request. Raises TimeoutError."""
        async with asyncio.timeout(within):
            while not condition():
                self._news.clear()
                await self._news.wait()

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[FakeTool]:
        """Serve for as long as the block lasts."""
        async with listening(self._talk, self.port) as self.port:
            yield self

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        while True:
            request = await _request(reader)
            reply = self.script(request)
            self.on_the_wire += 1
            self.most_on_the_wire = max(self.most_on_the_wire, self.on_the_wire)
            try:
                if not await self._answer(request, reply, reader, writer):
                    return
            finally:
                self.on_the_wire -= 1

    async def _answer(
        self, request: Got, reply: Reply, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        answered = None if reply.hang or reply.reset else reply.status
        self.got.append(Got(request.at, request.path, request.headers, request.body, answered))
        self._news.set()
        if reply.gate:
            await reply.gate.wait()
        if reply.hang:
            await reader.read()  # until the other side has had enough
            return False
        if reply.reset:
            sock: socket.socket = writer.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()
            return False
        writer.write(_response(reply))
        await writer.drain()
        return True


Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def listening(talk: Talk, port: int = 0, tls: SSLContext | None = None) -> AsyncIterator[int]:
    """A server on this machine and its port; at the end no connection and no conversation is left."""
    talks: set[asyncio.Task[None]] = set()

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await talk(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    async with asyncio.TaskGroup() as tasks:

        def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            talks.add(tasks.create_task(converse(reader, writer)))

        server = await asyncio.start_server(accept, LOOPBACK, port, ssl=tls)
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            server.close()
            for one in talks:
                one.cancel()


async def _request(reader: asyncio.StreamReader) -> Got:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.strip().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Got(clock.monotonic(), first.split(" ")[1], headers, body, None)


def _response(reply: Reply) -> bytes:
    headers = {"content-length": str(len(reply.body)), **reply.headers}
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 {reply.status} {HTTPStatus(reply.status).phrase}\r\n{lines}\r\n".encode() + reply.body


async def until(condition: Callable[[], Awaitable[bool]], within: float = 20.0) -> None:
    """Come back when a condition that must be asked for holds. Raises TimeoutError."""
    async with asyncio.timeout(within):
        while not await condition():
            await asyncio.sleep(0.01)
