"""A department's tool for the bench: takes webhooks, says 204, and knows when it first heard of each person."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import perf_counter
from typing import cast

import httptools

_PERSON = re.compile(rb"\"(post|warm)\.(\d{8})@example\.com\"")
_ANSWER = b"HTTP/1.1 204 No Content\r\n\r\n"


class Tool:
    """What was heard so far: number of the person's post → when its webhook had come in whole."""

    def __init__(self) -> None:
        self.heard: dict[int, float] = {}
        self.warmed: set[int] = set()
        self.port = 0

    def take(self, body: bytes) -> None:
        """A webhook has come in."""
        at = perf_counter()
        for kind, number in set(_PERSON.findall(body)):
            if kind == b"post":
                self.heard.setdefault(int(number), at)
            else:
                self.warmed.add(int(number))


class _Connection(asyncio.Protocol):
    def __init__(self, tool: Tool) -> None:
        self._tool = tool
        self._parser = httptools.HttpRequestParser(self)
        self._pieces: list[bytes] = []
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's own is none by its class

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_body(self, piece: bytes) -> None:
        """Called by the parser."""
        self._pieces.append(piece)

    def on_message_complete(self) -> None:
        """Called by the parser."""
        self._tool.take(b"".join(self._pieces))
        self._pieces.clear()
        if self._transport:
            self._transport.write(_ANSWER)


@asynccontextmanager
async def tool() -> AsyncIterator[Tool]:
    """A tool that listens on a free port of this machine until the block ends."""
    one = Tool()
    server = await asyncio.get_running_loop().create_server(lambda: _Connection(one), "127.0.0.1", 0)
    async with server:
        one.port = server.sockets[0].getsockname()[1]
        yield one
