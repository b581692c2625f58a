"""A lane in a process of its own that stands still (SIGSTOP) at the worst moment, until somebody wakes it up."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from functools import partial

from hub.components import Record
from hub.settings import Kafka
from hub.storage import pool as connections
from hub.storage.offsets import PostgresStore
from hub.streams import batches
from hub.streams.clients import consumer
from tests.support.lanes import Counted

STOP = b"stand still"
SESSION_SECONDS, IDLE_SECONDS = 2.0, 2.0
BEFORE, WITHIN = "before", "within"


class Sleepwalker(Counted):
    """Stands still when it meets `STOP` for the first time: before the batch's transaction, or within it."""

    def __init__(self, where: str) -> None:
        super().__init__()
        self._where = where

    def _stand_still(self, where: str) -> None:
        if where == self._where:
            self._where = ""
            os.kill(os.getpid(), signal.SIGSTOP)

    def read(self, record: Record) -> bytes:
        """The value."""
        if record.value == STOP:
            self._stand_still(BEFORE)
        return super().read(record)

    async def write(self, transaction: connections.Connection, items: Sequence[bytes]) -> None:
        """A row each."""
        await super().write(transaction, items)
        if STOP in items:
            self._stand_still(WITHIN)


async def main(servers: str, prefix: str, url: str, where: str) -> None:
    """Run the lane until somebody ends it."""
    connections.IDLE_IN_TRANSACTION = f"{IDLE_SECONDS:.0f}s"
    vars(batches)["consumer"] = partial(consumer, session_seconds=SESSION_SECONDS)
    pool = await connections.open_pool(url, 4)
    kafka = Kafka(servers=tuple(servers.split(",")), prefix=prefix)
    await batches.BatchLoop(kafka, PostgresStore(pool), Sleepwalker(where)).run(asyncio.Event())


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
