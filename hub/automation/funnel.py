"""How many stand in each stage, come, go on, go back and leave, and how long they stay. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from statistics import median
from typing import Any, Literal

from hub.automation.stages import Stay
from schemas.funnel import Funnel

Way = Literal["on", "back", "out"]


Ranks = Mapping[str, int]
"""The stages within the funnel by their place; those that lead out, or that nobody configured, have none."""


def ranks(funnel: Funnel) -> Ranks:
    """The places of the stages that lead to the next."""
    return {stage: place for place, stage in enumerate(funnel.stages) if stage not in funnel.out}


def way(ranked: Ranks, left: str, reached: str) -> Way:
    """Where a change of stage leads: to a later stage, to an earlier one, or out. Who was out comes back."""
    if reached not in ranked:
        return "out"
    return "on" if left in ranked and ranked[reached] > ranked[left] else "back"


@dataclass(slots=True)
class Figures:
    """A stage: who stands there now, and what happened within the period. Times are seconds."""

    standing: list[float] = field(default_factory=list)
    stayed: list[float] = field(default_factory=list)
    came: int = 0
    reached_later: int = 0
    went: dict[Way, int] = field(default_factory=lambda: {"on": 0, "back": 0, "out": 0})

    def told(self, stage: str, *, has_next: bool) -> dict[str, Any]:
        """As `hub.api.funnel_shapes.StageFigures`."""
        share = self.reached_later / self.came if self.came and has_next else None
        return {
            "stage": stage,
            "now": len(self.standing),
            "came": self.came,
            "went_on": self.went["on"],
            "went_back": self.went["back"],
            "went_out": self.went["out"],
            "reached_later": self.reached_later,
            "conversion": None if share is None else round(share, 4),
            "standing_seconds": _times(self.standing),
            "stayed_seconds": _times(self.stayed),
        }


def _times(seconds: Sequence[float]) -> dict[str, int | None]:
    return {
        "median": round(median(seconds)) if seconds else None,
        "longest": round(max(seconds)) if seconds else None,
    }


class Tally:
    """The figures of all stages, person by person. Everything from `since` until `now` lies within the period."""

    def __init__(self, funnel: Funnel, since: datetime, now: datetime) -> None:
        self._funnel, self._since, self._now = funnel, since, now
        self._ranks = ranks(funnel)
        self._found: dict[str, Figures] = {stage: Figures() for stage in funnel.stages}
        self.persons = 0

    def add(self, stays: Sequence[Stay]) -> None:
        """One person's stays, in their order."""
        self.persons += bool(stays)
        furthest, reached = -1, ""
        for one in reversed(stays):
            figures = self._found.setdefault(one.stage, Figures())
            rank = self._ranks.get(one.stage, len(self._funnel.stages))
            if one.since >= self._since:
                figures.came += 1
                figures.reached_later += furthest > rank
            if one.until is None:
                figures.standing.append(one.seconds(self._now))
            elif one.until >= self._since:
                figures.stayed.append(one.seconds(self._now))
                figures.went[way(self._ranks, one.stage, reached)] += 1
            furthest, reached = max(furthest, self._ranks.get(one.stage, -1)), one.stage

    def stages(self) -> list[dict[str, Any]]:
        """The configured stages in their order; from the last of those within nobody gets further."""
        last = max(self._ranks.values(), default=-1)
        return [
            self._found[stage].told(stage, has_next=self._ranks.get(stage, last) < last)
            for stage in self._funnel.stages
        ]

    def others(self) -> list[dict[str, Any]]:
        """Stages that are not configured, where somebody stands there, or came or left within the period."""
        strange = sorted(self._found.keys() - {*self._funnel.stages})
        found = [self._found[stage].told(stage, has_next=False) for stage in strange]
        return [one for one in found if one["now"] or one["came"] or one["stayed_seconds"]["longest"] is not None]
