"""Where somebody stood, from when until when, and the figures of all stages."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.automation.funnel import Tally, ranks, way
from hub.automation.stages import Said, Stay, history
from schemas.funnel import Funnel
from tests.support.memory import FIRST_DAY

FUNNEL = Funnel()
RANKS = ranks(FUNNEL)


def on(day: float, stage: str, by: str = "eve") -> Said:
    at = FIRST_DAY + timedelta(days=day)
    return Said(at, f"{day}{stage}{by}".encode(), stage, by, not by.startswith("rule:"))


def stays(*said: Said) -> list[tuple[str, float, float | None]]:
    """Stages with the days of their begin and end."""
    return [(one.stage, _day(one.since), _day(one.until) if one.until else None) for one in history(said)]


def _day(at: datetime) -> float:
    return (at - FIRST_DAY) / timedelta(days=1)


SAID = st.lists(
    st.builds(
        on, st.integers(0, 20), st.sampled_from(["lead", "offer", "lost", "x"]), st.sampled_from(["eve", "rule:a"])
    ),
    max_size=15,
)


@given(SAID)
def test_stays_follow_each_other_without_a_gap_and_the_last_one_is_open(said: list[Said]) -> None:
    found = history(said)
    assert bool(found) is bool(said)
    for one, following in pairwise(found):
        assert (one.until, one.stage != following.stage) == (following.since, True)
        assert one.since <= following.since
    assert [one.until for one in found[-1:]] == [None] * bool(found)
    first = min((one.at for one in said if one.by_person), default=None)
    assert all(not one.by.startswith("rule:") for one in found if first is not None and one.since > first)


def test_a_rule_s_word_changes_nothing_once_a_person_has_spoken() -> None:
    assert stays(on(1, "lead", "rule:new"), on(3, "offer"), on(5, "customer", "rule:paid"), on(7, "lost")) == [
        ("lead", 1, 3), ("offer", 3, 7), ("lost", 7, None),
    ]  # fmt: skip
    assert stays(on(1, "lead"), on(2, "lead"), on(4, "lead", "rule:new")) == [("lead", 1, None)]


@pytest.mark.parametrize(
    ("left", "reached", "said"),
    [
        ("lead", "qualified", "on"),
        ("lead", "customer", "on"),
        ("customer", "offer", "back"),
        ("lead", "lost", "out"),
        ("lead", "nurture", "out"),
        ("lost", "customer", "back"),
        ("nurture", "lead", "back"),
        ("nurture", "lost", "out"),
    ],
)
def test_a_change_leads_on_back_or_out(left: str, reached: str, said: str) -> None:
    assert way(RANKS, left, reached) == said


def test_the_figures_of_a_few_people_are_those_that_a_person_counts() -> None:
    now = FIRST_DAY + timedelta(days=30)
    tally = Tally(FUNNEL, FIRST_DAY + timedelta(days=10), now)
    for said in (
        [on(1, "lead"), on(12, "qualified"), on(20, "offer")],
        [on(11, "lead"), on(15, "lost"), on(16, "lead"), on(18, "customer")],
        [on(2, "lead")],
        [on(25, "lead")],
        [on(3, "nurture"), on(13, "lead")],
        [on(14, "offer"), on(16, "lead")],
        [],
    ):
        tally.add(history(said))
    by = {one["stage"]: one for one in (*tally.stages(), *tally.others())}
    assert tally.persons == 6
    lead = by["lead"]
    assert [lead[word] for word in ("now", "came", "went_on", "went_back", "went_out")] == [4, 5, 2, 0, 1]
    assert (lead["reached_later"], lead["conversion"]) == (2, 0.4)
    days = 86_400
    assert lead["standing_seconds"] == {"median": 15.5 * days, "longest": 28 * days}
    assert lead["stayed_seconds"] == {"median": 4 * days, "longest": 11 * days}
    assert [by["lost"][word] for word in ("now", "came", "went_back", "conversion")] == [0, 1, 1, None]
    assert (by["customer"]["now"], by["customer"]["conversion"], by["offer"]["conversion"]) == (1, None, 0.0)
    assert [by["nurture"][word] for word in ("now", "came", "went_back")] == [0, 0, 1]
    assert [one["stage"] for one in tally.stages()] == list(FUNNEL.stages)


@given(st.lists(SAID, max_size=8), st.integers(0, 20))
def test_everybody_stands_somewhere_once_and_whoever_left_came(everybody: list[list[Said]], since: int) -> None:
    tally = Tally(FUNNEL, FIRST_DAY + timedelta(days=since), FIRST_DAY + timedelta(days=30))
    found: list[list[Stay]] = [history(said) for said in everybody]
    for one in found:
        tally.add(one)
    rows = [*tally.stages(), *tally.others()]
    assert sum(row["now"] for row in rows) == tally.persons == sum(map(bool, found))
    left = sum(row[word] for row in rows for word in ("went_on", "went_back", "went_out"))
    entries = sum(one.since >= tally._since for stay in found for one in stay)
    firsts = sum(one.since >= tally._since for stay in found for one in stay[:1])
    assert (sum(row["came"] for row in rows), left) == (entries, entries - firsts)
    assert all(row["reached_later"] <= row["came"] for row in rows)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"stages": ["a", "a"]}, "a stage stands there twice: a"),
        ({"stages": ["a", "b"], "out": ["c"]}, "`out` names what is no stage: c"),
        ({"stages": []}, "at least 1"),
        ({"stages": [" a"]}, "pattern"),
        ({"stages": ["a"], "states": []}, "not permitted"),
    ],
)
def test_stages_that_are_no_way_are_refused(wrong: dict[str, list[str]], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Funnel.model_validate(wrong)


def test_stages_of_ones_own_need_no_lost() -> None:
    assert ranks(Funnel(stages=("new", "won"))) == {"new": 0, "won": 1}
