"""A rule's steps run: what is done in which order, where it waits, and that every way through it ends."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from hub.automation.program import Act, Pause, Ran, program, run
from hub.automation.view import Person, Trigger, View
from schemas.rules import Rule

AT = datetime(2026, 11, 22, 8, tzinfo=UTC)
GOLD = {"profile": "tags", "contains": "gold"}
UNANSWERABLE = {"event": "total", "at_least": 5}


def a_rule(*steps: Mapping[str, Any], **more: Any) -> Rule:
    return Rule.model_validate(
        {"rule": "a", "version": 1, "about": "A.", "when": {"event": "order.placed"}, "steps": steps, **more}
    )


def tag(name: str) -> dict[str, Any]:
    return {"add_tag": {"tag": name}}


def seen_by(tags: Sequence[str] = (), total: Any = 10) -> View:
    return View(AT, Person(tags=tags), event=Trigger("order.placed", "shop", {"total": total}))


def done(ran: Ran) -> list[str]:
    return [f"{act.step} {act.settings['tag']}" for act in ran.acts]


def test_steps_are_done_one_after_the_other_until_a_wait_and_from_behind_it() -> None:
    steps = program(a_rule(tag("one"), tag("two"), {"wait": {"for": "2d"}}, tag("three")))
    first = run(steps, 0, seen_by())
    assert done(first) == ["1 one", "2 two"]
    assert first.waits_at is not None
    assert isinstance(steps[first.waits_at], Pause)
    last = run(steps, first.waits_at + 1, seen_by())
    assert (done(last), last.waits_at) == (["4 three"], None)


def test_a_branch_goes_one_way_and_both_go_on_behind_it() -> None:
    steps = program(
        a_rule(
            {"branch": {"if": GOLD, "then": [tag("a"), {"wait": {"for": "1d"}}, tag("b")], "else": [tag("c")]}},
            tag("d"),
        )
    )
    assert done(run(steps, 0, seen_by())) == ["1.else.1 c", "2 d"]
    gold = run(steps, 0, seen_by(["gold"]))
    assert done(gold) == ["1.then.1 a"]
    assert gold.waits_at is not None
    assert done(run(steps, gold.waits_at + 1, seen_by())) == ["1.then.3 b", "2 d"], "the way was chosen before the wait"
    assert [(step, outcome.holds) for step, outcome in gold.chosen] == [("1", True)]


def test_an_end_within_a_branch_ends_the_journey() -> None:
    steps = program(a_rule({"branch": {"if": GOLD, "then": [{"end": {}}]}}, tag("d")))
    assert done(run(steps, 0, seen_by(["gold"]))) == []
    assert done(run(steps, 0, seen_by())) == ["2 d"]


def test_a_branch_that_cannot_be_decided_ends_the_journey_with_its_step() -> None:
    steps = program(a_rule(tag("a"), {"branch": {"if": UNANSWERABLE, "then": [tag("b")]}}, tag("c")))
    ran = run(steps, 0, seen_by(total="much"))
    assert (done(ran), ran.waits_at, ran.error) == (["1 a"], None, "2")


def _steps() -> st.SearchStrategy[list[dict[str, Any]]]:
    plain = st.sampled_from([tag("x"), {"wait": {"for": "1d"}}, {"end": {}}])
    return st.recursive(
        st.lists(plain, min_size=1, max_size=3),
        lambda inner: st.lists(
            plain | st.builds(lambda then, other: {"branch": {"if": GOLD, "then": then, "else": other}}, inner, inner),
            min_size=1, max_size=3,
        ),
        max_leaves=8,
    )  # fmt: skip


def _told(steps: Sequence[Mapping[str, Any]], prefix: str = "", *, gold: bool) -> Iterator[str]:
    """What a reader of the file expects to be done, waits passed over; raises StopIteration's sibling at an end."""
    for number, step in enumerate(steps):
        name = f"{prefix}{number + 1}"
        if "end" in step:
            raise _Ended
        if "add_tag" in step:
            yield name
        if "branch" in step:
            way = "then" if gold else "else"
            yield from _told(step["branch"][way], f"{name}.{way}.", gold=gold)


class _Ended(Exception):
    """An `end` was reached."""


def _expected(steps: Sequence[Mapping[str, Any]], *, gold: bool) -> list[str]:
    found: list[str] = []
    try:
        for name in _told(steps, gold=gold):
            found.append(name)  # noqa: PERF402 - what came before an end counts
    except _Ended:
        pass
    return found


@given(_steps(), st.booleans())
def test_every_program_does_what_the_file_says_and_ends(steps: list[dict[str, Any]], gold: bool) -> None:
    made = program(a_rule(*steps))
    acts: list[Act] = []
    at: int | None = 0
    while at is not None:
        ran = run(made, at, seen_by(["gold"] if gold else []))
        acts += ran.acts
        assert ran.waits_at is None or ran.waits_at >= at
        at = None if ran.waits_at is None else ran.waits_at + 1
    assert [act.step for act in acts] == _expected(steps, gold=gold)
    assert len({act.step for act in acts}) == len(acts), "one key of the ledger is one deed"
