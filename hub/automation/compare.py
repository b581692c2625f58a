"""A version on trial beside the live one: who is treated alike, who is not, and by which values. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from hub.automation.decisions import Verdict

Pair = tuple[str | None, str | None]
"""The verdicts of the live version and of the one on trial; None: that version did not look at the event."""
Treated = Literal["both", "neither", "only_live", "only_trial"]
Values = Sequence[Mapping[str, Any]]
"""The values that a decision saw, as they are kept."""
_TREATING = {Verdict.FIRED.value, Verdict.TRIAL.value}


@dataclass(frozen=True, slots=True)
class Alone:
    """The events that one of the two versions alone looked at: how many, and how many of them it treats."""

    asked: int = 0
    treated: int = 0


@dataclass(frozen=True, slots=True)
class Summary:
    """How many events both versions decided about, by who treats them; beside that what one alone looked at."""

    both: int
    neither: int
    only_live: int
    only_trial: int
    live: Alone
    trial: Alone

    @property
    def asked(self) -> int:
        """How many events both decided about."""
        return self.both + self.neither + self.only_live + self.only_trial

    @property
    def different(self) -> int:
        """How many events would have been treated differently."""
        return self.only_live + self.only_trial + self.live.treated + self.trial.treated


@dataclass(frozen=True, slots=True)
class Stand:
    """What is compared: the live version (None: there is none), the one on trial, and since when (text)."""

    live: int | None
    trial: int
    trial_since: str
    paused: bool = False


def treated(pair: Pair) -> Treated:
    """Who treats an event of these verdicts. What a version did not look at it does not treat."""
    live, trial = (verdict in _TREATING for verdict in pair)
    if live is trial:
        return "both" if live else "neither"
    return "only_live" if live else "only_trial"


def different(pairs: Sequence[Pair]) -> list[Pair]:
    """Those verdicts that treat an event differently."""
    return [one for one in pairs if treated(one).startswith("only")]


def summary(counts: Mapping[Pair, int]) -> Summary:
    """How often each pair of verdicts was there, summed up."""
    found = dict.fromkeys(("both", "neither", "only_live", "only_trial"), 0)
    for pair, count in counts.items():
        if None not in pair:
            found[treated(pair)] += count
    live, trial = (_alone(counts, other) for other in (1, 0))
    return Summary(**found, live=live, trial=trial)


def _alone(counts: Mapping[Pair, int], other: int) -> Alone:
    asked = {pair: count for pair, count in counts.items() if pair[other] is None}
    return Alone(sum(asked.values()), sum(count for pair, count in asked.items() if treated(pair) != "neither"))


def differing(live: Values, trial: Values) -> list[dict[str, Any]]:
    """The questions that only one side asked, or that were answered differently, in the order of the live side.

    A question that stands several times in a file is compared in turn.
    """
    sides = [_answers(one) for one in (live, trial)]
    return [
        {"asked": key[0], "live": sides[0].get(key), "trial": sides[1].get(key)}
        for key in dict.fromkeys((*sides[0], *sides[1]))
        if sides[0].get(key) != sides[1].get(key)
    ]


def _answers(seen: Values) -> dict[tuple[str, int], dict[str, Any]]:
    found: dict[tuple[str, int], dict[str, Any]] = {}
    for one in seen:
        turn = sum(asked == one["asked"] for asked, _ in found)
        found[one["asked"], turn] = {"value": one["value"], "truth": one["truth"]}
    return found


def sentence(stand: Stand, found: Summary) -> str:
    """The comparison in words."""
    trial = f"Version {stand.trial}, on trial,"
    if not found.asked and not found.live.asked and not found.trial.asked:
        return f"{trial} has decided nothing in this time. {_what_to_do(stand)}"
    if stand.live is None:
        return (
            f"No version is live. {trial} would have treated {found.trial.treated:,} of the "
            f"{_events(found.trial.asked)} that it looked at."
        )
    said = (
        f"Of {_events(found.asked)} that both decided about, {found.both:,} would be treated by both and "
        f"{found.neither:,} by neither; {found.only_live:,} by version {stand.live} alone, which is live, and "
        f"{found.only_trial:,} by version {stand.trial} alone, which is on trial."
    )
    for version, one in ((stand.live, found.live), (stand.trial, found.trial)):
        if one.asked:
            said += f" Version {version} alone looked at {one.asked:,} more, and treats {one.treated:,} of them."
    return said


def _what_to_do(stand: Stand) -> str:
    if stand.paused:
        return "The rule is paused: hub rules resume."
    return (
        f"It looks at what arrives after {stand.trial_since}: wait for the next events that set it off, or look "
        "further back with --since."
    )


def _events(count: int) -> str:
    return f"{count:,} event{'s' * (count != 1)}"
