"""The hub's processes and its PostgreSQL, and what kills them."""

from __future__ import annotations

import asyncio
import os
import random
import signal
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from bench.children import hub
from bench.stage import Stage
from hub import embedded

ROLES = {
    "profiles": "profiles",
    "relay": "relay",
    **{f"automation-{number}": "automation" for number in range(1, 5)},
    "dispatcher": "dispatcher",
}
"""Name → role, a process each: four consumers of the rules at once."""
REST_SECONDS = (1.0, 4.0)
"""Between two kills, at least and at most."""
AGAIN_SECONDS = 0.2


class Troop:
    """Processes that are started again as soon as they are gone."""

    def __init__(self, stage: Stage, seed: int, state: Path) -> None:
        self._stage = stage
        self._chance = random.Random(f"troop {seed}")
        self._state = state
        self._running: dict[str, asyncio.subprocess.Process] = {}
        self._is_over = False
        self.kills: Counter[str] = Counter()
        self.outages = 0

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        """Everybody works for as long as the block lasts."""
        self._is_over = False
        async with asyncio.TaskGroup() as tasks:
            for name in ROLES:
                tasks.create_task(self._keep(name))
            try:
                yield
            finally:
                self._is_over = True
                for process in self._running.values():
                    if process.stdin:
                        process.stdin.close()

    async def hunt(self, kills: int) -> None:
        """Kill one after the other, so many in all."""
        while self.kills.total() < kills:
            await asyncio.sleep(self._chance.uniform(*REST_SECONDS))
            name = self._chance.choice([*ROLES])
            process = self._running.get(name)
            if process and process.returncode is None:
                process.kill()
                self.kills[ROLES[name]] += 1

    async def strike(self) -> None:
        """PostgreSQL is killed, and comes back after a while."""
        [pid] = [one.pid for one in embedded.status(self._state) if one.name == "postgres" and one.pid]
        os.kill(pid, signal.SIGKILL)
        self.outages += 1
        await asyncio.sleep(self._chance.uniform(0.5, 2.0))
        await asyncio.to_thread(embedded.start, self._state)

    async def _keep(self, name: str) -> None:
        words = hub("serve", "--child", "--instance", name, ROLES[name]).arguments
        while not self._is_over:
            with self._stage.log.open("ab") as log:
                process = await asyncio.create_subprocess_exec(
                    *words, stdin=asyncio.subprocess.PIPE, stdout=log, stderr=log, env=self._stage.environment
                )
            self._running[name] = process
            await process.wait()
            await asyncio.sleep(AGAIN_SECONDS)
