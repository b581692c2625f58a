"""`python -m bench.identity.concurrent`: many consumers at once on a real PostgreSQL end where one look would.

See bench/README.md. Exit status 1: some run ended otherwise; it is named by its seed, with the first difference.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from typing import Any

import uvloop
from rich.console import Console
from rich.table import Table

from bench.figures import Void
from bench.identity.crew import Crew
from bench.identity.logs import Plan, caps_of, laid, plan, said
from bench.identity.verdict import differences
from bench.identity.weather import Tally
from bench.report import Steps, steps
from bench.stage import OURS, servers, state_folder
from hub.errors import HubError
from hub.storage.migrate import migrate
from hub.storage.pool import open_pool
from tests.support.databases import named, order
from tests.support.line import deadlocks

MOST_REPEATED = 0.05
"""Of the batches about a town, so many may find a group gone when its lock comes (identity rules, invariant 17)."""
WIDTH = 140


@dataclass(frozen=True)
class Run:
    """What came of one run; `wrong` says in words what was not as it should be."""

    plan: Plan
    tally: Tally
    deadlocks: int
    wrong: list[str]


async def one_run(one: Plan, url: str) -> Run:
    """A run on a fresh, migrated database."""
    facts = said(one)
    crew = Crew(one, laid(one, facts), url)
    wrong: list[str] = []
    with caps_of(one):
        try:
            await crew.run()
        except (TimeoutError, ExceptionGroup) as error:
            wrong = [f"it did not come to its end: {_causes(error)}"]
        pool = await open_pool(url, 1, name="verdict")
        try:
            wrong += await differences(pool, facts)
        finally:
            await pool.close()
    found = await deadlocks(url)
    wrong += [f"{found} deadlocks"] if found else []
    return Run(one, crew.tally, found, wrong)


def _causes(error: BaseException) -> str:
    if isinstance(error, BaseExceptionGroup):
        return "; ".join(_causes(one) for one in error.exceptions)
    return repr(error)


@asynccontextmanager
async def template(server: str) -> AsyncIterator[str]:
    """The name of a migrated database, to be copied."""
    name = f"{OURS}{token_hex(4)}"
    await order(server, f"CREATE DATABASE {name}")
    try:
        await migrate(named(server, name))
        yield name
    finally:
        await order(server, f"DROP DATABASE {name} WITH (FORCE)")


async def runs(plans: Sequence[Plan], server: str, told: Steps) -> list[Run]:
    """All the runs, one after the other, each on a database of its own."""
    done = []
    async with template(server) as migrated:
        for one in plans:
            told.begin(f"run {one.seed}: {one.kind}")
            name = f"{OURS}{token_hex(4)}"
            await order(server, f"CREATE DATABASE {name} TEMPLATE {migrated}")
            try:
                run = await one_run(one, named(server, name))
            finally:
                await order(server, f"DROP DATABASE {name} WITH (FORCE)")
            done.append(run)
            told.end(f"run {one.seed}: {one.kind}: {run.wrong[0] if run.wrong else 'as the model'}")
    return done


def share_moved(done: Iterable[Run]) -> float:
    """Of the batches, so many found a group gone when its lock came."""
    tallies = [run.tally for run in done]
    return sum(one.moved for one in tallies) / max(sum(one.batches for one in tallies), 1)


def table_of(done: Sequence[Run]) -> Table:
    """A line for each kind of run, and one for all."""
    table = Table(box=None, header_style="dim", pad_edge=False)
    table.add_column("")
    columns = ("runs", "as the model", "batches", "locked again", "own words", "kills", "retries", "refused",
               "slow lane", "deadlocks")  # fmt: skip
    for column in columns:
        table.add_column(column, justify="right")
    kinds: Mapping[str, list[Run]] = defaultdict(list)
    for run in done:
        kinds[run.plan.kind].append(run)
    for name, found in (*sorted(kinds.items()), ("all", list(done))):
        table.add_row(name, *_row(found))
    return table


def _row(found: Sequence[Run]) -> list[str]:
    tallies = [run.tally for run in found]
    batches = sum(one.batches for one in tallies)
    learned = sum(one.learned for one in tallies) / max(batches, 1)
    counts = (len(found), sum(not run.wrong for run in found), batches)
    more = (sum(one.kills for one in tallies), sum(one.retries for one in tallies),
            sum(one.refused for one in tallies), sum(one.slow for one in tallies),
            sum(run.deadlocks for run in found))  # fmt: skip
    return [
        *(f"{number:,}" for number in counts),
        f"{share_moved(found):.1%}",
        f"{learned:.1%}",
        *(f"{number:,}" for number in more),
    ]


def figures(done: Sequence[Run]) -> dict[str, Any]:
    """As plain JSON."""
    return {
        "runs": len(done),
        "as_the_model": sum(not run.wrong for run in done),
        "deadlocks": sum(run.deadlocks for run in done),
        "batches": sum(run.tally.batches for run in done),
        "locked_again": round(share_moved(done), 4),
        "locked_again_in_town": round(share_moved(_town(done)), 4),
        "killed": dict(sum((Counter(run.tally.killed) for run in done), Counter())),
        "refused": sum(run.tally.refused for run in done),
        "slow_lane": sum(run.tally.slow for run in done),
        "wrong": {run.plan.seed: run.wrong for run in done if run.wrong},
    }


def _town(done: Iterable[Run]) -> list[Run]:
    return [run for run in done if run.plan.town]


def main() -> int:
    """Exit status 1: not every run ended as the model."""
    asked = _asked()
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    plans = [plan(seed, asked.events, asked.consumers) for seed in range(asked.seed, asked.seed + asked.runs)]
    try:
        with steps(len(plans)) as told, servers(state_folder(), told.report) as addresses:
            done = uvloop.run(runs(plans, addresses.postgres, told))
    except (Void, HubError) as error:
        print(f"void: {error}", file=sys.stderr)
        return 1
    terminal = Console()
    (terminal if terminal.is_terminal else Console(width=WIDTH)).print(table_of(done))
    found = figures(done)
    print("killed: " + (", ".join(f"{count} {doing}" for doing, count in found["killed"].items()) or "nobody"))
    if asked.json:
        asked.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    for run in done:
        for wrong in run.wrong[:1]:
            print(f"--seed {run.plan.seed} --runs 1: {wrong}", file=sys.stderr)
    often = share_moved(_town(done)) >= MOST_REPEATED
    if often:
        print(f"in town, {MOST_REPEATED:.0%} of the batches or more had to lock again", file=sys.stderr)
    return 1 if often or found["wrong"] else 0


def _asked() -> argparse.Namespace:
    words = argparse.ArgumentParser("python -m bench.identity.concurrent", description=__doc__)
    words.add_argument("--runs", type=int, default=20, help="how many (default: %(default)s)")
    words.add_argument("--seed", type=int, default=1, help="of the first; each has the next (default: %(default)s)")
    words.add_argument("--consumers", type=int, default=4, help="at once (default: %(default)s)")
    words.add_argument("--events", type=int, default=400, help="in each run (default: %(default)s)")
    words.add_argument("--json", type=Path, metavar="FILE", help="write the figures there")
    return words.parse_args()


if __name__ == "__main__":
    sys.exit(main())
