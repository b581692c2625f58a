"""What a run came to: the figures that it writes, and why it is void where it is."""

from __future__ import annotations

from pathlib import Path
from typing import TypedDict

import orjson

LEAST_SHARE_OF_COPY = 0.15


class Void(Exception):
    """The run proves nothing; the text says why."""


class Latency(TypedDict):
    """Milliseconds from sending a post to the tool's receipt."""

    p50: float | None
    p99: float | None


class Steady(TypedDict):
    """Events of known people alone: the hub beside the relational floor, and with many people beside few.

    Costs are CPU microseconds per event, of the hub's processes and PostgreSQL.
    """

    ratio: float
    cpu_ratio: float
    rate: float
    relational_floor: float
    known: int
    cost_us: float
    known_200k: int
    cost_us_200k: float
    cost_ratio_200k: float
    clock_ratio_200k: float
    cost_us_200k_all: float
    cost_ratio_200k_all: float


class Figures(TypedDict):
    """The file's keys; what was not measured is null."""

    rate: float | None
    copy_floor: float | None
    relational_floor: float | None
    ratio: float | None
    rules_ratio: float | None
    latency_ms: Latency
    gateway_rate: float | None
    events: int
    cpu_seconds: float | None
    steady: Steady | None


def no_figures(events: int) -> Figures:
    """Figures before anything was measured."""
    return Figures(
        rate=None,
        copy_floor=None,
        relational_floor=None,
        ratio=None,
        rules_ratio=None,
        latency_ms=Latency(p50=None, p99=None),
        gateway_rate=None,
        events=events,
        cpu_seconds=None,
        steady=None,
    )


def write(figures: Figures, path: Path) -> None:
    """Put them in a file as JSON."""
    path.write_bytes(orjson.dumps(figures, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
