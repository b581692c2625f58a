"""When to try again, and when to give up: a pure function of the answer and of the tries so far."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Literal

from hub.identity.ids import as_text, hash_id

MINUTE, HOUR = 60.0, 3600.0
SCHEDULE = (5.0, 30.0, 2 * MINUTE, 10 * MINUTE, 30 * MINUTE, HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, 24 * HOUR, 24 * HOUR)
JITTER = 0.2
LONGEST_WISH = HOUR
"""The longest Retry-After that is honoured; a tool that asks for more is asked again after it."""
WAIT_AND_SEE = frozenset((408, 409, 425, 429))
"""Refusals that say *not now*; every other 4xx says *never*."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What a tool answered: its status and Retry-After, or (status None) the error that stood in the way."""

    status: int | None
    error: str | None = None
    retry_after: str | None = None


@dataclass(frozen=True, slots=True)
class Trouble:
    """The tries so far: of which delivery, how many, the place in the schedule, since how many seconds they fail."""

    id: bytes
    attempts: int
    step: int
    failing: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """The delivery's next state; `delay` in seconds and `step` count for `retry`."""

    state: Literal["delivered", "retry", "dead"]
    delay: float
    step: int
    error: str | None


def judge(heard: Heard, so_far: Trouble, schedule: Sequence[float], now: datetime) -> Verdict:
    """Delivered, again later, or dead. A 429 keeps its place in the schedule and counts by age alone."""
    schedule = schedule or SCHEDULE
    status, error = heard.status, _reason(heard)
    if status is not None and 200 <= status < 300:
        return Verdict("delivered", 0.0, so_far.step, None)
    if status is not None and 400 <= status < 500 and status not in WAIT_AND_SEE:
        return Verdict("dead", 0.0, so_far.step, error)
    throttled = status == 429
    if throttled and so_far.failing >= sum(schedule):
        return Verdict("dead", 0.0, so_far.step, f"{error}; given up after {_span(so_far.failing)}")
    if not throttled and so_far.step >= len(schedule):
        return Verdict("dead", 0.0, so_far.step, f"{error}; given up after {so_far.step + 1} tries")
    delay = schedule[min(so_far.step, len(schedule) - 1)] * _jitter(so_far)
    return Verdict("retry", _wished(heard.retry_after, delay, now), so_far.step + (not throttled), error)


def _reason(heard: Heard) -> str:
    if heard.status is None:
        return heard.error or "no answer"
    if 300 <= heard.status < 400:
        return f"HTTP {heard.status}: redirects are not followed; put the final address into hub.toml"
    if heard.status == 410:
        return "HTTP 410: the tool says that this address is gone for good"
    return f"HTTP {heard.status}"


def _jitter(so_far: Trouble) -> float:
    """0.8 to 1.2, the same for the same try: many deliveries that failed together come back spread out."""
    drawn = int.from_bytes(hash_id("jitter", as_text(so_far.id), str(so_far.attempts))[:4], "big") / 2**32
    return 1 - JITTER + 2 * JITTER * drawn


def _wished(written: str | None, delay: float, now: datetime) -> float:
    """Our own delay, or the tool's wish where it is longer, up to an hour."""
    wish = _seconds(written, now)
    return delay if wish is None else max(delay, min(wish, LONGEST_WISH))


def _seconds(written: str | None, now: datetime) -> float | None:
    """Retry-After in seconds from now: a number or an HTTP date; None where it is neither."""
    if not written:
        return None
    if written.strip().isascii() and written.strip().isdigit():
        return float(written.strip()[:12])
    try:
        return (parsedate_to_datetime(written) - now).total_seconds()
    except (ValueError, TypeError):
        return None


def _span(seconds: float) -> str:
    return f"{seconds / HOUR:.0f} h" if seconds >= HOUR else f"{seconds:.0f} s"
