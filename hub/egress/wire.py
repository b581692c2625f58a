"""One connection and the HTTP/1.1 on it: a request out, its answer in, and nothing else.

Written for this one purpose, over the parser that the web servers use as well: a general client spent 1.4 ms of CPU on
each request, this one a tenth of it, and a delivery is nothing but a request.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from ssl import SSLContext
from typing import cast

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from hub.egress.addresses import Address, Target

MOST_BYTES = 64 * 1024
"""What is read of an answer; one that is longer ends its connection."""


class Broken(Exception):
    """The connection ended, or what came over it is no HTTP; the text says which."""


class Heard:
    """What has come in so far of an answer: `status` None means nothing yet."""

    def __init__(self) -> None:
        self.status: int | None = None
        self.retry_after: str | None = None
        self.body = bytearray()


class Wire(asyncio.Protocol):
    """A connection. It carries one request at a time, and is `idle` when another may follow."""

    def __init__(self) -> None:
        self.idle = False
        self.heard = Heard()
        self._transport: asyncio.Transport | None = None
        self._parser: HttpResponseParser | None = None
        self._done: asyncio.Future[None] | None = None

    async def exchange(self, request: bytes, heard: Heard) -> None:
        """Send a request and fill `heard`, whose status stays where the rest of the answer does not come.

        Raises Broken. Whoever is cancelled meanwhile closes the connection.
        """
        if self._transport is None or self._transport.is_closing():
            raise Broken("the connection is closed")
        self.idle, self.heard = False, heard
        self._parser = HttpResponseParser(self)
        self._done = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        await self._done

    def peer(self) -> str:
        """The address at the other end, as the kernel names it."""
        return str(self._transport.get_extra_info("peername")[0]) if self._transport else ""

    def close(self) -> None:
        """End it now."""
        self.idle = False
        if self._transport is not None:
            self._transport.abort()

    # What the event loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # one of uvloop's own is none by name

    def data_received(self, data: bytes) -> None:
        if self._parser is None or self._over:
            self.close()  # nobody asked
            return
        try:
            self._parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade) as error:
            self._end(Broken(f"no HTTP: {error}"))
            self.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self.idle = False
        self._end(None if self.heard.status else Broken(f"the connection ended: {exc or 'no answer'}"))

    # What the parser calls.

    @property
    def _over(self) -> bool:
        """Whether the answer is complete: what comes behind it was not asked for."""
        return self._done is None or self._done.done()

    def on_header(self, name: bytes, value: bytes) -> None:
        if name.lower() == b"retry-after" and not self._over:
            self.heard.retry_after = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code() if self._parser else 0
        if self._over:
            self.close()
        elif status >= 200:  # an interim answer (100 Continue, 103 Early Hints) is none
            self.heard.status = status

    def on_body(self, body: bytes) -> None:
        if self._over:
            return
        self.heard.body += body[: MOST_BYTES - len(self.heard.body)]
        if len(self.heard.body) >= MOST_BYTES:
            self._end(None)
            self.close()

    def on_message_complete(self) -> None:
        if self.heard.status is not None and self._parser is not None and not self._over:
            self.idle = self._parser.should_keep_alive()
            self._end(None)

    def _end(self, error: Exception | None) -> None:
        if self._done is None or self._done.done():
            return
        if error is None:
            self._done.set_result(None)
        else:
            self._done.set_exception(error)


def request(target: Target, headers: Mapping[str, str], body: bytes) -> bytes:
    """A POST as it goes over the wire. Raises ValueError for a header that would end its line."""
    lines = [b"POST %s HTTP/1.1" % target.path, b"host: %s" % target.authority, b"content-length: %d" % len(body)]
    for name, value in headers.items():
        line = f"{name}: {value}"
        if "\r" in line or "\n" in line:
            raise ValueError(f"the header {name!r} holds a line end")
        lines.append(line.encode("latin-1"))
    return b"\r\n".join((*lines, b"", body))


async def dial(address: Address, target: Target, tls: SSLContext) -> Wire:
    """A connection to this address; TLS goes by the name. Raises OSError (ssl.SSLError is one)."""
    _, wire = await asyncio.get_running_loop().create_connection(
        Wire,
        str(address),
        target.port,
        ssl=tls if target.secure else None,
        server_hostname=target.host.rstrip(".") if target.secure else None,
    )
    return wire
