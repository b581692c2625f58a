"""Processes of a turn: started together, their CPU time read, ended at the end.

The hub's own are run as `hub serve` runs them. A floor's process says `ready` when it is connected, and begins at the
line `go`. What any of them has to say otherwise stands in a log.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

import psutil

from hub.cli.roles import ROLES

READY_SECONDS = 60.0
END_SECONDS = 30.0
LAST_LINES = 12


class Broken(Exception):
    """A process ended, or never became ready."""


@dataclass(frozen=True)
class Command:
    """A program; whether it waits for `go`, and whether it ends at a signal instead of the end of its input."""

    arguments: tuple[str, ...]
    waits: bool = False
    at_signal: bool = False


def module(name: str, *arguments: str) -> Command:
    """A module of the bench that waits for `go`."""
    return Command((sys.executable, "-m", f"bench.{name}", *arguments), waits=True)


def hub(*arguments: str) -> Command:
    """The hub's command line."""
    return Command((sys.executable, "-m", "hub", *arguments), at_signal="--child" not in arguments)


class Child:
    """A running process and the lines it prints."""

    def __init__(self, process: asyncio.subprocess.Process, name: str, command: Command, log: Path) -> None:
        self._process = process
        self._command = command
        self._log = log
        self.name = name

    async def ready(self) -> None:
        """Wait until one that waits says so; what a profiler prints before is passed over. Raises Broken."""
        while self._command.waits and await self.line(READY_SECONDS) != "ready":
            pass

    def go(self) -> None:
        """Let one that waits begin."""
        if self._command.waits and self._process.stdin:
            self._process.stdin.write(b"go\n")

    async def line(self, within: float) -> str:
        """The next line it prints. Raises Broken where there is none."""
        lines = self._process.stdout
        async with asyncio.timeout(within):
            line = await lines.readline() if lines else b""
        if not line:
            raise self._broken()
        return line.decode().strip()

    def check(self) -> None:
        """Raises Broken where it does not run any more."""
        if self._process.returncode is not None:
            raise self._broken()

    def cpu_seconds(self) -> dict[str, float]:
        """What it used so far. Where others run below it (roles, or what a profiler runs), they are what counts."""
        process = psutil.Process(self._process.pid)
        workers = process.children() or [process]
        names = [self.name] if len(workers) == 1 else [_roles(worker) for worker in workers]
        return {name: _seconds(worker) for name, worker in zip(names, workers, strict=True)}

    async def end(self) -> None:
        """Tell it and wait; a process that does not listen is killed."""
        if self._process.stdin:
            self._process.stdin.close()
        if self._command.at_signal and self._process.returncode is None:
            self._process.terminate()
        try:
            async with asyncio.timeout(END_SECONDS):
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()

    def _broken(self) -> Broken:
        words = self._log.read_text(encoding="utf-8", errors="replace").splitlines()[-LAST_LINES:]
        return Broken("\n".join((f"{self.name} ended; the end of {self._log.name}:", *words)))


def _seconds(process: psutil.Process) -> float:
    used = process.cpu_times()
    return float(used.user + used.system)


def _roles(process: psutil.Process) -> str:
    """The roles that a process of `hub serve` runs."""
    return "+".join(word for word in process.cmdline() if word in ROLES)


@asynccontextmanager
async def children(
    commands: Mapping[str, Command], environment: Mapping[str, str], log: Path
) -> AsyncIterator[list[Child]]:
    """These processes, until the block ends; those that wait are ready. What they log goes to the end of `log`."""
    async with AsyncExitStack() as stack:
        with log.open("ab") as notes:
            found = [await _start(stack, name, one, environment, notes) for name, one in commands.items()]
        for child in found:
            await child.ready()
        yield found


async def _start(
    stack: AsyncExitStack, name: str, command: Command, environment: Mapping[str, str], log: IO[bytes]
) -> Child:
    process = await asyncio.create_subprocess_exec(
        *command.arguments,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE if command.waits else log,
        stderr=log,
        env=dict(environment),
    )
    child = Child(process, name, command, Path(log.name))
    stack.push_async_callback(child.end)
    return child


async def say_ready_and_wait() -> asyncio.StreamReader:
    """In a process that waits: be ready, wait for `go`. What is returned is at its end when this process is to end."""
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    print("ready", flush=True)
    await lines.readline()
    return lines


def under(command: Command, profiler: Sequence[str]) -> Command:
    """The command, run by a profiler."""
    return replace(command, arguments=(*profiler, *command.arguments))
