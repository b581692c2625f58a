"""`python -m bench`: rounds of three contenders, the same of known people, then latency, then the gateway alone."""

from __future__ import annotations

import argparse
import gc
import logging
import sys
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median
from typing import Any

import uvloop
from rich.console import Console

from bench import figures, flame
from bench.children import Broken, under
from bench.doors import CONNECTIONS, POSTS_PER_SECOND, gateway_rate, latency
from bench.events import Stock, make_events
from bench.figures import Figures, Void
from bench.rate import Ring, Turn, copy_turn, hub_commands, hub_turn, relational_turn
from bench.report import Steps, median_turn, rates, shares, show, steps
from bench.ruled import ruled_turn
from bench.stage import servers, state_folder
from bench.steady import FEW, MOST_EVENTS, Plan, steady
from hub.embedded import Addresses
from hub.errors import HubError

WIDTH = 150
RULED = "hub, rules on"
LEAD_MILLISECONDS = 900_000
"""The first event is so old that the last one lies in the past: what rules wait for then lies ahead."""
PARTS = ("rate", "steady", "latency", "gateway")
CONTENDERS: dict[str, Callable[[Ring], Coroutine[Any, Any, Turn]]] = {
    "copy floor": copy_turn,
    "relational floor": relational_turn,
    "hub": hub_turn,
    RULED: ruled_turn,
}


@dataclass
class Run:
    """What was asked for, and what came of it."""

    asked: argparse.Namespace
    figures: Figures
    steps: Steps = field(init=False)
    addresses: Addresses = field(init=False)
    state: Path = field(default_factory=state_folder)
    turns: dict[str, list[Turn]] = field(default_factory=dict)
    steady_turns: dict[str, list[Turn]] = field(default_factory=dict)
    samples: list[Path] = field(default_factory=list)
    post_costs: dict[str, float] = field(default_factory=dict)
    void: list[str] = field(default_factory=list)

    @property
    def plan(self) -> Plan:
        """What is asked of the part `steady`: its turns are shorter, since people are met before each."""
        asked = self.asked
        return Plan(FEW, asked.known, min(asked.events, MOST_EVENTS), asked.rounds, asked.seed)


def main() -> int:
    """Exit status 1: the run is void, and no file is written."""
    asked = _asked()
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    parts = [asked.only] if asked.only else PARTS
    run = Run(asked, figures.no_figures(asked.events))
    counts = {"rate": asked.rounds * len(CONTENDERS) + 1, "steady": run.plan.steps}
    many = sum(counts.get(part, 1) for part in parts)
    if asked.out:
        asked.out.unlink(missing_ok=True)
    try:
        with steps(many) as run.steps, servers(run.state, run.steps.report) as run.addresses:
            for part in parts:
                _tried(run, part)
    except (Void, HubError) as error:
        run.void.append(str(error))
    except KeyboardInterrupt:
        run.void.append("interrupted; databases and topics of the bench are gone")
    _tell(run)
    if asked.out and not run.void:
        figures.write(run.figures, asked.out)
    return 1 if run.void else 0


def _tried(run: Run, part: str) -> None:
    """A part that proves nothing makes the run void; the others are measured all the same."""
    try:
        _PARTS[part](run)
    except (Void, Broken, HubError, TimeoutError) as error:
        run.void.append(str(error) or type(error).__name__)


def _tell(run: Run) -> None:
    terminal = Console()
    console = terminal if terminal.is_terminal else Console(width=WIDTH)
    known = f"of {run.plan.events:,} events, {FEW:,} known people"
    for title, turns in ((f"of {run.asked.events:,} events", run.turns), (known, run.steady_turns)):
        if any(turns.values()):
            console.print(rates(title, turns))
    show(run.figures, run.turns, console)
    if run.post_costs:
        print(f"{'CPU ms per post':<44}" + shares(run.post_costs, 1e3))
    if any(path.exists() for path in run.samples):
        print("\n" + flame.summary(run.samples))
    for reason in run.void:
        print(f"void: {reason}", file=sys.stderr)


