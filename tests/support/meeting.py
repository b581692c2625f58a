"""Several at one place at the same time, on one database."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.support.acting import House


class Meeting:
    """Each that comes here waits until the others are here as well, or wait for a lock that one of them holds."""

    def __init__(self, house: House, number: int) -> None:
        self._house = house
        self._missing = number

    async def come(self) -> None:
        self._missing -= 1
        locked = "SELECT count(*) FROM pg_locks WHERE NOT granted"
        while self._missing > await self._house.pool.fetchval(locked):
            await asyncio.sleep(0.01)  # a condition of the database, which tells nobody

    def before(self, real: Any) -> Any:
        """The same function, behind the meeting."""

        async def behind(*words: Any) -> Any:
            if self._missing:
                await self.come()
            return await real(*words)

        return behind
