"""Events of people who are known already: the hub beside the relational floor, and many people beside few.

Whoever is to be known is met before the clock starts, on the same way and by the same processes as everything else:
first contacts through Kafka into the contender's own tables, until they are written and published. Then the processes
end, the events of these people are put on the topic, and fresh processes take them.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import uvloop

from bench.events import make_known
from bench.figures import Steady, Void
from bench.rate import Ring, Turn, hub_turn, relational_turn
from bench.report import Steps, costs, cpu_ratio

FEW = 5_000
MOST_EVENTS = 100_000
"""Events of a turn, repeats among them."""
ELSEWHERE = frozenset({"kafka", "redis"})
"""Servers whose work is not counted as the cost of an event here: they do the same for few people and for many."""
CONTENDERS: dict[str, Callable[[Ring], Coroutine[Any, Any, Turn]]] = {
    "relational floor": relational_turn,
    "hub": hub_turn,
}
Turns = dict[str, list[Turn]]


@dataclass(frozen=True)
class Plan:
    """How much is asked for: people known at first and in the end, events of theirs, rounds, seed."""

    few: int
    many: int
    events: int
    rounds: int
    seed: int

    @property
    def many_rounds(self) -> int:
        """Meeting so many takes a minute: half of the rounds."""
        return max(1, self.rounds // 2)

    @property
    def steps(self) -> int:
        """Turns in all."""
        return self.rounds * len(CONTENDERS) + 2 * self.many_rounds


def steady(plan: Plan, ring: Ring, steps: Steps) -> tuple[Steady, Turns]:
    """Every turn, and what they come to. Raises Void where rows are wrong."""
    turns: Turns = {name: [] for name in CONTENDERS}
    few = _ring(plan, ring, plan.few)
    for number in range(1, plan.rounds + 1):
        for name, contender in CONTENDERS.items():
            turns[name].append(_turn(steps, f"steady {number} of {plan.rounds}: {name}", contender, few))
    some, everybody = f"hub, {plan.few:,} of {plan.many:,}", f"hub, {plan.many:,}"
    for name, writers in ((some, plan.few), (everybody, None)):
        many = _ring(plan, ring, plan.many, writers)
        turns[name] = [
            _turn(steps, f"steady {number} of {plan.many_rounds}: {name}", hub_turn, many)
            for number in range(1, plan.many_rounds + 1)
        ]
    wrong = [line for found in turns.values() for turn in found for line in turn.wrong]
    if wrong:
        raise Void("\n".join(wrong))
    return _figures(plan, turns, turns[some], turns[everybody]), turns


def _ring(plan: Plan, ring: Ring, known: int, writers: int | None = None) -> Ring:
    first, then = make_known(known, plan.events, plan.seed, writers)
    return Ring(ring.state, ring.addresses, then, ring.hub, first)


def _turn(steps: Steps, name: str, contender: Callable[[Ring], Coroutine[Any, Any, Turn]], ring: Ring) -> Turn:
    steps.begin(name)
    turn = uvloop.run(contender(ring))
    steps.end(f"{name} {turn.rate:,.0f} events/s")
    return turn


def _figures(plan: Plan, turns: Turns, some: Sequence[Turn], everybody: Sequence[Turn]) -> Steady:
    rate, floor = _rate(turns["hub"]), _rate(turns["relational floor"])
    few, many, all_of_many = (_cost(found) for found in (turns["hub"], some, everybody))
    return Steady(
        ratio=round(rate / floor, 4),
        cpu_ratio=round(cpu_ratio(turns) or 0.0, 4),
        rate=round(rate, 1),
        relational_floor=round(floor, 1),
        known=plan.few,
        cost_us=round(few * 1e6, 1),
        known_200k=plan.many,
        cost_us_200k=round(many * 1e6, 1),
        cost_ratio_200k=round(many / few, 4),
        clock_ratio_200k=round(rate / _rate(some), 4),
        cost_us_200k_all=round(all_of_many * 1e6, 1),
        cost_ratio_200k_all=round(all_of_many / few, 4),
    )


def _rate(found: Sequence[Turn]) -> float:
    return median(turn.rate for turn in found)


def _cost(found: Sequence[Turn]) -> float:
    """CPU seconds per event of the hub's processes and PostgreSQL."""
    return sum(cost for who, cost in costs(found).items() if who not in ELSEWHERE)
