"""How a long start tells what it does: a callable, so that it can be a progress bar, a log line or nothing."""

from __future__ import annotations

import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TransferSpeedColumn

if TYPE_CHECKING:
    from collections.abc import Iterator


class Report(Protocol):
    """Told what happens. May be called from several threads at once, and must not raise."""

    def __call__(self, text: str, *, done: int = 0, total: int = 0) -> None:
        """Take one step: `text` alone is a sentence; with `total` it names a download of so many bytes."""


def silent(text: str, *, done: int = 0, total: int = 0) -> None:
    """Tell nobody."""


@contextmanager
def terminal(console: Console | None = None) -> Iterator[Report]:
    """A report for people: sentences as lines, a download as one bar, or as one plain line where no terminal looks."""
    console = console or Console(file=sys.stderr)
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
    with bar:
        yield _Terminal(console, bar)


class _Terminal:
    def __init__(self, console: Console, bar: Progress) -> None:
        self._console = console
        self._bar = bar
        self._tasks: dict[str, TaskID] = {}
        self._lock = threading.Lock()

    def __call__(self, text: str, *, done: int = 0, total: int = 0) -> None:
        with self._lock:
            if not total:
                self._console.print(text, highlight=False, markup=False)
            else:
                self._advance(text, done, total)

    def _advance(self, text: str, done: int, total: int) -> None:
        if text not in self._tasks:
            self._tasks[text] = self._bar.add_task(text, total=total)
            if not self._console.is_terminal:
                self._console.print(f"{text}, {total / 1e6:.0f} MB", highlight=False, markup=False)
        self._bar.update(self._tasks[text], completed=done)
