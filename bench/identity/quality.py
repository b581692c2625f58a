"""`python -m bench.identity.quality`: how well suspected duplicates are found, on people whose truth is known.

The hub's own keys and scores, on FEBRL3 and 4 without `soc_sec_id`; the weights were learned on FEBRL1 and 2.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from itertools import combinations
from pathlib import Path
from time import process_time
from typing import Any, NamedTuple

from rich.console import Console
from rich.progress import track
from rich.table import Table

from bench.identity.febrl import Person, people
from bench.identity.measures import Pair, Quality, b_cubed, best, closure, largest, pairwise, together
from hub.identity.suspects import LIKELY, MOST_IN_BLOCK, WEIGHTS, block_keys, score

WIDTH = 100
SETS = ("FEBRL3", "FEBRL4")
TARGETS = {
    "FEBRL3": {"completeness": 0.99, "best_f1": 0.990, "likely_precision": 0.999, "likely_recall": 0.945},
    "FEBRL4": {"completeness": 0.998, "best_f1": 0.996, "likely_precision": 0.999, "likely_recall": 0.975},
}
"""What the hub promises. The recall of the likely band is what the rule about households leaves of it: see `score`."""


class Report(NamedTuple):
    """What came of one set. `likely` is of the pairs themselves, `closed` of the people after joining all of them."""

    name: str
    records: int
    true_pairs: int
    completeness: float
    compared: int
    skipped_blocks: int
    per_cpu_second: float
    best: Quality
    likely: Quality
    closed: Quality
    b_cubed: Quality
    largest: int
    true_largest: int

    def figures(self) -> dict[str, Any]:
        """As plain JSON."""
        return {key: _plain(value) for key, value in self._asdict().items()}

    def missed(self) -> list[str]:
        """The targets that were not reached, in words."""
        reached = {
            "completeness": self.completeness,
            "best_f1": self.best.f1,
            "likely_precision": min(self.likely.precision, self.closed.precision),
            "likely_recall": self.likely.recall,
        }
        return [
            f"{self.name}: {target} is {reached[target]:.4f}, not {least}"
            for target, least in TARGETS[self.name].items()
            if reached[target] < least
        ]


def _plain(value: Any) -> Any:
    if isinstance(value, Quality):
        return {"precision": value.precision, "recall": value.recall, "f1": value.f1}
    return value


def candidates(everybody: list[Person]) -> tuple[list[Pair], int]:
    """The pairs with a key in common, in order, and how many blocks were left out for their size."""
    blocks: defaultdict[str, list[int]] = defaultdict(list)
    for index, one in enumerate(everybody):
        for key in block_keys(one.traits):
            blocks[key].append(index)
    small = [block for block in blocks.values() if len(block) <= MOST_IN_BLOCK]
    return sorted({pair for block in small for pair in combinations(block, 2)}), len(blocks) - len(small)


def evaluate(name: str, console: Console) -> Report:
    """Block, score and close one set."""
    everybody = people(name)
    truth = [one.truth for one in everybody]
    true = together(truth)
    pairs, skipped = candidates(everybody)
    weights = WEIGHTS.among(len(everybody), WEIGHTS.duplicates)  # how many there are is not what is measured
    begun = process_time()
    told = track(pairs, name, console=console, disable=not console.is_terminal, transient=True, update_period=0.5)
    scores = [score(everybody[one].traits, everybody[other].traits, weights) for one, other in told]
    seconds = process_time() - begun
    likely = {pair for pair, one in zip(pairs, scores, strict=True) if one.band == LIKELY}
    labels = closure(likely, len(everybody))
    return Report(
        name=name,
        records=len(everybody),
        true_pairs=len(true),
        completeness=pairwise(set(pairs), true).recall,
        compared=len(pairs),
        skipped_blocks=skipped,
        per_cpu_second=len(pairs) / seconds,
        best=best(((one.weight, pair) for pair, one in zip(pairs, scores, strict=True)), true),
        likely=pairwise(likely, true),
        closed=pairwise(together(labels), true),
        b_cubed=b_cubed(labels, truth),
        largest=largest(labels),
        true_largest=largest(truth),
    )


def _table(reports: list[Report]) -> Table:
    table = Table(title=f"Suspected duplicates, weights {WEIGHTS.version}")
    table.add_column("", no_wrap=True)
    for report in reports:
        table.add_column(report.name, justify="right", no_wrap=True)
    rows: dict[str, list[str]] = {
        "records": [f"{one.records:,}" for one in reports],
        "true pairs": [f"{one.true_pairs:,}" for one in reports],
        "with a key in common": [f"{one.completeness:.4f}" for one in reports],
        "pairs compared": [f"{one.compared:,}" for one in reports],
        "blocks left out": [f"{one.skipped_blocks:,}" for one in reports],
        "pairs per CPU second": [f"{one.per_cpu_second:,.0f}" for one in reports],
        "best: F1 (P / R)": [_text(one.best) for one in reports],
        "likely": [_text(one.likely) for one in reports],
        "  all joined": [_text(one.closed) for one in reports],
        "  B-cubed": [_text(one.b_cubed) for one in reports],
        "largest person (truth)": [f"{one.largest} ({one.true_largest})" for one in reports],
    }
    for title, cells in rows.items():
        table.add_row(title, *cells)
    return table


def _text(one: Quality) -> str:
    return f"{one.f1:.4f} ({one.precision:.4f} / {one.recall:.4f})"


def main() -> int:
    """Exit status 1: a target was missed; standard error says which."""
    asked = argparse.ArgumentParser(prog="python -m bench.identity.quality", description=__doc__)
    asked.add_argument("--json", type=Path, metavar="FILE", help="write the figures there as well")
    target: Path | None = asked.parse_args().json
    reports = [evaluate(name, Console(stderr=True)) for name in SETS]
    Console(width=WIDTH).print(_table(reports))
    if target:
        target.write_text(json.dumps([one.figures() for one in reports], indent=2) + "\n", encoding="utf-8")
    missed = [line for one in reports for line in one.missed()]
    for line in missed:
        Console(stderr=True).print(line, style="red")
    return 1 if missed else 0


if __name__ == "__main__":
    raise SystemExit(main())
