"""uvicorn's HTTP protocol with bounds on a request's head, which it has none for: in bytes, and in time."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_BYTES = 64 * 1024
HEAD_SECONDS = 30.0
"""How long a connection may stay without a request: whoever sends a head byte by byte is cut off within twice that."""


class BoundedProtocol(HttpToolsProtocol):
    """A connection that is closed where the head of a request does not end."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Begin to watch."""
        super().connection_made(transport)
        self._head: int | None = 0
        self._seen: Any = None
        self.loop.call_later(HEAD_SECONDS, self._look)

    def on_message_begin(self) -> None:
        """A head begins."""
        super().on_message_begin()
        self._head = 0

    def on_headers_complete(self) -> None:
        """A head ends."""
        self._head = None
        super().on_headers_complete()

    def data_received(self, data: bytes) -> None:
        """Count what belongs to a head that has not ended yet."""
        super().data_received(data)
        if self._head is not None:
            self._head += len(data)
            if self._head > HEAD_BYTES:
                self.transport.close()

    def _look(self) -> None:
        """Close the connection where nothing came of it since the last look; else look again later."""
        last: Any = self.cycle  # None before the first request, whatever uvicorn's types say
        if last is self._seen and (last is None or last.response_complete):
            self.transport.close()
        if not self.transport.is_closing():
            self._seen = last
            self.loop.call_later(HEAD_SECONDS, self._look)
