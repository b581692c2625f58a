"""Taking a request's body within bounds, and unpacking it within bounds."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

from hub.errors import Reject, TooLarge, Unreadable, WrongType

WIRE_BYTES = 1024 * 1024
"""Most bytes of a body as it travels; more is 413."""

PLAIN_BYTES = 10 * 1024 * 1024
"""Most bytes of a body after unpacking; more is 413."""

BODY_SECONDS = 30.0
"""How long a sender may take for its body; longer is 408."""

MEMBERS = 64
"""Most gzip files that may follow each other in one body: each costs a copy of what is left."""

GZIP, ZLIB, BARE_DEFLATE = 31, 15, -15
GZIP_MAGIC = b"\x1f\x8b"

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]


class Gone(Exception):
    """The client went away in the middle of its body: nobody is there to be answered."""


class TooSlow(Reject):
    """The body did not come in time."""

    status = 408


async def receive_body(receive: Receive, headers: Mapping[str, str]) -> bytes:
    """The body as it came. Raises TooLarge (before reading, where the length is told), Gone, TooSlow."""
    length = headers.get("content-length", "")
    if length.isdigit() and int(length) > WIRE_BYTES:
        raise TooLarge(f"the body has more than {WIRE_BYTES} bytes", "content-length")
    message = await receive()
    if message["type"] == "http.disconnect":
        raise Gone
    body: bytes = message.get("body", b"")
    if message.get("more_body"):
        return await _rest(receive, body)
    _check_size(body)
    return body


async def _rest(receive: Receive, first: bytes) -> bytes:
    body, more = bytearray(first), True
    try:
        async with asyncio.timeout(BODY_SECONDS):
            while more:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise Gone
                body += message.get("body", b"")
                more = message.get("more_body", False)
                _check_size(body)
    except TimeoutError:
        raise TooSlow(f"the body took longer than {BODY_SECONDS:.0f} s") from None
    return bytes(body)


def _check_size(body: bytes | bytearray) -> None:
    if len(body) > WIRE_BYTES:
        raise TooLarge(f"the body has more than {WIRE_BYTES} bytes")


def check_encoding(encoding: str) -> None:
    """Raises WrongType for a Content-Encoding that is not read here."""
    if encoding not in {"", "identity", "gzip", "x-gzip", "deflate"}:
        raise WrongType("Content-Encoding is gzip, deflate or identity", "content-encoding")


def unpacked(wire: bytes, encoding: str) -> bytes:
    """The body without its Content-Encoding, never more than PLAIN_BYTES in memory.

    Raises TooLarge for more, Unreadable for bytes that are no gzip or deflate, or end too early.
    """
    if encoding in {"", "identity"} or not wire:
        return wire
    try:
        if encoding == "deflate":
            return _inflated(wire, ZLIB if _is_zlib(wire) else BARE_DEFLATE)
        return _inflated(wire, GZIP)
    except zlib.error as error:
        raise Unreadable(f"the body is no {encoding}: {error}", "content-encoding") from error


def _is_zlib(wire: bytes) -> bool:
    """A zlib header's first two bytes are a multiple of 31; senders of `deflate` forget it often."""
    return len(wire) >= 2 and wire[0] & 0x0F == 8 and int.from_bytes(wire[:2], "big") % 31 == 0


def _inflated(wire: bytes, window: int) -> bytes:
    plain = bytearray()
    for _ in range(MEMBERS):
        reader = zlib.decompressobj(window)
        plain += reader.decompress(wire, PLAIN_BYTES + 1 - len(plain))
        if len(plain) > PLAIN_BYTES:
            raise TooLarge(f"the body has more than {PLAIN_BYTES} bytes when unpacked")
        if not reader.eof:
            raise Unreadable("the packed body ends too early", "content-encoding")
        wire = reader.unused_data
        if not wire:
            return bytes(plain)
        if window != GZIP or not wire.startswith(GZIP_MAGIC):
            break
    raise Unreadable("the packed body has bytes behind its end", "content-encoding")
