"""Posting forms over kept connections at little cost: requests are bytes, answers no more than their status."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast

import httptools

from bench.events import FORM, FORM_KEY, SOURCE

Done = Callable[[int], None]


def form_post(host: str, body: bytes) -> bytes:
    """The bytes of a post to the bench's form."""
    head = (
        f"POST /in/{SOURCE}?key={FORM_KEY} HTTP/1.1\r\nHost: {host}\r\nContent-Type: {FORM}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def form_body(number: int, name: str) -> bytes:
    """A form as browsers write it, of a person of its own."""
    return (
        f"name=Ann+{name.title()}&email={name}.{number:08d}%40example.com&phone=%2B49152{number:08d}"
        f"&message=Can+you+send+me+an+offer+for+no.+{number:08d}"
    ).encode()


class Poster(asyncio.Protocol):
    """One connection: a post at a time, `done` is told the status of each."""

    def __init__(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._transport: asyncio.Transport | None = None
        self._done: Done | None = None

    @property
    def free(self) -> bool:
        """Whether it can take a post."""
        return self._transport is not None and self._done is None

    def post(self, request: bytes, done: Done) -> None:
        """Send the bytes; `done` is called once, with 0 where the connection ended instead."""
        if self._transport is None:
            done(0)
            return
        self._done = done
        self._transport.write(request)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's own is none by its class

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def connection_lost(self, _error: Exception | None) -> None:
        self._transport = None
        self._tell(0)

    def on_message_complete(self) -> None:
        """Called by the parser."""
        self._tell(self._parser.get_status_code())

    def close(self) -> None:
        """End the connection."""
        if self._transport:
            self._transport.close()

    def _tell(self, status: int) -> None:
        done, self._done = self._done, None
        if done:
            done(status)
