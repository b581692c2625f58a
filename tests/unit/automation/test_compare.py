"""A version on trial beside the live one: what differs, and what is said of it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.automation.compare import Pair, Stand, different, differing, sentence, summary, treated
from hub.automation.decisions import Verdict

LIVE = [None, *(one.value for one in Verdict if one is not Verdict.TRIAL)]
TRIAL = [None, *(one.value for one in Verdict if one is not Verdict.FIRED)]
PAIRS = [(live, trial) for live in LIVE for trial in TRIAL if (live, trial) != (None, None)]
STAND = Stand(3, 4, "2026-11-22T08:00:00.000Z")


def saw(asked: str, value: Any, truth: str = "true") -> dict[str, Any]:
    return {"place": "if", "asked": asked, "value": value, "truth": truth}


def told(counts: dict[Pair, int], stand: Stand = STAND) -> str:
    return sentence(stand, summary(counts))


@pytest.mark.parametrize(
    ("pair", "said"),
    [
        (("fired", "trial"), "both"),
        (("fired", "no"), "only_live"),
        (("fired", None), "only_live"),
        (("again", "trial"), "only_trial"),
        ((None, "trial"), "only_trial"),
        (("error", "too_old"), "neither"),
        ((None, "no"), "neither"),
    ],
)
def test_who_treats_an_event_follows_from_the_two_verdicts(pair: Pair, said: str) -> None:
    assert treated(pair) == said


@given(st.dictionaries(st.sampled_from(PAIRS), st.integers(1, 1000)))
def test_every_event_is_counted_once_and_the_different_ones_are_those_that_are_shown(counts: dict[Pair, int]) -> None:
    found = summary(counts)
    assert found.asked + found.live.asked + found.trial.asked == sum(counts.values())
    assert found.different == sum(counts[pair] for pair in different(list(counts)))
    assert found.live.treated <= found.live.asked
    assert found.trial.treated <= found.trial.asked


def test_questions_differ_that_one_side_alone_asked_or_that_found_something_else() -> None:
    live = [saw("event total at_least 5", 7), saw("profile stage is lead", "lead"), saw("count", 1)]
    trial = [saw("profile stage is lead", "lead"), saw("count", 2), saw("event total more_than 7", 7, "false")]
    assert differing(live, live) == []
    assert differing(live, trial) == [
        {"asked": "event total at_least 5", "live": {"value": 7, "truth": "true"}, "trial": None},
        {"asked": "count", "live": {"value": 1, "truth": "true"}, "trial": {"value": 2, "truth": "true"}},
        {"asked": "event total more_than 7", "live": None, "trial": {"value": 7, "truth": "false"}},
    ]


def test_a_question_that_stands_twice_is_compared_in_turn() -> None:
    twice = [saw("count", 1), saw("count", 1)]
    assert differing(twice, twice[:1]) == [{"asked": "count", "live": {"value": 1, "truth": "true"}, "trial": None}]


def test_the_sentence_tells_all_four_numbers_and_what_one_alone_looked_at() -> None:
    counts: dict[Pair, int] = {("fired", "trial"): 1200, ("no", "no"): 30, ("fired", "no"): 4, ("no", "trial"): 5}
    assert told(counts) == (
        "Of 1,239 events that both decided about, 1,200 would be treated by both and 30 by neither; 4 by version 3 "
        "alone, which is live, and 5 by version 4 alone, which is on trial."
    )
    assert told({**counts, (None, "trial"): 2, (None, "no"): 1}).endswith(
        "on trial. Version 4 alone looked at 3 more, and treats 2 of them."
    )


def test_without_a_live_version_it_tells_all_that_would_fire() -> None:
    assert told({(None, "trial"): 2, (None, "no"): 1}, Stand(None, 1, "")) == (
        "No version is live. Version 1, on trial, would have treated 2 of the 3 events that it looked at."
    )


def test_where_nothing_is_decided_it_says_what_to_do() -> None:
    assert "It looks at what arrives after 2026-11-22T08:00:00.000Z: wait" in told({})
    assert told({}, Stand(3, 4, "", paused=True)).endswith("The rule is paused: hub rules resume.")
