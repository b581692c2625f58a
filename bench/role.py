"""A role of the hub in a process of its own, as `hub serve` would run it, but held back until the clock starts."""

from __future__ import annotations

import asyncio
import sys

import uvloop

from bench.children import say_ready_and_wait
from hub.cli.roles import run_roles
from hub.runtime.resources import open_resources
from hub.settings import load
from hub.telemetry.logging import configure


async def main(roles: list[str]) -> None:
    """Run these roles from `go` until the input ends."""
    stop = asyncio.Event()
    configure("WARNING")
    async with open_resources(load(), "+".join(roles), stop) as resources:
        lines = await say_ready_and_wait()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(run_roles(roles, resources, stop))
            await lines.read()
            stop.set()


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1:]))
