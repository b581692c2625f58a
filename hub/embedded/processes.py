"""Processes that outlive us: started on their own, found again by pid *and* birth, ended by nothing but a signal."""

from __future__ import annotations

import json
import os
import subprocess
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from hub import clock

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

BOOT = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True)
class Note:
    """What is written down of a server: its process, and facts (ports, cluster id) that outlast the process.

    `pid` and `birth` are None after a clean stop.
    """

    pid: int | None = None
    birth: str | None = None
    facts: Mapping[str, str] = field(default_factory=dict)

    @property
    def alive(self) -> bool:
        """Is the process that was written down still there? A stranger with the same pid does not count."""
        return self.pid is not None and self.birth is not None and birth(self.pid) == self.birth

    @classmethod
    def read(cls, path: Path) -> Note:
        """The note in a file; an empty one where it is absent or unreadable (it can be made anew)."""
        try:
            written = json.loads(path.read_text(encoding="utf-8"))
            return cls(written["pid"], written["birth"], dict(written["facts"]))
        except (OSError, ValueError, KeyError, TypeError):
            return cls()

    def write(self, path: Path) -> None:
        """Put the note in place in one step, so that nobody reads half of it."""
        draft = path.with_suffix(".draft")
        draft.write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")
        draft.replace(path)


class _Detached(subprocess.Popen[bytes]):
    """A process that is meant to outlive this one, so nothing warns when it does."""

    def __del__(self) -> None:
        """Let go of it."""


# Those that this very process started: a dead child stays in the table of processes until its parent asks for it.
_children: dict[int, _Detached] = {}


def birth(pid: int) -> str | None:
    """What tells two processes with the same pid apart; None where there is no such process, or only its corpse.

    On Linux it counts from the boot: the wall clock may be set, and a living server must not become a stranger by it.
    """
    try:
        born = _birth_since_boot(pid) if BOOT.exists() else _birth_by_clock(pid)
    except (OSError, psutil.Error):
        born = None
    if born is None and (child := _children.pop(pid, None)):
        child.wait()
    return born


def _birth_since_boot(pid: int) -> str | None:
    state, *rest = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    threads, ticks = int(rest[16]), rest[18]
    # A Java whose first thread is gone counts as a zombie, while others still hold its files and ports.
    if state in "ZX" and threads <= 1:
        return None
    return f"{BOOT.read_text(encoding='utf-8').strip()}/{ticks}"


def _birth_by_clock(pid: int) -> str | None:
    process = psutil.Process(pid)
    return None if process.status() == psutil.STATUS_ZOMBIE else f"{process.create_time():.2f}"


def age_seconds(pid: int) -> float:
    """How long a process has been running."""
    try:
        return max(0.0, clock.now().timestamp() - psutil.Process(pid).create_time())
    except psutil.Error:
        return 0.0


def spawn(argv: Sequence[str | Path], *, log: Path) -> int:
    """Start a program in a session of its own, so that neither Ctrl-C nor the end of the hub reaches it.

    Returns its pid. Raises OSError where it cannot be started.
    """
    command = [str(part) for part in argv]
    with log.open("ab") as output:
        process = _Detached(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=log.parent,
            env=environment(),
            start_new_session=True,
            umask=0o077,
        )
    _children[process.pid] = process
    return process.pid


def environment() -> dict[str, str]:
    """Only what a server needs: no PGHOST, JAVA_TOOL_OPTIONS or LC_ALL of the person who happens to start it."""
    return {"PATH": os.defpath, "LC_ALL": "C.UTF-8", "TZ": "UTC"}


def find(program: str, argument: Path) -> int | None:
    """The pid of the process that runs a program of this name with this argument, or None.

    For the moment between a start and its note: a hub that died there left a server of ours without one.
    """
    for process in psutil.process_iter(["cmdline"]):
        words = process.info["cmdline"] or [""]
        if Path(words[0]).name == program and str(argument) in words and birth(process.pid):
            return process.pid
    return None


def pause(seconds: float) -> None:
    """Wait between two looks at a process."""
    time.sleep(seconds)  # noqa: TID251 - no signal tells that a server answers, one has to ask again
