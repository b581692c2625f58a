"""What files change of the rules that count: trial beside live, switched once, and never back by itself."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.automation.files import without_trial
from hub.automation.plan import IS_LIVE, Change, Plan, Standing, body_of, plan, switch
from schemas.rules import Rule

SAID = {"rule": "some", "about": "A rule.", "when": {"event": "order.placed"}, "steps": [{"end": {}}]}
FILE = b"""\
rule: some
version: 2
about: A rule.
mode: trial   # for a week
when: {event: order.placed}
steps:
  - add_tag: {tag: seen}
"""


def a_rule(version: int = 1, **words: Any) -> Rule:
    return Rule.model_validate(SAID | {"version": version} | words)


def standing(made: Rule, live: int | None = None, trial: int | None = None) -> dict[str, Standing]:
    return {"some": Standing("some", "rule", made.version, body_of(made), live, trial)}


def after(change: Change, known: dict[str, Standing], value: Rule | None = None) -> dict[str, Standing]:
    """What is known once a change is written down."""
    body, newest = (body_of(value), value.version) if value else (known["some"].body, known["some"].newest)
    return {"some": Standing("some", "rule", newest, body, change.live, change.trial)}


def only(found: Plan) -> tuple[str, int | None, int | None]:
    (change,) = found.changes
    return change.what, change.live, change.trial


def test_a_version_on_trial_is_taken_live_by_its_file_and_says_the_same_in_either_mode() -> None:
    tried, live = a_rule(2, mode="trial"), a_rule(2, mode="live")
    assert body_of(tried) == body_of(live) == body_of(a_rule(2))
    for value in (live, a_rule(2)):
        assert only(plan([value], standing(tried, live=1, trial=2))) == ("switched", 2, None)
        assert only(plan([value], standing(tried, trial=2))) == ("switched", 2, None)
    assert only(plan([tried], standing(tried, live=1, trial=2))) == ("unchanged", 1, 2)


def test_a_file_that_still_says_trial_leaves_a_live_version_live_and_is_told_so() -> None:
    tried = a_rule(2, mode="trial")
    found = plan([tried], standing(tried, live=2))
    assert (only(found), found.refused, found.hints) == (("unchanged", 2, None), {}, {"some": IS_LIVE})
    assert plan([tried], standing(tried, live=1, trial=2)).hints == {}


def test_a_text_that_was_kept_with_its_mode_is_the_same_text() -> None:
    tried = a_rule(2, mode="trial")
    kept = orjson.dumps(orjson.loads(body_of(tried)) | {"mode": "trial"}).decode()
    known = {"some": Standing("some", "rule", 2, kept, 1, 2)}
    assert only(plan([a_rule(2)], known)) == ("switched", 2, None)
    assert "says something else" in plan([a_rule(2, about="Another.")], known).refused["some"]


def test_only_what_is_on_trial_can_be_switched() -> None:
    made = a_rule(2)
    assert switch(standing(made, live=1, trial=2)["some"]) == Change("some", "switched", 2, None)
    assert switch(standing(made, live=2)["some"]) is None


STEPS = st.lists(
    st.one_of(
        st.just("switch"),
        st.tuples(st.integers(1, 5), st.sampled_from(["live", "trial", None]), st.sampled_from(["A.", "B."])),
    ),
    max_size=12,
)


@given(STEPS)
def test_whatever_comes_a_live_version_ends_by_a_live_file_or_a_switch_alone(steps: list[Any]) -> None:
    """And whatever a file was taken over for, the same file again changes nothing."""
    known: dict[str, Standing] = {}
    for step in steps:
        before = known.get("some")
        if step == "switch":
            change = switch(before) if before else None
            if before and change:
                assert change.live == before.trial
                known = after(change, known)
            continue
        version, mode, about = step
        value = a_rule(version, about=about, **({"mode": mode} if mode else {}))
        found = plan([value], known)
        if found.refused:
            assert before is not None
            continue
        (change,) = found.changes
        if before and before.live and change.live != before.live:
            assert mode != "trial"
        if before and before.live:
            assert change.live is not None
        assert change.trial is None or (mode == "trial" and change.trial == version)
        known = after(change, known, value)
        assert known["some"].live != known["some"].trial
        assert only(plan([value], known))[0] == "unchanged"


def test_the_line_of_the_trial_is_taken_out_of_a_file_and_nothing_else_is_touched() -> None:
    assert without_trial("some.yaml", FILE) == FILE.replace(b"mode: trial   # for a week\n", b"")
    windows = FILE.replace(b"\n", b"\r\n")
    assert without_trial("some.yaml", windows) == windows.replace(b"mode: trial   # for a week\r\n", b"")


@pytest.mark.parametrize(
    "content",
    [
        FILE.replace(b"mode: trial", b"mode: live"),
        FILE.replace(b"mode: trial", b"mode:\n  trial"),
        FILE.replace(b"about: A rule.", b"mode: trial"),
        b"mode: trial\n",
        orjson.dumps(SAID | {"version": 2, "mode": "trial"}),
    ],
    ids=["live", "two lines", "twice", "no rule", "one line of JSON"],
)
def test_a_file_in_which_it_is_no_line_of_its_own_is_left_alone(content: bytes) -> None:
    assert without_trial("some.yaml", content) is None
