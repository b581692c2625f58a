"""A task is a function of the set of its events: any order, any batches, and what comes before its creation."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.identity.tasks import CREATED, DONE, DUE, OPEN, STATUS, TO, WAITING, Parts, Said, Task, folded, standing
from tests.support.histories import chances
from tests.support.memory import day

MADE = ("task", "Call", "eve@firm.example", None, day(9))
Word = tuple[str, Said]


def word(part: str, *value: str | None, at: str = day(1), event: str = "e", by: str = "eve") -> Word:
    return part, Said(at, event, by, value)


@st.composite
def words(draw: st.DrawFn) -> list[Word]:
    """Some events of one task, several at one time, some of them twice."""
    found = []
    for number in range(draw(st.integers(1, 8))):
        part, value = draw(
            st.sampled_from(
                [(CREATED, MADE), (CREATED, ("reminder", "Write", None, "sales", day(3))), (STATUS, (DONE,)),
                 (STATUS, (WAITING,)), (STATUS, (OPEN,)), (TO, ("joe@firm.example",)), (TO, (None,)), (DUE, (day(5),))]
            )
        )  # fmt: skip
        found.append(word(part, *value, at=day(draw(st.sampled_from([1, 2, 3]))), event=f"e{number}"))
    return found + draw(st.lists(st.sampled_from(found), max_size=3))


@given(words(), chances)
def test_any_order_in_any_batches_is_the_same_task(said: list[Word], chance: random.Random) -> None:
    once = folded({}, sorted(set(said), key=lambda one: one[1].event))
    mixed = list(said)
    chance.shuffle(mixed)
    parts: Parts = {}
    while mixed:
        size = chance.randint(1, len(mixed))
        parts, mixed = folded(parts, mixed[:size]), mixed[size:]
    assert parts == once
    assert standing(parts) == standing(once)
    assert folded(parts, said) == parts, "a replay changes nothing"


@given(words())
def test_of_creations_the_first_counts_and_of_everything_else_the_last(said: list[Word]) -> None:
    task = standing(folded({}, said))
    by_part = {
        part: sorted((one for name, one in said if name == part), key=lambda one: one.rank)
        for part in (CREATED, STATUS, TO, DUE)
    }
    if not by_part[CREATED]:
        assert task is None
        return
    kind, title, to, team, due = by_part[CREATED][0].value
    assert task
    assert (task.kind, task.title, task.team) == (kind, title, team)
    assert task.to == (by_part[TO][-1].value[0] if by_part[TO] else to)
    assert task.due == (by_part[DUE][-1].value[0] if by_part[DUE] else due)
    assert task.status == (by_part[STATUS][-1].value[0] if by_part[STATUS] else OPEN)


def test_what_is_done_before_it_is_heard_of_is_done() -> None:
    assert standing(folded({}, [word(STATUS, DONE, at=day(2))])) is None
    task = standing(folded({}, [word(STATUS, DONE, at=day(2)), word(CREATED, *MADE, at=day(1))]))
    assert task == Task("task", "Call", "eve@firm.example", None, day(9), DONE, day(2))


@pytest.mark.parametrize(("status", "is_open"), [(OPEN, True), (WAITING, True), (DONE, False), ("dropped", False)])
def test_what_waits_for_the_customer_is_still_open(status: str, is_open: bool) -> None:
    task = standing(folded({}, [word(CREATED, *MADE), word(STATUS, status, at=day(2))]))
    assert task
    assert task.is_open is is_open
