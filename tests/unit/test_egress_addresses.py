"""The one way out: which addresses it refuses, however they are spelled, and what it does not follow."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from ipaddress import ip_address
from typing import Any

import pytest

from hub.egress import Egress, Forbidden, client, literal, objection, url_problem
from hub.egress.addresses import Address, Target, target

LOOPBACK = (
    *("127.0.0.1", "127.0.0.2", "127.1", "127.0.1", "127.255.255.254", "2130706433", "017700000001", "0x7f000001"),
    *("0x7f.0.0.1", "0x7f.0x0.0x0.0x1", "0177.0.0.1", "0177.0.0.01", "127.0.0.1.", "0x7F.1", "127.0x1", "00000177.1"),
    *("localhost", "localhost.", "LOCALHOST", "LocalHost", "127。0。0。1", "①②⑦.⓪.⓪.①", "１２７.０.０.１"),
    *(
        "[::1]",
        "[0:0:0:0:0:0:0:1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[0:0:0:0:0:ffff:127.0.0.1]",
        "[::127.0.0.1]",
    ),
    *(
        "[::ffff:0:127.0.0.1]",
        "[64:ff9b::127.0.0.1]",
        "[64:ff9b:1::7f00:1]",
        "[2002:7f00:1::]",
        "[::1%25lo]",
        "[fe80::1%25lo]",
    ),
)
THIS_NETWORK = ("0.0.0.0", "0", "0x0", "0.1.2.3", "00.00.00.00", "[::]", "[::ffff:0.0.0.0]", "0.0.0.0.", "[0::0]")
PRIVATE = (
    *("10.0.0.1", "10.255.255.255", "172.16.0.1", "172.31.255.254", "192.168.0.1", "192.168.255.255", "0xa000001"),
    *(
        "012.1.2.3",
        "167772161",
        "[::ffff:10.0.0.1]",
        "[::ffff:c0a8:1]",
        "[fc00::1]",
        "[fd12:3456:789a::1]",
        "100.64.0.1",
    ),
    *("100.127.255.255", "192.168.1", "3232235521"),
)
ELSEWHERE = (
    *("169.254.169.254", "0xa9fea9fe", "2852039166", "169.254.43518", "[::ffff:169.254.169.254]", "[fe80::1]"),
    *("[fec0::1]", "192.0.0.1", "192.0.0.192", "192.0.2.1", "198.51.100.7", "203.0.113.9", "192.88.99.1", "198.18.0.1"),
    *("198.19.255.255", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255", "[ff02::1]", "[ff05::2]"),
    *(
        "[2001:db8::1]",
        "[3fff::1]",
        "[2001::1]",
        "[2001:2::1]",
        "[2001:10::1]",
        "[2001:20::1]",
        "[2002:a00:1::]",
        "[100::1]",
    ),
    *("[64:ff9b::a9fe:a9fe]", "[5f00::1]", "[4000::1]", "0251.0376.0251.0376"),
)
HOSTS = (*LOOPBACK, *THIS_NETWORK, *PRIVATE, *ELSEWHERE)
URLS = (
    *(
        "http://example.com/",
        "ftp://example.com/",
        "file:///etc/passwd",
        "gopher://127.0.0.1/",
        "//example.com/",
        "example.com",
    ),
    *(
        "https://",
        "https:///x",
        "https://user@example.com/",
        "https://user:pass@example.com/",
        "https://:pass@example.com/",
    ),
    *(
        "https://example.com@127.0.0.1/",
        "https://exa mple.com/",
        "https://[::1/",
        "https://example.com:99999/",
        "unix:/run/x",
    ),
)


@asynccontextmanager
async def canary() -> AsyncIterator[tuple[int, list[Any]]]:
    """A listener on every address of this machine, and who has come."""
    visits: list[Any] = []

    def visited(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        visits.append(writer.get_extra_info("sockname"))
        writer.transport.abort()

    first = await asyncio.start_server(visited, "0.0.0.0")
    port = first.sockets[0].getsockname()[1]
    async with first, AsyncExitStack() as stack:
        if socket.has_dualstack_ipv6():
            await stack.enter_async_context(await asyncio.start_server(visited, "::", port))
        yield port, visits


def test_there_are_enough_vectors() -> None:
    assert len({*HOSTS, *URLS}) >= 80


async def test_no_spelling_of_an_inner_address_reaches_a_listener() -> None:
    async with canary() as (port, visits):
        out = Egress(allow_private=False, connections=4, seconds=5)
        try:
            for host in HOSTS:
                answer = await out.post(f"https://{host}:{port}/latest/meta-data", {}, b"{}")
                assert (answer.status, visits) == (None, []), host
                assert answer.error
        finally:
            await out.close()


async def test_the_connection_itself_refuses_what_no_check_saw_before() -> None:
    async with canary() as (port, visits):
        out = Egress(allow_private=False, connections=4, seconds=5)
        for host in HOSTS:
            with pytest.raises((Forbidden, OSError)):
                await out._connect(Target(host.strip("[]").replace("%25", "%"), port, False, b"", b"/"))
            assert visits == [], host


@pytest.mark.parametrize("host", [*THIS_NETWORK, *ELSEWHERE])
def test_what_is_no_private_network_stays_closed_to_tools_inside(host: str) -> None:
    assert url_problem(f"https://{host}/", allow_private=True)


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "10.1.2.3", "100.64.0.1", "[::1]", "[fd00::1]", "[::ffff:192.168.0.1]", "127.1"]
)
def test_a_tool_inside_may_be_reached_where_its_table_says_so(host: str) -> None:
    assert url_problem(f"http://{host}:9001/hub", allow_private=True) is None
    assert url_problem(f"https://{host}:9001/hub", allow_private=False)


@pytest.mark.parametrize("url", URLS)
def test_a_url_that_is_none_is_named_before_anything_is_sent(url: str) -> None:
    assert url_problem(url, allow_private=False)


@pytest.mark.parametrize(
    "address", ["1.1.1.1", "93.184.216.34", "2606:4700::1111", "2a00:1450:4001::200e", "::ffff:8.8.8.8"]
)
def test_public_addresses_are_open(address: str) -> None:
    assert objection(ip_address(address), allow_private=False) is None


def test_a_name_is_no_literal() -> None:
    assert [literal(host) for host in ("example.com", "face.de", "abc", "1.2.3.4.5", "")] == [None] * 5


class Wires:
    """Connects nowhere and writes down where it should have; the other end says it is one of `peers`."""

    def __init__(self, *peers: str) -> None:
        self.peers = list(peers)
        self.asked: list[str] = []
        self.closed = 0

    async def dial(self, address: Address, *_: Any) -> Wires:
        self.asked.append(str(address))
        return self

    def peer(self) -> str:
        return self.peers.pop(0) if self.peers else self.asked[-1]

    def close(self) -> None:
        self.closed += 1


async def connect(monkeypatch: pytest.MonkeyPatch, answers: list[list[str]], wires: Wires) -> None:
    """One connection to a name whose server gives these answers, one after the other."""

    async def lookup(*_: Any, **__: Any) -> list[Any]:
        return [(0, 0, 0, "", (address, 443)) for address in answers.pop(0)]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", lookup, raising=False)
    monkeypatch.setattr(client, "dial", wires.dial)
    out = Egress(allow_private=False, connections=1, seconds=5)
    await out._connect(target("https://tool.example/", allow_private=False))


async def test_the_address_that_was_checked_is_the_one_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    wires, answers = Wires(), [["93.184.216.34"], ["127.0.0.1"]]
    await connect(monkeypatch, answers, wires)
    assert wires.asked == ["93.184.216.34"], "the name was not asked for again"
    assert answers == [["127.0.0.1"]]


async def test_of_several_addresses_only_the_allowed_are_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    wires = Wires()
    await connect(monkeypatch, [["127.0.0.1", "10.0.0.1", "93.184.216.34"]], wires)
    assert wires.asked == ["93.184.216.34"]


async def test_a_name_that_leads_inside_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    wires = Wires()
    with pytest.raises(Forbidden, match="allow_private"):
        await connect(monkeypatch, [["10.0.0.1"]], wires)
    assert wires.asked == []


async def test_the_peer_is_looked_at_once_more_after_connecting(monkeypatch: pytest.MonkeyPatch) -> None:
    wires = Wires("127.0.0.1")
    with pytest.raises(Forbidden):
        await connect(monkeypatch, [["93.184.216.34"]], wires)
    assert wires.closed == 1