def _asked() -> argparse.Namespace:
    words = argparse.ArgumentParser("python -m bench", description="How fast the hub is (see bench/README.md).")
    words.add_argument("--out", type=Path, metavar="FILE", help="write the figures there, as JSON")
    words.add_argument("--quick", action="store_true", help="a small run, about two minutes")
    words.add_argument("--only", choices=PARTS, help="one part of the four")
    words.add_argument("--profile", action="store_true", help="tell where the process of the profiles spends its time")
    words.add_argument("--seed", type=int, default=1, help="of the events (default: %(default)s)")
    words.add_argument("--rounds", type=int, help="of each contender (default: 5, quick 3)")
    words.add_argument("--events", type=int, help="in each round (default: 200000, quick 30000)")
    words.add_argument(
        "--known", type=int, help="people in the large database of steady (default: 200000, quick 20000)"
    )
    asked = words.parse_args()
    asked.rounds = asked.rounds or (3 if asked.quick else 5)
    asked.events = asked.events or (30_000 if asked.quick else 200_000)
    asked.known = asked.known or (20_000 if asked.quick else 200_000)
    return asked


def _rate(run: Run) -> None:
    run.steps.begin("making events")
    stock = make_events(run.asked.events, run.asked.seed, time.time_ns() // 1_000_000 - LEAD_MILLISECONDS)
    run.steps.end(f"{len(stock.messages):,} events of {stock.bytes_each:.0f} bytes, {len(stock.emails):,} people")
    gc.freeze()
    run.turns = {name: [] for name in CONTENDERS}
    ring = Ring(run.state, run.addresses, stock, hub_commands())
    for number in range(1, run.asked.rounds + 1):
        for name, contender in CONTENDERS.items():
            run.steps.begin(f"round {number} of {run.asked.rounds}: {name}")
            turn = uvloop.run(contender(_observed(run, ring, number)))
            run.turns[name].append(turn)
            run.steps.end(f"round {number}: {name} {turn.rate:,.0f} events/s")
    _judge(run)


def _observed(run: Run, ring: Ring, number: int) -> Ring:
    """With `--profile`, the hub's process `profiles` runs under py-spy."""
    if not run.asked.profile:
        return ring
    into = run.state / f"profile-{number}.txt"
    if into not in run.samples:
        run.samples.append(into)
    return replace(ring, hub=ring.hub | {"profiles": under(ring.hub["profiles"], flame.profiler(into))})


def _judge(run: Run) -> None:
    """Fill in the figures. Raises Void where rows are wrong, or the relational floor is no floor."""
    wrong = [line for found in run.turns.values() for turn in found for line in turn.wrong]
    if wrong:
        raise Void("\n".join(wrong))
    copy, relational, rate, ruled = (median(turn.rate for turn in run.turns[name]) for name in CONTENDERS)
    if relational < figures.LEAST_SHARE_OF_COPY * copy:
        raise Void(f"the relational floor ({relational:,.0f}/s) is below 0.15 of the copy floor ({copy:,.0f}/s)")
    middle = median_turn(run.turns["hub"])
    run.figures |= {
        "rate": round(rate, 1),
        "copy_floor": round(copy, 1),
        "relational_floor": round(relational, 1),
        "ratio": round(rate / relational, 4),
        "rules_ratio": round(ruled / rate, 4),
        "cpu_seconds": round(sum(middle.cpu[name] for name in hub_commands()), 2),
    }


def _steady(run: Run) -> None:
    ring = Ring(run.state, run.addresses, Stock(), hub_commands())
    run.figures["steady"], run.steady_turns = steady(run.plan, ring, run.steps)


def _latency(run: Run) -> None:
    seconds = 10 if run.asked.quick else 60
    run.steps.begin(f"latency: {POSTS_PER_SECOND} posts/s for {seconds} s")
    run.figures["latency_ms"], run.post_costs = uvloop.run(latency(run.state, run.addresses, seconds))
    run.steps.end("latency: p50 {p50} ms, p99 {p99} ms".format_map(run.figures["latency_ms"]))


def _gateway(run: Run) -> None:
    seconds = 5 if run.asked.quick else 15
    run.steps.begin(f"gateway: {CONNECTIONS} connections for {seconds} s")
    run.figures["gateway_rate"] = found = uvloop.run(gateway_rate(run.state, run.addresses, seconds))
    run.steps.end(f"gateway: {found:,.0f} posts/s")


_PARTS: dict[str, Callable[[Run], None]] = {
    "rate": _rate,
    "steady": _steady,
    "latency": _latency,
    "gateway": _gateway,
}

if __name__ == "__main__":
    sys.exit(main())
