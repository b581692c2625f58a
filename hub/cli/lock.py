"""Whether a hub serves a state folder: the lock that `hub serve` holds (hub.runtime.processes.only_one)."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path


def holder(state: Path) -> str | None:
    """The process id of the hub that serves this folder, as it wrote it (`?`: it did not), or None."""
    fcntl = import_module("fcntl")  # absent on Windows, where the other commands should still work
    try:
        with (state / "serve.lock").open("r") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except OSError:
                return lock.read().strip() or "?"
    except OSError:
        pass
    return None


def held(state: Path) -> bool:
    """Whether one does."""
    return holder(state) is not None
