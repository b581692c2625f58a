"""The state folder: where each server keeps its data, its log and the note that says who it is."""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from hub.errors import Misconfigured

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hub.embedded.report import Report

# A unix socket's path is limited to 103 bytes on macOS and 107 on Linux.
LONGEST_SOCKET_PATH = 103
LARGEST_LOG_BYTES = 10 * 2**20


@dataclass(frozen=True)
class Room:
    """One state folder, by its absolute path."""

    state: Path

    @classmethod
    def of(cls, state: Path) -> Room:
        """The room of a state folder that may not exist yet."""
        return cls(state.expanduser().resolve())

    def data(self, name: str) -> Path:
        """The data folder of a server. It exists only when it is whole (see `made_whole`)."""
        return self.state / name

    def log(self, name: str) -> Path:
        """The log file of a server."""
        return self.state / "logs" / f"{name}.log"

    def note(self, name: str) -> Path:
        """The file that tells which process a server is."""
        return self.state / "run" / f"{name}.json"

    def furnish(self) -> None:
        """Make the folders, closed to other users: whoever reaches the socket is the superuser."""
        try:
            self.state.mkdir(parents=True, exist_ok=True)
            for folder in ("run", "logs"):
                (self.state / folder).mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise Misconfigured(f"The state folder {self.state} cannot be used: {error}") from error

    def sweep(self) -> None:
        """Throw away the folders that a crash left half made. The caller holds the lock."""
        for left in self.state.glob("*.unfinished-*"):
            shutil.rmtree(left, ignore_errors=True)

    def turn_log(self, name: str) -> Path:
        """The log to write to; a large one is put aside first (one old log is kept)."""
        log = self.log(name)
        if log.exists() and log.stat().st_size > LARGEST_LOG_BYTES:
            log.replace(log.with_suffix(".old.log"))
        return log

    def socket_folder(self, kept: str | None) -> Path:
        """A folder, private to this user, for PostgreSQL's socket: `run`, or a short one where that path is too long.

        `kept` is the short one chosen before; it is used again while it exists.
        """
        run = self.state / "run"
        if len(os.fsencode(run / ".s.PGSQL.5432.lock")) <= LONGEST_SOCKET_PATH:
            return run
        folder = Path(kept) if kept else None
        if folder and folder.is_dir() and folder.stat().st_uid == os.geteuid():
            return folder
        return Path(tempfile.mkdtemp(prefix="hub-"))


@contextmanager
def made_whole(folder: Path) -> Iterator[Path]:
    """Make a folder under another name; it gets its own when everything in it is done.

    So a crash in the middle leaves no half-made folder behind, only one that the next start throws away. The name is
    new each time: a program that outlived the crash may still be writing into the one before.
    """
    unfinished = Path(tempfile.mkdtemp(prefix=f"{folder.name}.unfinished-", dir=folder.parent))
    yield unfinished
    unfinished.rename(folder)


@contextmanager
def alone(room: Room, report: Report) -> Iterator[None]:
    """Hold the folder's lock: of two starts at once, the second waits and finds the first one's servers."""
    fcntl = import_module("fcntl")  # absent on Windows, where importing this module should still work
    with (room.state / "run" / "embedded.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            report("Another process is starting or stopping the servers of this folder; waiting for it.")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
