"""What people decide: these are one person, these are two, that was wrong. A function of the set like all else.

The counter-examples are those of identity-check.md §3 that decisions take part in.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.identity.decisions import APART, SAME, WITHDRAWN
from hub.identity.evidence import Fact, Words
from tests.support.histories import chances, sets, sets_with_decisions
from tests.support.memory import Memory, day, decided, fact, people, record, whole
from tests.unit.identity.test_order import assert_a_function_of_the_set

X, Y = "x@firm.org", "y@firm.org"
many = settings.get_profile("many")


def apart(facts: Sequence[Fact]) -> list[set[str]]:
    """The people, each as the accounts and addresses that it holds."""
    found = [{f"{known.source}:{known.key[1]}" for known in one.records} for one in people(facts)]
    return sorted(found, key=sorted)


@pytest.mark.usefixtures("small_caps")
@many
@given(sets_with_decisions(), chances)
def test_decisions_among_any_events_come_to_the_same_people_in_any_order(
    facts: list[Fact], chance: random.Random
) -> None:
    assert_a_function_of_the_set(facts, chance)


@pytest.mark.usefixtures("small_caps")
@many
@given(sets_with_decisions())
def test_no_profile_holds_both_sides_of_the_newest_cut(facts: list[Fact]) -> None:
    cuts = [one for one in facts if one.decision and one.decision.verdict == APART]
    if not cuts:
        return
    at = day(900)
    last = cuts[-1]
    assert last.decision
    newest = decided(APART, *last.decision.sides, at)
    near, far = map(set, last.decision.sides)
    for one in people([*facts, newest]):
        held = {known.record for known in one.records}
        assert not (held & near and held & far)


@pytest.mark.usefixtures("small_caps")
@many
@given(sets, st.data())
def test_what_was_merged_and_taken_back_was_never_merged(facts: list[Fact], data: st.DataObject) -> None:
    known = sorted({one.who.record for one in facts if one.who})
    if len(known) < 2:
        return
    one, other = data.draw(st.permutations(known))[:2]
    merge = decided(SAME, [one], [other], day(1))
    back = decided(WITHDRAWN, [one], [other], day(2), withdraws=[merge])
    memory = Memory()
    cut = data.draw(st.integers(0, len(facts)))
    for batch in (facts[:cut], [merge], facts[cut:], [back]):
        memory.batch(batch)
        memory.check()
    assert memory.shown() == whole(facts)


@pytest.mark.usefixtures("small_caps")
@many
@given(chances)
def test_a_cut_leaves_two_people_what_each_would_be_alone(chance: random.Random) -> None:
    """Evidence that names one side only: cut(A | B) over all of it = A's alone and B's alone (case 5)."""
    ann = [fact("shop", Words("a", X, given_name="Ann"), day(1)), fact("web", Words(email=X), day(5))]
    bob = [fact("crm", Words("b", Y, given_name="Bob"), day(2)), fact("kiosk", Words(email=Y), day(6))]
    merge = decided(SAME, [record(ann[0])], [record(bob[0])], day(7))
    later = [fact("desk", Words("9", X), day(8)), fact("pos", Words("9", Y), day(9))]
    cut = decided(APART, {record(one) for one in (*ann, later[0])}, {record(one) for one in (*bob, later[1])}, day(10))
    facts = [*ann, *bob, merge, *later, cut]
    memory = Memory()
    chance.shuffle(facts)
    for one in facts:
        memory.batch([one])
    assert memory.shown() == whole([*ann, later[0], *bob, later[1]])


def test_a_wrong_address_goes_to_its_owner_after_the_cut() -> None:
    """Case 5: A's account states B's address; merged by it; cut; then a form with B's address."""
    ann = fact("shop", Words("a", X), day(1))
    bob = fact("crm", Words("b", Y), day(2))
    wrong = fact("shop", Words("a", Y), day(3))
    form = fact("web", Words(email=Y), day(5))
    cut = decided(APART, [record(ann)], [record(bob)], day(4))
    assert apart([ann, bob, wrong, form]) == [{"shop:a", "crm:b", f"web:{Y}"}]
    assert apart([ann, bob, wrong, form, cut]) == [{"crm:b", f"web:{Y}"}, {"shop:a"}]


def test_a_cut_may_say_who_keeps_an_address_that_the_other_claimed_first() -> None:
    ann = fact("shop", Words("a", Y), day(1))
    bob = fact("crm", Words("b", Y), day(2))
    form = fact("web", Words(email=Y), day(5))
    facts = [ann, bob, form]
    first = decided(APART, [record(ann)], [record(bob)], day(4))
    told = decided(APART, [record(ann)], [record(bob)], day(4), keeps=((), (f"email:{Y}",)))
    assert apart([*facts, first]) == [{"crm:b"}, {"shop:a", f"web:{Y}"}]
    assert apart([*facts, told]) == [{"crm:b", f"web:{Y}"}, {"shop:a"}]


