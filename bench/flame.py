"""Where a process's time goes: py-spy's samples as a short text."""

from __future__ import annotations

import shutil
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from bench.figures import Void

SAMPLES_PER_SECOND = 150
LINES = 20
ROOMS = ("consumers/", "hub/identity/", "hub/storage/", "hub/streams/")


def profiler(into: Path) -> list[str]:
    """What to put before a command so that its samples are in a file when it ends. Raises Void without py-spy."""
    beside = Path(sys.executable).with_name("py-spy")
    spy = str(beside) if beside.exists() else shutil.which("py-spy")
    if spy is None:
        raise Void("--profile needs py-spy: it comes with what the checks need (`make setup`)")
    into.unlink(missing_ok=True)
    rate = str(SAMPLES_PER_SECOND)
    return [spy, "record", "--format", "raw", "--rate", rate, "--nonblocking", "--output", str(into), "--"]


def summary(paths: Sequence[Path]) -> str:
    """Shares of the samples by library, by function, and by function of the hub with all that it calls."""
    library, own, below = Counter[str](), Counter[str](), Counter[str]()
    for stack, samples in _stacks(paths):
        library[_library(stack[-1])] += samples
        own[stack[-1]] += samples
        for frame in set(stack):
            below[frame] += samples
    total = max(1, own.total())
    return "\n".join(
        (
            f"{total} samples of the process `profiles` at work, imports left out",
            *_lines("by library", library, total),
            *_lines("by function, itself", own, total),
            *_lines("by function of the hub, with what it calls", _ours(below), total),
        )
    )


def _stacks(paths: Sequence[Path]) -> Iterator[tuple[list[str], int]]:
    for path in filter(Path.exists, paths):
        for line in path.read_text(encoding="utf-8").splitlines():
            stack, _, samples = line.rpartition(" ")
            frames = [_frame(one) for one in stack.split(";") if one.strip()]
            if frames and samples.isdigit() and not any("<frozen importlib" in frame for frame in frames):
                yield frames, int(samples)


def _library(frame: str) -> str:
    return frame.rpartition("  ")[2].partition("/")[0]


def _frame(written: str) -> str:
    """`name (path:line)` without the line: `name  file`, from the package on."""
    name, _, place = written.rpartition(" (")
    path = place.rstrip(")").partition(":")[0]
    path = path.rpartition("site-packages/")[2].removeprefix(f"{Path(__file__).parents[1]}/")
    return f"{name}  {path}"


def _ours(counts: Counter[str]) -> Counter[str]:
    """What the hub does between start and end, not how it starts."""
    return Counter({frame: n for frame, n in counts.items() if frame.rpartition("  ")[2].startswith(ROOMS)})


def _lines(title: str, counts: Counter[str], total: int) -> list[str]:
    return ["", title, *(f"{n / total:6.1%}  {frame}" for frame, n in counts.most_common(LINES))]
