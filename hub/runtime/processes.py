"""Processes of our own: started together, started again when they die, ended within a second of their parent.

A child reads its standard input, which only the parent holds open: when the parent is gone, however it went, the input
ends and the child with it.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import structlog

from hub import clock
from hub.clock import monotonic
from hub.errors import Misconfigured

_log = structlog.get_logger("hub.processes")
STOP_SECONDS = 20.0
_FIRST_PAUSE, _LONGEST_PAUSE, _LONG_LIFE = 0.3, 10.0, 30.0


@contextmanager
def only_one(state: Path) -> Iterator[None]:
    """Hold the state folder's lock. Raises Misconfigured where another `hub serve` holds it."""
    state.mkdir(parents=True, exist_ok=True)
    with (state / "serve.lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            lock.seek(0)
            raise Misconfigured(f"{state}: another hub serves this folder (process {lock.read() or '?'})") from error
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


def instance_of(state: Path) -> str:
    """A name that only the holder of this folder's lock may use: made once, kept in the folder."""
    kept = state / "instance"
    if not kept.exists():
        kept.write_text(f"hub-{uuid4().hex[:12]}", encoding="ascii")
    return kept.read_text(encoding="ascii")


def end_with_parent() -> None:
    """In a child: watch the input that the parent holds, and end at once when it closes."""
    asyncio.get_running_loop().add_reader(sys.stdin.fileno(), _parent_gone)


def _parent_gone() -> None:
    if not os.read(sys.stdin.fileno(), 1):
        os._exit(1)


def stop_on_signals(stop: asyncio.Event) -> None:
    """Set `stop` on SIGTERM and SIGINT; the second one ends the process."""
    loop = asyncio.get_running_loop()

    def told(number: signal.Signals) -> None:
        if stop.is_set():
            os._exit(128 + number)
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told, number)


async def supervise(commands: Mapping[str, Sequence[str]], environment: Mapping[str, str], stop: asyncio.Event) -> None:
    """Run each command until `stop`, again with a growing pause when it ends by itself; then ask all to stop."""
    async with asyncio.TaskGroup() as keepers:
        for name, command in commands.items():
            keepers.create_task(_keep(name, command, environment, stop))


async def _keep(name: str, command: Sequence[str], environment: Mapping[str, str], stop: asyncio.Event) -> None:
    pause = _FIRST_PAUSE
    while not stop.is_set():
        began = monotonic()
        child = await asyncio.create_subprocess_exec(
            *command, stdin=asyncio.subprocess.PIPE, env=dict(environment), start_new_session=True
        )
        ended = asyncio.get_running_loop().create_task(child.wait())
        stopping = asyncio.get_running_loop().create_task(stop.wait())
        await asyncio.wait({ended, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if ended.done():
            pause = _FIRST_PAUSE if monotonic() - began > _LONG_LIFE else min(pause * 2, _LONGEST_PAUSE)
            if not stop.is_set():
                _log.error("process_ended", role=name, status=child.returncode, again_in_seconds=pause)
                await clock.pause(stop, pause)
        else:
            await _end(name, child, ended)


async def _end(name: str, child: asyncio.subprocess.Process, ended: asyncio.Task[int]) -> None:
    child.terminate()
    done, _ = await asyncio.wait({ended}, timeout=STOP_SECONDS)
    if not done:
        _log.error("process_killed", role=name, after_seconds=STOP_SECONDS)
        child.kill()
        await ended
