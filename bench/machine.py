"""CPU time of what works during a turn: our own processes and the servers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from time import process_time

import psutil

from bench.children import Child
from hub import embedded


class Machine:
    """A meter that counts from when it is made."""

    def __init__(self, state: Path, found: Sequence[Child]) -> None:
        self._children = found
        self._servers = {server.name: server.pid for server in embedded.status(state) if server.pid}
        self._before = self._now()

    def used(self) -> dict[str, float]:
        """CPU seconds by name; the servers' names are those of `hub embedded status`, the bench's own is `bench`."""
        return {name: seconds - self._before.get(name, 0.0) for name, seconds in self._now().items()}

    def _now(self) -> dict[str, float]:
        ours: dict[str, float] = {"bench": process_time()}
        for child in self._children:
            ours |= child.cpu_seconds()
        return ours | {name: _tree(pid) for name, pid in self._servers.items()}


def _tree(pid: int) -> float:
    """A process, its children, and the children that it has buried."""
    parent = psutil.Process(pid)
    own = parent.cpu_times()
    total = own.user + own.system + own.children_user + own.children_system
    for child in parent.children(recursive=True):
        try:
            used = child.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += used.user + used.system
    return float(total)
