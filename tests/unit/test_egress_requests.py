"""The one way out: what it sends, what it makes of every answer, and what it does not follow."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import uvloop

from hub.egress import Egress, client
from tests.support.tools import FakeTool, Reply, listening


@asynccontextmanager
async def inside(seconds: float = 5.0) -> AsyncIterator[Egress]:
    """A way out to tools inside."""
    out = Egress(allow_private=True, connections=4, seconds=seconds)
    try:
        yield out
    finally:
        await out.close()


async def test_a_redirect_is_an_answer_and_is_not_followed() -> None:
    async with FakeTool().serving() as elsewhere, FakeTool().serving() as tool, inside() as out:
        tool.script = lambda _: Reply(302, {"location": elsewhere.url})
        answer = await out.post(tool.url, {}, b"{}")
        assert (answer.status, elsewhere.connections, len(tool.got)) == (302, 0, 1)


async def test_a_proxy_of_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    async with FakeTool().serving() as elsewhere, FakeTool().serving() as tool, inside() as out:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY", "https_proxy"):
            monkeypatch.setenv(name, elsewhere.url)
        assert (await out.post(tool.url, {}, b"{}")).status == 200
        assert elsewhere.connections == 0


async def test_host_length_and_body_arrive_as_they_were_given_and_no_cookie_comes_back() -> None:
    async with FakeTool(lambda _: Reply(headers={"set-cookie": "a=b"})).serving() as tool, inside() as out:
        for _ in range(2):
            await out.post(tool.url + "/ünter?a=1", {"x-one": "1"}, b"{}")
        assert {got.path for got in tool.got} == {"/hub/%C3%BCnter?a=1"}
        assert [got.headers for got in tool.got] == [
            {"host": f"127.0.0.1:{tool.port}", "x-one": "1", "content-length": "2"}
        ] * 2


async def test_of_a_long_answer_64_kilobytes_are_read() -> None:
    async with FakeTool(lambda _: Reply(500, body=b"x" * 1_000_000)).serving() as tool, inside() as out:
        answer = await out.post(tool.url, {}, b"{}")
        assert (answer.status, len(answer.body)) == (500, 65_536)


async def test_a_tool_that_does_not_answer_is_left_after_its_time() -> None:
    async with FakeTool(lambda _: Reply(hang=True)).serving() as tool, inside(0.1) as out:
        answer = await out.post(tool.url, {}, b"{}")
        assert (answer.status, answer.error) == (None, "no answer within 0.1 s")


async def test_a_line_that_is_cut_is_an_error_and_not_an_exception() -> None:
    async with FakeTool(lambda _: Reply(reset=True)).serving() as tool, inside() as out:
        assert "reset by peer" in str((await out.post(tool.url, {}, b"{}")).error)
    async with inside() as out:
        assert "Connect" in str((await out.post(tool.url, {}, b"{}")).error)


async def test_connections_are_kept_open() -> None:
    async with FakeTool().serving() as tool, inside() as out:
        for _ in range(5):
            await out.post(tool.url, {}, b"{}")
        assert tool.connections == 1


async def test_a_connection_that_waited_too_long_is_not_used_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "IDLE_SECONDS", -1.0)
    async with FakeTool().serving() as tool, inside() as out:
        for _ in range(2):
            assert (await out.post(tool.url, {}, b"{}")).status == 200
        assert tool.connections == 2


def test_it_works_on_the_other_event_loop() -> None:
    async def talk() -> list[int | None]:
        async with FakeTool().serving() as tool, inside() as out:
            return [(await out.post(tool.url, {}, b"{}")).status for _ in range(2)]

    assert uvloop.run(talk()) == [200, 200]


@asynccontextmanager
async def raw(*pieces: bytes, close: bool = False) -> AsyncIterator[str]:
    """A server that answers with these bytes, piece by piece, whatever it is asked."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"{}")
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
        if not close:
            await reader.read()

    async with listening(talk) as port:
        yield f"http://127.0.0.1:{port}/"


@pytest.mark.parametrize(
    ("pieces", "close", "status", "body"),
    [
        ((b"HTTP/1.1 204 No Content\r\n\r\n",), False, 204, b""),
        ((b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n", b"0\r\n\r\n"), False, 200, b"ok"),
        ((b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\ncontent-length: 2\r\n\r\nok",), False, 201, b"ok"),
        (
            (b"HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n", b"HTTP/1.1 500 E\r\ncontent-length: 0\r\n\r\n"),
            False,
            500,
            b"",
        ),
        ((b"HTTP/1.0 200 OK\r\n\r\nuntil the end",), True, 200, b"until the end"),
        ((b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf",), True, 200, b"half"),
        ((b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nokHTTP/1.1 500 What else\r\n\r\n",), False, 200, b"ok"),
        ((b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n",), False, None, b""),
        ((b"SSH-2.0-OpenSSH_9.2\r\n",), False, None, b""),
        ((b"HTTP/1.1 200 OK\r\ncontent-len",), True, None, b""),
        ((), True, None, b""),
    ],
)
async def test_answers_of_every_shape_are_read(
    pieces: tuple[bytes, ...], close: bool, status: int, body: bytes
) -> None:
    async with raw(*pieces, close=close) as url, inside(1.0) as out:
        answer = await out.post(url, {}, b"{}")
        assert (answer.status, answer.body) == (status, body)
        assert (answer.error is None) == (status is not None)


async def test_a_header_cannot_end_its_line() -> None:
    async with FakeTool().serving() as tool, inside() as out:
        with pytest.raises(ValueError, match="line end"):
            await out.post(tool.url, {"x": "1\r\nx-other: 2"}, b"{}")
        assert tool.got == []


CERTIFICATE = Path(__file__).parents[1] / "support" / "tool.example.pem"


@asynccontextmanager
async def secured(names: list[str | None]) -> AsyncIterator[int]:
    """A tool behind TLS as `tool.example`; notes by which name it was asked for."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(CERTIFICATE)
    tls.sni_callback = lambda _, name, __: names.append(name)

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"{}")
        assert f"host: tool.example:{port}".encode() in head
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
        await reader.read()

    async with listening(talk, tls=tls) as port:
        yield port


@pytest.mark.parametrize(
    ("host", "trusted", "status", "error"),
    [
        ("tool.example", True, 200, None),
        ("tool.example", False, None, "certificate verify failed"),
        ("other.example", True, None, "certificate verify failed"),
        ("127.0.0.1", True, None, "certificate verify failed"),
    ],
)
async def test_tls_goes_by_the_name_and_the_connection_by_the_address(
    monkeypatch: pytest.MonkeyPatch, host: str, trusted: bool, status: int | None, error: str | None
) -> None:
    async def lookup(*_: Any, **__: Any) -> list[Any]:
        return [(0, 0, 0, "", ("127.0.0.1", port))]

    names: list[str | None] = []
    monkeypatch.setattr(client, "_tls", lambda: ssl.create_default_context(cafile=CERTIFICATE if trusted else None))
    async with secured(names) as port, inside() as out:
        monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", lookup, raising=False)
        answer = await out.post(f"https://{host}:{port}/", {}, b"{}")
        assert answer.status == status
        assert (error or "") in str(answer.error)
        assert names == [None if host == "127.0.0.1" else host]
