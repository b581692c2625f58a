"""The one way out: HTTP to addresses that somebody configured, and to no address that they should not reach.

What is checked is the address that is connected to, after the name was resolved: no other spelling and no second
answer of the name server comes between the check and the connection. There are no redirects, no cookies and no proxies,
since nothing here knows how to follow them.
"""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from ssl import SSLContext

import httpcore
import httpx

from hub import clock
from hub.errors import Misconfigured

MOST_BYTES = 64 * 1024
"""What is read of an answer."""
IDLE_SECONDS = 4.0
"""A connection waits that long for its next request: less than the 5 s after which common servers close it."""


def _networks(*written: str) -> tuple[IPv4Network | IPv6Network, ...]:
    return tuple(ip_network(one) for one in written)


INSIDE = _networks(
    "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "::1/128", "fc00::/7"
)
"""Private, loopback, carrier NAT, unique local: open to a destination that says `allow_private`."""

NEVER = _networks(
    *("0.0.0.0/8", "169.254.0.0/16", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15"),
    *("198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"),
    *("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"),
)
"""This network, link-local (where clouds keep their secrets), relays, benchmarks, documentation, multicast, class E."""

_PUBLIC_6 = IPv6Network("2000::/3")
"""All that the world hands out today; outside lie NAT64, discard, segment routing, link-local and multicast."""

_MAPPED_6 = IPv6Network("::ffff:0:0/96")
_HOST = re.compile(r"[A-Za-z0-9._-]+|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*")
_NUMBERS = re.compile(r"[0-9a-fxA-FX.]+")


class Forbidden(Misconfigured):
    """The URL leads where this destination may not go; the text says why."""


def objection(address: IPv4Address | IPv6Address, *, allow_private: bool) -> str | None:
    """Why this address may not be connected to, or None where it may."""
    if isinstance(address, IPv6Address):
        if address in _MAPPED_6:
            return objection(IPv4Address(address.packed[12:]), allow_private=allow_private)
        if address.scope_id:
            return f"{address} is bound to one network card"
    if any(address in network for network in INSIDE):
        return None if allow_private else f"{address} is private; `allow_private = true` opens it"
    closed = any(address in network for network in NEVER) or (address.version == 6 and address not in _PUBLIC_6)
    return f"{address} is no public address" if closed else None


def literal(host: str) -> IPv4Address | IPv6Address | None:
    """The address that a host spells out, in any way that a resolver would take for one (127.1, 0x7f000001)."""
    bare = host.strip("[]").rstrip(".")
    try:
        return ip_address(bare)
    except ValueError:
        pass
    try:
        return IPv4Address(socket.inet_aton(bare)) if _NUMBERS.fullmatch(bare) else None
    except OSError:
        return None


def url_problem(url: str, *, allow_private: bool) -> str | None:
    """What is wrong with a configured URL, as far as it shows before its name is resolved."""
    try:
        parsed = httpx.URL(url)
    except (httpx.InvalidURL, ValueError) as error:
        return f"{error}"
    if parsed.scheme not in {"http", "https"} or not _HOST.fullmatch(parsed.raw_host.decode()):
        return "must be https://host/…"
    if parsed.port is not None and not 1 <= parsed.port <= 65_535:
        return f"there is no port {parsed.port}"
    if parsed.userinfo:
        return "must not hold a user name or password"
    if parsed.scheme == "http" and not allow_private:
        return "must be https:// (http:// is for tools inside: `allow_private = true`)"
    address = literal(parsed.host)
    return objection(address, allow_private=allow_private) if address else None


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one request: the status, or None and the error. The body is cut off at 64 kB."""

    status: int | None
    error: str | None
    retry_after: str | None
    body: bytes
    milliseconds: int


class Egress:
    """Connections to one destination, kept open between requests; at the most `connections` at a time."""

    def __init__(self, *, allow_private: bool, connections: int, seconds: float) -> None:
        self._allow_private = allow_private
        self._seconds = seconds
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=_tls(),
            max_connections=connections,
            max_keepalive_connections=connections,
            keepalive_expiry=IDLE_SECONDS,
            network_backend=_Checked(allow_private=allow_private),
        )

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """One POST, within the time allowed. Never raises for what the tool or the network does: the answer says it."""
        begun = clock.monotonic()
        heard = _Heard()
        error: str | None = None
        try:
            async with asyncio.timeout(self._seconds):
                await self._exchange(self._request(url, headers, body), heard)
        except (TimeoutError, httpcore.TimeoutException):
            error = f"no answer within {self._seconds:g} s"
        except Forbidden as refusal:
            error = f"not sent: {refusal}"
        except (httpcore.NetworkError, httpcore.ProtocolError, httpx.InvalidURL, OSError) as broken:
            error = f"{type(broken).__name__}: {broken}"[:500]
        spent = int((clock.monotonic() - begun) * 1000)
        known = heard.status is not None  # whatever happens after the status, the tool has spoken
        return Answer(heard.status, None if known else error, heard.retry_after, bytes(heard.body), spent)

    async def close(self) -> None:
        """Close every connection."""
        await self._pool.aclose()

    def _request(self, url: str, headers: Mapping[str, str], body: bytes) -> httpcore.Request:
        if problem := url_problem(url, allow_private=self._allow_private):
            raise Forbidden(problem)
        ready = httpx.Request("POST", url, headers=headers, content=body)
        target = ready.url
        return httpcore.Request(
            "POST",
            httpcore.URL(scheme=target.raw_scheme, host=target.raw_host, port=target.port, target=target.raw_path),
            headers=ready.headers.raw,
            content=body,
            extensions={"timeout": dict.fromkeys(("connect", "read", "write", "pool"), self._seconds)},
        )

    async def _exchange(self, request: httpcore.Request, heard: _Heard) -> None:
        response = await self._pool.handle_async_request(request)
        try:
            heard.status = response.status
            heard.retry_after = next(
                (v.decode("latin-1") for n, v in response.headers if n.lower() == b"retry-after"), None
            )
            async for chunk in response.aiter_stream():
                heard.body += chunk[: MOST_BYTES - len(heard.body)]
                if len(heard.body) >= MOST_BYTES:
                    break
        finally:
            await response.aclose()


class _Heard:
    """What has come in so far of an answer."""

    def __init__(self) -> None:
        self.status: int | None = None
        self.retry_after: str | None = None
        self.body = bytearray()


class _Checked(httpcore.AsyncNetworkBackend):
    """Connects to addresses that were checked; TLS and the Host header go by the name all the same."""

    def __init__(self, *, allow_private: bool) -> None:
        self._allow_private = allow_private
        self._network: httpcore.AsyncNetworkBackend = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - the protocol of httpcore asks for it
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """To the first of the name's addresses that is allowed and answers. Raises Forbidden where none is allowed."""
        failure: Exception = Forbidden(f"{host} has no address")
        for address in await _resolve(host, port):
            if refusal := objection(address, allow_private=self._allow_private):
                failure = Forbidden(refusal)
                continue
            try:
                stream = await self._network.connect_tcp(str(address), port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
                continue
            await self._recheck(stream)
            return stream
        raise failure

    async def _recheck(self, stream: httpcore.AsyncNetworkStream) -> None:
        """The peer as the kernel names it: what is really at the other end."""
        peer = ip_address(stream.get_extra_info("server_addr")[0])
        if refusal := objection(peer, allow_private=self._allow_private):
            await stream.aclose()
            raise Forbidden(refusal)


async def _resolve(host: str, port: int) -> list[IPv4Address | IPv6Address]:
    if spelled := literal(host):
        return [spelled]
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise httpcore.ConnectError(f"{host}: {error}") from error
    return list(dict.fromkeys(ip_address(address[4][0]) for address in found))


@lru_cache(maxsize=1)
def _tls() -> SSLContext:
    return httpx.create_ssl_context()
