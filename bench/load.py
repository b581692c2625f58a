"""The load on the gateway, in a process of its own: so many connections, each posts again once it is answered.

`python -m bench.load HOST:PORT CONNECTIONS SECONDS` prints how many posts were accepted in the time that counts, how
many in all, and how many were answered otherwise.
"""

from __future__ import annotations

import asyncio
import sys
from itertools import count
from time import perf_counter

import orjson
import uvloop

from bench.children import say_ready_and_wait
from bench.http import Poster, form_body, form_post

WARM_SECONDS = 1.0
ACCEPTED = 202


class Load:
    """What the connections share: numbers of forms, and a tally."""

    def __init__(self, address: str) -> None:
        self.accepted = 0
        self.refused = 0
        self.ended = False
        self._address = address
        self._numbers = count(1)

    def post(self, connection: Poster) -> None:
        """Post the next form, and one more when it is answered."""
        request = form_post(self._address, form_body(next(self._numbers), "load"))
        connection.post(request, lambda status: self._answered(connection, status))

    def _answered(self, connection: Poster, status: int) -> None:
        if status == ACCEPTED:
            self.accepted += 1
        else:
            self.refused += 1
        if status and not self.ended:
            self.post(connection)


async def main(address: str, connections: int, seconds: float) -> None:
    """Post for so long after a moment of warming up."""
    loop = asyncio.get_running_loop()
    host, _, port = address.rpartition(":")
    posters = [(await loop.create_connection(Poster, host, int(port)))[1] for _ in range(connections)]
    load = Load(address)
    await say_ready_and_wait()
    for poster in posters:
        load.post(poster)
    await asyncio.sleep(WARM_SECONDS)
    began, before = perf_counter(), load.accepted
    await asyncio.sleep(seconds)
    counted, took = load.accepted - before, perf_counter() - began
    load.ended = True
    while not all(poster.free for poster in posters):
        await asyncio.sleep(0.01)
    print(orjson.dumps((counted, took, load.accepted, load.refused)).decode(), flush=True)


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3])))
