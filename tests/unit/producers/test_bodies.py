"""Bodies within bounds: on the wire, in time, and unpacked."""

from __future__ import annotations

import asyncio
import gzip
import zlib
from collections.abc import Iterable, MutableMapping
from functools import partial
from typing import Any

import pytest

from hub.errors import TooLarge, Unreadable, WrongType
from producers.gateway import bodies
from producers.gateway.bodies import (
    WIRE_BYTES,
    Gone,
    Receive,
    TooSlow,
    check_encoding,
    receive_body,
    unpacked,
)
from tests.support.packing import bare_deflate

BODY = b"name=Ann&email=ann%40example.com" * 9
gzipped = partial(gzip.compress, mtime=0)  # the same bytes in every process: they name the test


def wire(*pieces: bytes, end: bool = True) -> Receive:
    messages: list[MutableMapping[str, Any]] = [
        {"type": "http.request", "body": piece, "more_body": not end or place < len(pieces) - 1}
        for place, piece in enumerate(pieces)
    ]
    return said([*messages, {"type": "http.disconnect"}])


def said(messages: Iterable[MutableMapping[str, Any]]) -> Receive:
    left = iter(messages)

    async def receive() -> MutableMapping[str, Any]:
        return next(left)

    return receive


async def test_a_body_comes_in_one_piece_or_in_several() -> None:
    assert await receive_body(wire(BODY), {}) == BODY
    assert await receive_body(wire(b"name", b"=", b"", b"Ann"), {}) == b"name=Ann"
    assert await receive_body(wire(b""), {}) == b""


@pytest.mark.parametrize("pieces", [[b"x" * (WIRE_BYTES + 1)], [b"x" * WIRE_BYTES, b"x"]])
async def test_a_body_over_the_limit_is_too_large(pieces: list[bytes]) -> None:
    with pytest.raises(TooLarge):
        await receive_body(wire(*pieces), {})


async def test_a_body_of_exactly_the_limit_is_taken() -> None:
    assert len(await receive_body(wire(b"x" * (WIRE_BYTES - 1), b"x"), {})) == WIRE_BYTES


async def test_a_length_over_the_limit_is_refused_before_reading() -> None:
    with pytest.raises(TooLarge) as wrong:
        await receive_body(said([]), {"content-length": str(WIRE_BYTES + 1)})
    assert wrong.value.field == "content-length"


@pytest.mark.parametrize("receive", [said([{"type": "http.disconnect"}]), wire(b"name", b"=", end=False)])
async def test_a_client_that_leaves_in_the_middle_is_gone(receive: Receive) -> None:
    with pytest.raises(Gone):
        await receive_body(receive, {})


async def test_a_body_that_takes_for_ever_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "BODY_SECONDS", 0.0)
    pieces = wire(b"name", end=False)

    async def receive() -> MutableMapping[str, Any]:
        message = await pieces()
        return message if message["type"] == "http.request" else await asyncio.get_running_loop().create_future()

    with pytest.raises(TooSlow):
        await receive_body(receive, {})


@pytest.mark.parametrize(
    ("packed", "encoding"),
    [
        (BODY, ""),
        (BODY, "identity"),
        (gzipped(BODY), "gzip"),
        (gzipped(BODY), "x-gzip"),
        (gzipped(BODY[:50]) + gzipped(BODY[50:]), "gzip"),
        (zlib.compress(BODY), "deflate"),
        (bare_deflate(BODY), "deflate"),
    ],
)
def test_a_packed_body_is_unpacked(packed: bytes, encoding: str) -> None:
    check_encoding(encoding)
    assert unpacked(packed, encoding) == BODY


def test_an_empty_body_is_empty_whatever_its_encoding() -> None:
    assert unpacked(b"", "gzip") == b""


@pytest.mark.parametrize("encoding", ["br", "zstd", "compress", "gzip, gzip"])
def test_another_encoding_is_a_wrong_type(encoding: str) -> None:
    with pytest.raises(WrongType) as wrong:
        check_encoding(encoding)
    assert wrong.value.field == "content-encoding"


@pytest.mark.parametrize(
    ("packed", "encoding"),
    [
        (b"name=Ann", "gzip"),
        (b"name=Ann", "deflate"),
        (gzipped(BODY)[:-4], "gzip"),
        (gzipped(BODY)[:15], "gzip"),
        (gzipped(BODY) + b"more", "gzip"),
        (zlib.compress(BODY) + b"more", "deflate"),
        (gzipped(b"") * 1000, "gzip"),
    ],
)
def test_a_damaged_body_is_unreadable(packed: bytes, encoding: str) -> None:
    with pytest.raises(Unreadable) as wrong:
        unpacked(packed, encoding)
    assert wrong.value.field == "content-encoding"
