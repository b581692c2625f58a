"""Requests to one destination: over a connection that is open already, else over a new one to a checked address."""

from __future__ import annotations

import asyncio
import socket
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address
from ssl import SSLContext

import httpx

from hub import clock
from hub.egress.addresses import Address, Forbidden, Target, literal, objection, target
from hub.egress.wire import Broken, Heard, Wire, dial, request

IDLE_SECONDS = 4.0
"""A connection waits that long for its next request: less than the 5 s after which common servers close it."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one request: the status, or None and the error. The body is cut off at 64 kB."""

    status: int | None
    error: str | None
    retry_after: str | None
    body: bytes
    milliseconds: int


class Egress:
    """Connections to one destination, at the most `connections` of them kept open between requests."""

    def __init__(self, *, allow_private: bool, connections: int, seconds: float) -> None:
        self._allow_private = allow_private
        self._connections = connections
        self._seconds = seconds
        self._open: defaultdict[tuple[str, int, bool], list[tuple[float, Wire]]] = defaultdict(list)

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """One POST, within the time allowed. Never raises for what the tool or the network does: the answer says it."""
        begun = clock.monotonic()
        heard = Heard()
        error: str | None = None
        try:
            where = target(url, self._allow_private)
            async with asyncio.timeout(self._seconds):
                await self._exchange(where, request(where, headers, body), heard)
        except TimeoutError:
            error = f"no answer within {self._seconds:g} s"
        except Forbidden as refusal:
            error = f"not sent: {refusal}"
        except (Broken, OSError) as broken:
            error = f"{type(broken).__name__}: {broken}"[:500]
        spent = int((clock.monotonic() - begun) * 1000)
        known = heard.status is not None  # whatever happens after the status, the tool has spoken
        return Answer(heard.status, None if known else error, heard.retry_after, bytes(heard.body), spent)

    async def close(self) -> None:
        """Close every connection."""
        for waiting in self._open.values():
            for _, wire in waiting:
                wire.close()
        self._open.clear()
        await asyncio.sleep(0)  # the event loop hears of it

    async def _exchange(self, where: Target, sent: bytes, heard: Heard) -> None:
        waiting = self._open[where.host, where.port, where.secure]
        wire = _fresh(waiting) or await self._connect(where)
        try:
            await wire.exchange(sent, heard)
        finally:
            if wire.idle and len(waiting) < self._connections:
                waiting.append((clock.monotonic(), wire))
            else:
                wire.close()

    async def _connect(self, where: Target) -> Wire:
        """To the first of the name's addresses that is allowed and answers. Raises Forbidden where none is allowed."""
        failure: Exception = Forbidden(f"{where.host} has no address")
        for address in await resolve(where.host, where.port):
            if refusal := objection(address, allow_private=self._allow_private):
                failure = Forbidden(refusal)
                continue
            try:
                wire = await dial(address, where, _tls())
            except OSError as error:
                failure = error
                continue
            self._recheck(wire)
            return wire
        raise failure

    def _recheck(self, wire: Wire) -> None:
        """What is really at the other end."""
        if refusal := objection(ip_address(wire.peer()), allow_private=self._allow_private):
            wire.close()
            raise Forbidden(refusal)


def _fresh(waiting: list[tuple[float, Wire]]) -> Wire | None:
    """The connection that was used last, unless the other side has closed it or is about to."""
    while waiting:
        since, wire = waiting.pop()
        if wire.idle and clock.monotonic() - since < IDLE_SECONDS:
            return wire
        wire.close()
    return None


async def resolve(host: str, port: int) -> list[Address]:
    """The addresses of a host, in the resolver's order. Raises OSError where it has none."""
    if spelled := literal(host):
        return [spelled]
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError as error:
        raise OSError(f"{host}: {error}") from error
    return list(dict.fromkeys(ip_address(address[4][0]) for address in found))


@lru_cache(maxsize=1)
def _tls() -> SSLContext:
    return httpx.create_ssl_context()
