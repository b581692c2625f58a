"""Who is in which segments, and until when that stands if nothing happens. Pure.

A segment is asked at a moment. What is true then stays true while nothing happens, but for what looks back: a count
within a time falls when its oldest activity leaves that time, and the age of a field passes a bound.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime, timedelta
from graphlib import CycleError, TopologicalSorter
from typing import Any

from hub.automation.conditions import OPERATORS, evaluate, of_profile
from hub.automation.decisions import ENTERED, LEFT, Occasion
from hub.automation.values import before, moment
from hub.automation.view import Person, View
from hub.automation.walk import Leaf, leaves
from schemas.conditions import CountAsked, ProfileAsked, SegmentAsked
from schemas.envelope import SEGMENT_CHANGES
from schemas.rules import Segment, span

EVENT, TIME, MERGE, SPLIT, APPLIED = "event", "time", "merge", "split", "applied"
"""Why somebody came in or went out: something happened, time passed, or who they are, or the segment, was changed."""
SETS_OFF = frozenset({EVENT, TIME})
"""Only what happens sets rules off, never what the hub comes to know of the past."""


@dataclass(frozen=True, slots=True)
class Counted:
    """Activities at a moment: how many there are, the times of the oldest of them in order (perhaps not of all), and
    the first that lies ahead.
    """

    number: int = 0
    oldest: Sequence[datetime] = ()
    ahead: datetime | None = None


CountedOf = Callable[[tuple[str, ...], datetime | None], Counted]
"""Types and a time → what there is of them later than that (None: ever)."""


@dataclass(frozen=True, slots=True)
class Found:
    """The segments that somebody is in, and the first moment at which that may change by itself (None: never)."""

    segments: frozenset[str]
    until: datetime | None


def look(segments: Iterable[Segment], at: datetime, person: Person, counted: CountedOf) -> Found:
    """Which of these somebody is in at a moment. They are `in_order`. What cannot be decided is a no."""

    def counts(types: tuple[str, ...], since: datetime | None, _until: datetime) -> int:
        return counted(types, since).number

    found: set[str] = set()
    turns: list[datetime] = []
    for one in segments:
        if evaluate(one.condition, View(at, person, counts, frozenset(found))).holds:
            found.add(one.name)
        turns += [turn for _, leaf in leaves(one.condition) for turn in _turns(leaf, at, person, counted)]
    return Found(frozenset(found), min(turns, default=None))


def _turns(leaf: Leaf, at: datetime, person: Person, counted: CountedOf) -> Iterator[datetime]:
    """Moments ahead before the first of which the question keeps its answer."""
    if isinstance(leaf, CountAsked):
        yield from _of_count(leaf, at, counted)
    elif isinstance(leaf, ProfileAsked):
        lies = moment(of_profile(leaf.path, person))
        ages = [span(wanted) for word, wanted in leaf.operators if word in {"within", "older_than"}]
        passed = [_later(lies, age) for age in (timedelta(), *ages)] if lies and ages else []
        yield from (one for one in passed if one and one > at)


def _of_count(leaf: CountAsked, at: datetime, counted: CountedOf) -> Iterator[datetime]:
    found = counted(leaf.types, before(at, span(leaf.window)) if leaf.window else None)
    if found.ahead:
        yield found.ahead
    if not leaf.window or not found.oldest:
        return
    view, last = View(at), found.oldest[-1]
    now, left = _answers(leaf, found.number, view), range(found.number - 1, -1, -1)
    turning = (one for number, one in zip(left, found.oldest, strict=False) if _answers(leaf, number, view) is not now)
    # Where none of those that are known turns it, one of the others may.
    turn = next(turning, None if len(found.oldest) == found.number else last)
    if turn and (leaves_at := _later(turn, span(leaf.window))):
        yield leaves_at


def _answers(leaf: CountAsked, number: int, view: View) -> bool:
    return all(OPERATORS[word](number, wanted, view) for word, wanted in leaf.operators)


def _later(at: datetime, after: timedelta) -> datetime | None:
    """None where that lies behind the end of all times."""
    try:
        return at + after
    except OverflowError:
        return None


def in_order(segments: Iterable[Segment]) -> list[Segment]:
    """Each behind those that it asks. Those that ask each other in a circle are left out: nobody comes in or goes."""
    named = {one.name: one for one in segments}
    while True:
        try:
            order = TopologicalSorter({name: _asks(one) for name, one in sorted(named.items())}).static_order()
            return [named[name] for name in order if name in named]
        except CycleError as error:
            named = {name: one for name, one in named.items() if name not in error.args[1]}


def _asks(one: Segment) -> set[str]:
    return {leaf.segment for _, leaf in leaves(one.condition) if isinstance(leaf, SegmentAsked)}


def windows(segments: Iterable[Segment], at: datetime) -> set[tuple[tuple[str, ...], datetime | None]]:
    """The counts that they ask for at a moment, as `CountedOf` is asked for them."""
    return {
        (leaf.types, before(at, span(leaf.window)) if leaf.window else None)
        for one in segments
        for _, leaf in leaves(one.condition)
        if isinstance(leaf, CountAsked)
    }


def touched(segments: Iterable[Segment], new: AbstractSet[str]) -> frozenset[str]:
    """The new ones among these, and those that ask a new one, or ask one that does. They are `in_order`."""
    found: set[str] = set()
    for one in segments:
        if one.name in new or _asks(one) & found:
            found.add(one.name)
    return frozenset(found)


def occasion(event_type: str, at: datetime, received_at: datetime, data: Mapping[str, Any]) -> Occasion:
    """An event as rules are set off by it. A change of a segment that tells of the past means no rule's segment."""
    if event_type not in SEGMENT_CHANGES:
        return Occasion(event_type, at, received_at)
    subject = data.get("segment") if data.get("because") in SETS_OFF else None
    return Occasion(event_type, at, received_at, subject, data.get("hops", 0))


def differences(before_: Collection[str], now: Collection[str]) -> Iterator[tuple[str, str]]:
    """Type and segment of every change, in the order of names."""
    for name in sorted(set(before_) ^ set(now)):
        yield (ENTERED if name in now else LEFT), name
