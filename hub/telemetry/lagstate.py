"""What a consumer group's lag means: ok, slow, stalled, stopped, rewound or unknown. Pure.

The rules are Burrow's, on samples of a clock of our own instead of a window of commits: a quiet topic then raises no
late alarm and a busy one no false alarm (reliability-ops.md §2). Their order matters; the first that fits decides.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Literal, NamedTuple

State = Literal["ok", "slow", "stalled", "stopped", "rewound", "unknown"]
STATES: tuple[State, ...] = ("ok", "slow", "stalled", "stopped", "rewound", "unknown")

WINDOW_SECONDS = 600.0
STILL_SECONDS = 20.0
"""A position that stands still so long while records wait: this consumer commits every batch, so something hangs."""
SLOW_SECONDS = 30.0
"""A lag that grows so long without a break."""
SLOW_AGE = 5.0
"""Records younger than this, in seconds, are on their way, however many there are."""
FEWEST = 4


class Sample(NamedTuple):
    """A group on one partition at a moment.

    `at` in seconds; `committed` None without an offset; `members` of the whole group, None where not known; `seconds`
    the age of the first unread record, None where not known.
    """

    at: float
    committed: int | None
    beginning: int
    end: int
    members: int | None = None
    seconds: float | None = None

    @property
    def waiting(self) -> int:
        """Records that are there to be read."""
        return max(0, self.end - max(self.beginning, self.committed or 0))


def state(samples: Sequence[Sample], allowed: int = 0) -> State:
    """The state at the last sample; the others are its history, oldest first.

    `allowed` messages of lag are no lag. Without history the last sample alone decides, as far as it can.
    """
    if not samples:
        return "unknown"
    last = samples[-1]
    history = _history(samples)
    if last.committed is not None and last.committed > last.end:
        return "rewound"  # the log ends before the position: the topic was made anew, or cut
    if last.committed is not None and last.committed < last.beginning and not last.waiting:
        return "unknown"  # deleted unread, and nothing there to show whether anybody still reads
    if last.waiting <= allowed:
        return "ok"
    if last.members == 0:
        return "stopped"
    if _went_back(history):
        return "rewound"
    if last.committed is None:
        return "unknown"
    return _by_movement(history, last, allowed)


def _by_movement(history: Sequence[Sample], last: Sample, allowed: int) -> State:
    still = _still_seconds(history, allowed)
    if still >= STILL_SECONDS:
        return "stalled" if last.members else "stopped"
    if len(history) == 1 and (last.seconds is None or last.seconds >= STILL_SECONDS):
        return "unknown"  # old records and no history: it may be catching up as well as hanging
    return "slow" if _grows(history, allowed) else "ok"


def _history(samples: Sequence[Sample]) -> list[Sample]:
    """The samples that belong together with the last: in its window, not from its future, of the same log."""
    last = samples[-1]
    kept: list[Sample] = []
    for sample in reversed(samples):
        if kept and sample.end > kept[-1].end:
            break  # a log that became shorter is another log
        if last.at - WINDOW_SECONDS <= sample.at <= (kept[-1].at if kept else last.at):
            kept.append(sample)
    return kept[::-1]


def _went_back(history: Sequence[Sample]) -> bool:
    """Whether the position is behind one it had: an offset lower than before, or none any more."""
    known = [sample.committed for sample in history if sample.committed is not None]
    return bool(known) and (history[-1].committed is None or history[-1].committed < max(known))


def _still_seconds(history: Sequence[Sample], allowed: int) -> float:
    """How long the position has stood where it stands while records were waiting."""
    last = history[-1]
    since = last.at
    for sample in reversed(history):
        if sample.committed != last.committed or sample.waiting <= allowed:
            break
        since = sample.at
    return last.at - since


def _grows(history: Sequence[Sample], allowed: int) -> bool:
    """Whether the lag has only grown of late: never zero, never less than before, and its records not fresh."""
    last = history[-1]
    late = [sample for sample in history if sample.at >= last.at - 2 * SLOW_SECONDS]
    waits = [sample.waiting for sample in late]
    if len(late) < FEWEST or last.at - late[0].at < SLOW_SECONDS or min(waits) <= allowed:
        return False
    if last.seconds is not None and last.seconds < SLOW_AGE:
        return False
    half = len(waits) // 2
    steady = all(before <= after for before, after in pairwise(waits))
    return waits[-1] > waits[0] and (steady or min(waits[half:]) > max(waits[:half]))


WORST: dict[State, int] = {"ok": 0, "slow": 1, "unknown": 2, "rewound": 3, "stalled": 4, "stopped": 5}
"""For telling a group by the worst of its partitions."""
