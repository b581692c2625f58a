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


class Figures(TypedDict):
    """The file's keys; what was not measured is null."""

    rate: float | None
    copy_floor: float | None
    relational_floor: float | None
    ratio: float | None
    latency_ms: Latency
    gateway_rate: float | None
    events: int
    cpu_seconds: float | None


def no_figures(events: int) -> Figures:
    """Figures before anything was measured."""
    return Figures(
        rate=None,
        copy_floor=None,
        relational_floor=None,
        ratio=None,
        latency_ms=Latency(p50=None, p99=None),
        gateway_rate=None,
        events=events,
        cpu_seconds=None,
    )


def write(figures: Figures, path: Path) -> None:
    """Put them in a file as JSON."""
    path.write_bytes(orjson.dumps(figures, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
