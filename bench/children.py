"""Processes of a turn: made ready first, started together, their CPU time read, ended at the end.

A child says `ready <pid>` when it is connected, begins at the line `go`, and ends when its input does.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

import psutil

READY_SECONDS = 60.0
END_SECONDS = 30.0


class Broken(Exception):
    """A child ended, or never became ready."""


class Child:
    """A running process and the lines it speaks."""

    def __init__(self, process: asyncio.subprocess.Process, name: str) -> None:
        self._process = process
        self.name = name
        self._meter = psutil.Process()

    async def ready(self) -> None:
        """Wait until it is. Raises Broken."""
        words = (await self.line(READY_SECONDS)).split()
        if words[:1] != ["ready"]:
            raise Broken(f"{self.name} said {words} instead of being ready")
        self._meter = psutil.Process(int(words[1]))

    def go(self) -> None:
        """Let it begin."""
        if self._process.stdin:
            self._process.stdin.write(b"go\n")

    async def line(self, within: float) -> str:
        """The next line it prints. Raises Broken where there is none."""
        assert self._process.stdout
        async with asyncio.timeout(within):
            line = await self._process.stdout.readline()
        if not line:
            raise Broken(f"{self.name} ended; its last words stand above")
        return line.decode().strip()

    def cpu_seconds(self) -> float:
        """What it used so far."""
        used = self._meter.cpu_times()
        return float(used.user + used.system)

    def check(self) -> None:
        """Raises Broken where it does not run any more."""
        if self._process.returncode is not None:
            raise Broken(f"{self.name} ended with status {self._process.returncode}")

    async def end(self) -> None:
        """Close its input and wait; a process that does not listen is killed."""
        if self._process.stdin:
            self._process.stdin.close()
        try:
            async with asyncio.timeout(END_SECONDS):
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()


@asynccontextmanager
async def children(
    commands: Mapping[str, Sequence[str]], environment: Mapping[str, str]
) -> AsyncIterator[list[Child]]:
    """These processes, each ready, until the block ends. A command is a module of ours and its arguments."""
    async with AsyncExitStack() as stack:
        found = [await _start(stack, name, command, environment) for name, command in commands.items()]
        for child in found:
            await child.ready()
        yield found


async def _start(stack: AsyncExitStack, name: str, command: Sequence[str], environment: Mapping[str, str]) -> Child:
    process = await asyncio.create_subprocess_exec(
        *command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, env=dict(environment)
    )
    child = Child(process, name)
    stack.push_async_callback(child.end)
    return child


def module(name: str, *arguments: str) -> list[str]:
    """The command that runs a module of the bench."""
    return [sys.executable, "-m", f"bench.{name}", *arguments]


async def say_ready_and_wait() -> asyncio.StreamReader:
    """In a child: be ready, wait for `go`; what is returned is at its end when the parent wants the child to end."""
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    print("ready", os.getpid(), flush=True)
    await lines.readline()
    return lines
