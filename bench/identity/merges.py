"""`python -m bench.identity.merges`: how well the hub tells who is who among people of our own making.

Exit status 1: a target of identity.md §4.3 is missed. No server is needed: facts are resolved in memory.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import orjson
from rich.console import Console
from rich.progress import Progress, TaskID
from rich.table import Table

from bench.identity.population import population
from bench.identity.scores import Scores, examples, score

MOST_FALSE_PER_10K = 1.0
LARGEST_WRONG = 2
LEAST_RECALL = 0.995
MOST_FLAGGED = 0.005
WIDTH = 100
EXAMPLES = 3


class Target(NamedTuple):
    """A line of the table that has to be met: what was found, in words, and what is wanted."""

    what: str
    found: str
    wanted: str
    met: bool


def targets(runs: Sequence[Scores]) -> list[Target]:
    """The targets of identity.md §4.3 that such people can show, over all runs together: the rare wants many."""
    profiles, false = sum(one.profiles for one in runs), sum(one.false_merges for one in runs)
    per_10k, largest = false * 10_000 / profiles, max(one.largest_wrong for one in runs)
    pairs, missed = sum(one.strong_pairs for one in runs), sum(one.strong_missed for one in runs)
    recall = 1 - missed / max(1, pairs)
    shared, unseen = sum(one.shared_values for one in runs), sum(one.shared_missed for one in runs)
    flagged = sum(one.personal_flagged for one in runs) / max(1, sum(one.personal_emails for one in runs))
    return [
        Target("false merges per 10,000 profiles", f"{false} of {profiles:,} = {per_10k:.2f}",
               f"at most {MOST_FALSE_PER_10K:.0f}", per_10k <= MOST_FALSE_PER_10K),
        Target("largest wrong profile, persons", f"{largest}", f"at most {LARGEST_WRONG}", largest <= LARGEST_WRONG),
        Target("recall of strong pairs", f"{recall:.4f}", f"at least {LEAST_RECALL}", recall >= LEAST_RECALL),
        Target("values of nobody found", f"{shared - unseen} of {shared}", "all", unseen == 0),
        Target("personal addresses flagged", f"{flagged:.2%}", f"at most {MOST_FLAGGED:.1%}", flagged <= MOST_FLAGGED),
    ]  # fmt: skip


def told(scores: Scores) -> list[tuple[str, str]]:
    """The lines of the table that have no target."""
    return [
        ("people, facts, records", f"{scores.people:,} · {scores.facts:,} · {scores.records:,}"),
        ("profiles", f"{scores.profiles:,}"),
        ("wrong profiles, largest of them", f"{scores.false_merges} · {scores.largest_wrong} persons"),
        ("profiles per person", f"{scores.profiles_per_person:.3f}"),
        ("wrong, nameless senders counted", f"{scores.misplaced}"),
        (
            "strong pairs, missed, set aside",
            f"{scores.strong_pairs:,} · {scores.strong_missed} · {scores.two_accounts}",
        ),
        ("pairwise precision, recall, F1", _three(scores.pairwise)),
        ("B-cubed precision, recall, F1", _three(scores.b_cubed)),
        ("largest profile, records", f"{scores.largest}"),
    ]


def _three(figures: Sequence[float]) -> str:
    return " · ".join(f"{figure:.4f}" for figure in figures)


def main(words: Sequence[str] | None = None) -> int:
    """Make people, resolve, score, print."""
    asked = _asked(words)
    runs = {seed: _run(asked.people, seed) for seed in asked.seed}
    found = targets(list(runs.values()))
    terminal = Console()
    console = terminal if terminal.is_terminal else Console(width=WIDTH)
    console.print(_table(asked.people, runs, found))
    for line in examples([wrong for one in runs.values() for wrong in one.wrong], EXAMPLES):
        console.print(line, highlight=False, markup=False, soft_wrap=True)
    if asked.json:
        asked.json.write_bytes(orjson.dumps(_file(asked.people, runs, found), option=orjson.OPT_INDENT_2))
    return 0 if all(target.met for target in found) else 1


def _asked(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m bench.identity.merges", description="Who is who? (bench/README.md)")
    parser.add_argument("--people", type=int, default=10_000, help="how many (default: %(default)s)")
    parser.add_argument("--seed", type=int, nargs="+", default=[7], help="one run for each (default: 7)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there")
    return parser.parse_args(words)


def _run(size: int, seed: int) -> Scores:
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(f"seed {seed}: people", total=None)
        people = population(size, seed)
        bar.update(task, description=f"seed {seed}: facts", total=len(people.said))
        facts = list(_counted(bar, task, people.facts()))
        bar.update(task, description=f"seed {seed}: who is who", total=None)
        return score(people, facts)


def _counted(bar: Progress, task: TaskID, items: Iterable[Any]) -> Iterator[Any]:
    for item in items:
        bar.advance(task)
        yield item


def _table(size: int, runs: dict[int, Scores], found: Sequence[Target]) -> Table:
    table = Table(box=None, header_style="dim", pad_edge=False)
    table.add_column(f"{size:,} people", min_width=34)
    table.add_column("found", justify="right", min_width=30)
    table.add_column("target")
    for seed, scores in runs.items():
        table.add_row(f"[dim]seed {seed}[/]", "", "")
        for what, words in told(scores):
            table.add_row(what, words, "")
    table.add_row("[dim]all of it[/]", "", "")
    for target in found:
        table.add_row(target.what, target.found, target.wanted if target.met else f"[red]MISSED: {target.wanted}[/]")
    return table


def _file(size: int, runs: dict[int, Scores], found: Sequence[Target]) -> dict[str, Any]:
    return {
        "people": size,
        "targets": [target._asdict() for target in found],
        "runs": [{"seed": seed, **scores.figures()} for seed, scores in runs.items()],
    }


if __name__ == "__main__":
    sys.exit(main())
