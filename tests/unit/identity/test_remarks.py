"""Owner, stage, tags and notes: statements of the records that they were said of, in any order, and nobody's else.

A person's word comes before a rule's, then the newest; what rules set can be left out, and then nothing tells of it.
"""

from __future__ import annotations

import random
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.identity.decisions import SAME, WITHDRAWN
from hub.identity.erasure import again
from hub.identity.evidence import Fact, Words
from hub.identity.outcome import Changes
from hub.identity.remarks import ADDED, OWNER, REMOVED, STAGE
from hub.identity.traits import Traits
from tests.support.forgetful import Forgetful
from tests.support.histories import UNHEARD, batches, chances
from tests.support.memory import Memory, day, decided, erased, fact, learned, people, record, whole
from tests.support.remarks import (
    ANN,
    BOB,
    NOTE,
    URGENT,
    VIP,
    by_rule,
    erased_sets_with_remarks,
    said_of,
    sets_with_remarks,
)
from tests.unit.identity.test_order import assert_a_function_of_the_set

X, Y = "x@firm.org", "y@firm.org"
many = settings.get_profile("many")


def told(facts: list[Fact], *, without_rules: bool = False) -> dict[str, Any]:
    """The one person's line, after any order that chance takes: here the given one, each in a batch of its own."""
    memory = Memory()
    for one in facts:
        memory.batch([one])
        memory.check()
    (line,) = memory.shown().facts if without_rules else memory.shown().lines
    found: dict[str, Any] = orjson.loads(line)
    return found


@pytest.mark.usefixtures("small_caps")
@many
@given(sets_with_remarks(), chances)
def test_remarks_among_any_events_come_to_the_same_lines_in_any_order(facts: list[Fact], chance: random.Random) -> None:
    assert_a_function_of_the_set(facts, chance)


@pytest.mark.usefixtures("small_caps")
@many
@given(sets_with_remarks())
def test_the_facts_are_the_lines_of_a_hub_whose_rules_set_nothing(facts: list[Fact]) -> None:
    without = [one for one in facts if not by_rule(one)]
    assert whole(facts).facts == whole(without).lines == whole(without).facts


@pytest.mark.usefixtures("small_caps")
@many
@given(sets_with_remarks())
def test_what_is_told_is_the_newest_word_of_persons_else_of_rules(facts: list[Fact]) -> None:
    for person, line in zip(people(facts), map(orjson.loads, whole(facts).lines), strict=True):
        records = {known.record for known in person.records}
        words: dict[str, list[tuple[bool, str, str, str]]] = {}
        for one in facts:
            if one.remark and one.remark.record in records and one.remark.field:
                said = (one.remark.by_person, one.at, one.id, one.remark.value)
                words.setdefault(one.remark.field, []).append(said)
        last = {field: max(said)[-1] for field, said in words.items()}
        assert (line["owner"], line["stage"]) == (last.get(OWNER) or None, last.get(STAGE))
        assert line["tags"] == [tag for field, tag in ((URGENT, "urgent"), (VIP, "vip")) if last.get(field) == ADDED]


@pytest.mark.usefixtures("small_caps")
@many
@given(sets_with_remarks(), st.data())
def test_what_is_set_on_one_person_is_each_s_own_again_after_an_unmerge(facts: list[Fact], data: st.DataObject) -> None:
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


@pytest.mark.usefixtures("no_caps")
@many
@given(erased_sets_with_remarks(), chances)
def test_remarks_on_who_is_erased_are_gone_and_all_others_stay(facts: list[Fact], chance: random.Random) -> None:
    memory = Forgetful()
    for batch in batches(facts, chance):
        memory.batch(batch)
        memory.check()
    assert memory.shown() == whole(facts)
    left = {known.record: known.evidence.set for known in learned(facts)[0]}
    for one in memory.records.values():
        assert one.row().known.evidence.set == left.get(one.known.record, {})
    before = memory.shown()
    memory.batch(chance.sample(facts, len(facts)))
    assert memory.shown() == before, "a replay brings nothing back"


@pytest.mark.parametrize("days", [(1, 2), (2, 1)])
def test_a_person_s_word_comes_before_a_rule_s_whichever_is_newer(days: tuple[int, int]) -> None:
    ann = fact("shop", Words("a", X))
    person = said_of(record(ann), OWNER, ANN, day(days[0]))
    rule = said_of(record(ann), OWNER, BOB, day(days[1]), by="rule:turn")
    for order in ([ann, person, rule], [rule, ann, person], [rule, person, ann]):
        assert told(order)["owner"] == ANN
        assert told(order, without_rules=True)["owner"] == ANN


def test_a_person_s_word_on_one_record_comes_before_a_rule_s_on_another() -> None:
    facts = [fact("shop", Words("a", X)), fact("crm", Words("b", X))]
    one, other = map(record, facts)
    facts += [said_of(one, OWNER, ANN, day(2)), said_of(other, OWNER, BOB, day(3), by="rule:turn")]
    assert told(facts)["owner"] == told(list(reversed(facts)))["owner"] == ANN


def test_the_newest_of_several_records_counts_and_the_pool_is_nobody() -> None:
    facts = [fact("shop", Words("a", X)), fact("crm", Words("b", X))]
    one, other = map(record, facts)
    facts += [said_of(one, OWNER, ANN, day(2)), said_of(other, OWNER, BOB, day(3))]
    assert told(facts)["owner"] == BOB
    assert told([*facts, said_of(one, OWNER, "", day(4))])["owner"] is None