def test_after_a_merge_by_hand_both_names_are_one_person_s() -> None:
    """Case 10: a new Ann and a new Bob with their addresses both join."""
    ann = fact("shop", Words("a", X, given_name="Ann"), day(1))
    bob = fact("crm", Words("b", Y, given_name="Bob"), day(1))
    merge = decided(SAME, [record(ann)], [record(bob)], day(2))
    more = [fact("desk", Words("c", X, given_name="Ann"), day(3)), fact("pos", Words("d", Y, given_name="Bob"), day(3))]
    assert apart([ann, bob, merge, *more]) == [{"shop:a", "crm:b", "desk:c", "pos:d"}]


@pytest.mark.parametrize(("cut_on", "count"), [(3, 2), (1, 1)])
def test_of_a_merge_and_a_cut_the_newer_counts(cut_on: int, count: int) -> None:
    """Case 10: cut at day 3 against merge at day 2: apart; merge later than the cut: together."""
    ann, bob = fact("shop", Words("a", X), day(1)), fact("crm", Words("b", Y), day(1))
    merge = decided(SAME, [record(ann)], [record(bob)], day(2))
    cut = decided(APART, [record(ann)], [record(bob)], day(cut_on))
    assert len(apart([ann, bob, merge, cut])) == count


def test_what_replaced_a_decision_and_was_replaced_itself_does_not_bring_it_back() -> None:
    ann, bob, cid = (
        fact(source, Words(key, X), day(at))
        for at, (source, key) in enumerate((("shop", "a"), ("crm", "b"), ("pos", "c")))
    )
    wide = decided(APART, [record(ann)], [record(bob), record(cid)], day(2))
    merge = decided(SAME, [record(ann)], [record(bob)], day(3))
    narrow = decided(APART, [record(ann)], [record(bob)], day(4))
    assert apart([ann, bob, cid, wide]) == [{"crm:b", "pos:c"}, {"shop:a"}]
    assert len(apart([ann, bob, cid, wide, merge])) == 1
    assert apart([ann, bob, cid, wide, merge, narrow]) != apart([ann, bob, cid, wide])


def test_a_cut_that_is_taken_back_lets_the_merge_before_it_stand_again() -> None:
    ann, bob = fact("shop", Words("a", X), day(1)), fact("crm", Words("b", Y), day(1))
    merge = decided(SAME, [record(ann)], [record(bob)], day(2))
    cut = decided(APART, [record(ann)], [record(bob)], day(3))
    back = decided(WITHDRAWN, [record(ann)], [record(bob)], day(4), withdraws=[cut])
    again = decided(WITHDRAWN, [record(ann)], [record(bob)], day(5), withdraws=[back])
    assert len(apart([ann, bob, merge, cut, back])) == 1
    assert len(apart([ann, bob, merge, cut, back, again])) == 2


def test_only_a_cut_stops_a_merge_by_hand() -> None:
    """Two accounts of one source and two names: a person knows better."""
    ann = fact("shop", Words("1", X, given_name="Ann"), day(1))
    zed = fact("shop", Words("2", Y, given_name="Zed"), day(1))
    merge = decided(SAME, [record(ann)], [record(zed)], day(2))
    assert apart([ann, zed, merge]) == [{"shop:1", "shop:2"}]
    third = fact("shop", Words("3", X, given_name="Ann"), day(3))
    assert apart([ann, zed, merge, third]) == [{"shop:1", "shop:2"}, {"shop:3"}]


def test_a_decision_about_somebody_nobody_has_heard_of_waits_for_them() -> None:
    ann, bob = fact("shop", Words("a", X), day(1)), fact("crm", Words("b", Y), day(1))
    merge = decided(SAME, [record(ann)], [record(bob)], day(2))
    memory = Memory()
    for one in (merge, ann):
        memory.batch([one])
        memory.check()
    assert memory.shown() == whole([ann])
    memory.batch([bob])
    memory.check()
    assert memory.shown() == whole([ann, bob, merge])
    assert len(memory.profiles) == 1


def test_a_split_gives_back_the_old_id_with_a_version_above_all_before() -> None:
    ann, bob = fact("shop", Words("a", X), day(1)), fact("crm", Words("b", Y), day(2))
    merge = decided(SAME, [record(ann)], [record(bob)], day(2))
    cut = decided(APART, [record(ann)], [record(bob)], day(3))
    memory = Memory()
    for one in (ann, bob, merge):
        memory.batch([one])
    changes = memory.batch([cut])
    memory.check()
    told = {one.person.profile: one for one in changes.profiles}
    assert told[record(ann)].parts == (record(bob),)
    assert told[record(bob)].is_new
    assert memory.versions == {record(ann): [1, 2, 3], record(bob): [1, 2, 3]}
    assert {(one.record, one.before, one.after, one.cause) for one in changes.moved} == {
        (record(bob), record(ann), record(bob), cut.event)
    }
