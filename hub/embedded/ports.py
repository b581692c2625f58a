"""Free TCP ports on the loopback address, kept from one start to the next."""

from __future__ import annotations

import secrets
import socket
from contextlib import closing

LOOPBACK = "127.0.0.1"
# Below the range from which systems lend ports to outgoing connections: such a loan would take a stopped server's port.
LOWEST, HIGHEST = 20000, 29999


def is_free(port: int) -> bool:
    """Can a server listen there at this moment?"""
    with closing(socket.socket()) as probe:
        # As servers do it: a port whose last connections are still dying counts as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True


def keep_or_choose(kept: str | None) -> str:
    """The port used before, where it is still free; another one otherwise."""
    if kept and is_free(int(kept)):
        return kept
    while True:
        port = LOWEST + secrets.randbelow(HIGHEST - LOWEST + 1)
        if is_free(port):
            return str(port)