def test_a_rule_s_word_is_no_fact_and_a_person_s_is() -> None:
    ann, words = fact("shop", Words("a", X)), ((STAGE, "lead"), (URGENT, ADDED))
    facts = [ann, *(said_of(record(ann), field, value, by="rule:new") for field, value in words)]
    assert (told(facts)["stage"], told(facts)["tags"]) == ("lead", ["urgent"])
    facts += [said_of(record(ann), VIP, ADDED)]
    left = told(facts, without_rules=True)
    assert (left["stage"], left["tags"]) == (None, ["vip"])


def test_a_tag_that_is_removed_is_gone_until_it_is_added_again_and_a_source_s_own_stays() -> None:
    ann = fact("shop", Words("a", X, traits=Traits(tags=("loyal", "vip"))))
    added, removed = said_of(record(ann), URGENT, ADDED, day(2)), said_of(record(ann), URGENT, REMOVED, day(3))
    later = said_of(record(ann), URGENT, ADDED, day(4))
    assert told([ann, added])["tags"] == ["loyal", "urgent", "vip"]
    assert told([ann, removed, added])["tags"] == ["loyal", "vip"]
    assert told([ann, later, removed, added])["tags"] == ["loyal", "urgent", "vip"]
    assert told([ann, said_of(record(ann), VIP, REMOVED, day(2))])["tags"] == ["loyal", "vip"]


def test_what_is_set_is_no_activity_and_a_note_is_one_and_neither_is_a_sight_of_the_person() -> None:
    ann = fact("shop", Words("a", X), day(3))
    seen = told([ann])["fields"]
    line = told([said_of(record(ann), STAGE, "lead", day(1)), ann, said_of(record(ann), NOTE, "called", day(9))])
    assert line["activities"] == 2
    assert line["fields"] == seen


def test_what_changes_nothing_makes_no_new_version() -> None:
    memory, ann = Memory(), fact("shop", Words("a", X))
    memory.batch([ann, said_of(record(ann), STAGE, "lead", day(3))])
    for dull in (
        said_of(record(ann), STAGE, "lead", day(4)),
        said_of(record(ann), STAGE, "old", day(2)),
        said_of(record(ann), STAGE, "customer", day(5), by="rule:first order"),
        said_of(record(ann), URGENT, REMOVED, day(5)),
    ):
        assert memory.batch([dull]).profiles == []
    news, dull = said_of(record(ann), STAGE, "customer", day(6)), said_of(record(ann), URGENT, REMOVED, day(7))
    assert memory.batch([news, dull]).profiles != []
    assert memory.versions[record(ann)] == [1, 2]


def test_a_word_on_a_record_that_nobody_has_heard_of_waits_for_it() -> None:
    memory, ann = Memory(), fact("shop", Words("a", X))
    assert memory.batch([said_of(record(ann), STAGE, "lead"), said_of(UNHEARD, OWNER, ANN)]).profiles == []
    memory.check()
    memory.batch([ann])
    memory.check()
    (line,) = memory.shown().lines
    assert orjson.loads(line)["stage"] == "lead"


def test_a_word_on_an_erased_record_is_dropped_and_is_not_that_of_who_came_back() -> None:
    first, back = (fact("shop", Words("a", X), day(at)) for at in (1, 5))
    gone = erased([record(first)], at=day(3))
    late = said_of(record(first), OWNER, ANN, day(6))
    hers = said_of(again(record(first)), STAGE, "lead", day(6))
    for facts in ([first, gone, back, late, hers], [hers, late, first, back, gone], [late, gone, hers, back, first]):
        memory = Forgetful()
        for one in facts:
            memory.batch([one])
        (line,) = memory.shown().lines
        assert (orjson.loads(line)["owner"], orjson.loads(line)["stage"]) == (None, "lead")
        assert record(first) not in memory.records


@pytest.mark.parametrize("number", range(8))
def test_a_word_on_who_comes_back_may_be_heard_before_the_erasure(number: int) -> None:
    """Then the row that they come back to is known by a remark alone, or by a decision, and had a group of its own."""
    ann = fact("kiosk", Words(phone="+493012345678", given_name=f"Ann{number}"), day(9))
    bob, back = fact("crm", Words("b", Y)), again(record(ann))
    gone, note = erased([record(ann)], at=day(3)), said_of(back, NOTE, "called", day(9))
    for early in (note, decided(SAME, [back], [record(bob)], day(4))):
        memory = Forgetful()
        for one in (early, bob, ann, gone):
            memory.batch([one])
            memory.check()
        assert memory.shown() == whole([early, bob, ann, gone])


@pytest.mark.parametrize(("field", "value"), [(OWNER, ANN), (NOTE, "called")])
def test_a_remark_never_becomes_the_cause_of_a_move(field: str, value: str) -> None:
    memory = Memory()
    one, other = fact("shop", Words("a", X)), fact("crm", Words("b", Y))
    memory.batch([one, other])
    joins = fact("crm", Words("b", X), day(2))
    remarks = [said_of(record(of), field, value, day(3)) for of in (one, other)]
    changes: Changes = memory.batch([*remarks, joins])
    assert {move.cause for move in changes.moved} == {joins.event}
