"""What a person sees: a bar while it runs, a table at the end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from statistics import median

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from bench.figures import Figures, Steady
from bench.rate import Turn


class Steps:
    """Progress on standard error: a bar at a terminal, a line per finished step elsewhere."""

    def __init__(self, console: Console, bar: Progress, task: TaskID) -> None:
        self._console = console
        self._bar = bar
        self._task = task

    def begin(self, what: str) -> None:
        """Name what is being done."""
        self._bar.update(self._task, description=what)

    def end(self, what: str) -> None:
        """A step is done."""
        self._bar.advance(self._task)
        if not self._console.is_terminal:
            self._console.print(what, highlight=False)

    def report(self, text: str, *, done: int = 0, total: int = 0) -> None:
        """A `hub.embedded.Report`: what the servers say while they start."""
        self._bar.update(self._task, description=f"{text} {done * 100 // total} %" if total else text)


@contextmanager
def steps(count: int) -> Iterator[Steps]:
    """The bar, for as long as the block lasts."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        yield Steps(console, bar, bar.add_task("events", total=count))


def show(figures: Figures, turns: Mapping[str, Sequence[Turn]], console: Console) -> None:
    """The lines of a run below its tables."""
    lines = (
        ("hub / relational floor", figures["ratio"], "{:.3f}"),
        ("hub with the shipped rules / without", figures["rules_ratio"], "{:.3f}"),
        ("hub / relational floor, by CPU time", cpu_ratio(turns), "{:.3f}"),
        ("CPU of the hub's processes", figures["cpu_seconds"], "{:.1f} s"),
        *_steady(figures["steady"]),
        ("post to tool, p50", figures["latency_ms"]["p50"], "{:.0f} ms"),
        ("post to tool, p99", figures["latency_ms"]["p99"], "{:.0f} ms"),
        ("gateway alone", figures["gateway_rate"], "{:,.0f} posts/s"),
    )
    for name, value, form in lines:
        if value is not None:
            console.print(f"{name:<44}{form.format(value)}", highlight=False)


def _steady(found: Steady | None) -> tuple[tuple[str, float, str], ...]:
    if found is None:
        return ()
    many, few = f"{found['known_200k']:,}", f"{found['known']:,}"
    return (
        ("steady: hub / relational floor", found["ratio"], "{:.3f}"),
        ("the same, by CPU time", found["cpu_ratio"], "{:.3f}"),
        (f"cost per event, {many} profiles / {few}", found["cost_ratio_200k"], "{:.3f}"),
        ("the same, by the clock", found["clock_ratio_200k"], "{:.3f}"),
        ("the same by CPU, where all of them write", found["cost_ratio_200k_all"], "{:.3f}"),
    )


def rates(title: str, turns: Mapping[str, Sequence[Turn]]) -> Table:
    """A line for each contender that had a turn."""
    table = Table(box=None, header_style="dim", pad_edge=False)
    table.add_column(title)
    for column in ("events/s, median", "least", "most", "CPU µs/event", "of which"):
        table.add_column(column, justify="left" if column == "of which" else "right")
    for name, found in turns.items():
        if not found:
            continue
        per_second = [turn.rate for turn in found]
        each = costs(found)
        numbers = (median(per_second), min(per_second), max(per_second), sum(each.values()) * 1e6)
        table.add_row(name, *(f"{number:,.0f}" for number in numbers), shares(each, 1e6))
    return table


def costs(found: Sequence[Turn]) -> dict[str, float]:
    """CPU seconds per event by process, each its median over the rounds; the bench itself only watches."""
    names = found[0].cpu.keys() - {"bench"}
    return {who: median(turn.cpu[who] / turn.events for turn in found) for who in sorted(names)}


def shares(costs: Mapping[str, float], unit: float) -> str:
    """Costs by name, those that show, the highest first."""
    shown = sorted(((cost * unit, who) for who, cost in costs.items()), reverse=True)
    return ", ".join(f"{who} {cost:.3g}" for cost, who in shown if cost >= 0.05)


def median_turn(found: Sequence[Turn]) -> Turn:
    """The round in the middle by its rate (of two, the slower one)."""
    return sorted(found, key=lambda turn: turn.rate)[(len(found) - 1) // 2]


def cpu_ratio(turns: Mapping[str, Sequence[Turn]]) -> float | None:
    """What the ratio would be if only CPU time counted: steadier than the clock where others use the machine too."""
    if not turns.get("hub"):
        return None
    return sum(costs(turns["relational floor"]).values()) / sum(costs(turns["hub"]).values())
