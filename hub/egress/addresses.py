"""Which addresses may be connected to: what is no public address is closed, however it is spelled."""

from __future__ import annotations

import re
import socket
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import NamedTuple

import httpx

from hub.errors import Misconfigured

Address = IPv4Address | IPv6Address
HTTPS = "https"


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


def objection(address: Address, *, allow_private: bool) -> str | None:
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


def literal(host: str) -> Address | None:
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


class Target(NamedTuple):
    """A URL taken apart: whom to connect to, and what the request says. `host` is as a resolver and TLS want it."""

    host: str
    port: int
    secure: bool
    authority: bytes
    path: bytes


def url_problem(url: str, *, allow_private: bool) -> str | None:
    """What is wrong with a configured URL, as far as it shows before its name is resolved."""
    try:
        target(url, allow_private)
    except Forbidden as problem:
        return str(problem)
    return None


@lru_cache(maxsize=1024)
def target(url: str, allow_private: bool) -> Target:  # noqa: FBT001 - part of what is remembered
    """The URL, taken apart. Raises Forbidden with what is wrong with it."""
    try:
        parsed = httpx.URL(url)
    except (httpx.InvalidURL, ValueError) as error:
        raise Forbidden(str(error)) from error
    host = parsed.raw_host.decode()
    if parsed.scheme not in {"http", HTTPS} or not _HOST.fullmatch(host):
        raise Forbidden("must be https://host/…")
    secure = parsed.scheme == HTTPS
    port = parsed.port or (443 if secure else 80)
    if parsed.port == 0 or port > 65_535:
        raise Forbidden(f"there is no port {parsed.port}")
    if parsed.userinfo:
        raise Forbidden("must not hold a user name or password")
    if not secure and not allow_private:
        raise Forbidden("must be https:// (http:// is for tools inside: `allow_private = true`)")
    address = literal(host)
    if address and (refusal := objection(address, allow_private=allow_private)):
        raise Forbidden(refusal)
    return Target(host, port, secure, parsed.netloc, parsed.raw_path)
