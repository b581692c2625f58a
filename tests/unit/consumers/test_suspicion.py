"""What becomes of a pair: a function of the two people, of the decisions in force, and of what was decided on."""

from __future__ import annotations

import pytest

from consumers.suspicion import Person, Scene, in_force, judge, refusals
from hub.identity.decisions import APART, SAME
from hub.identity.evidence import Fact, Known, Words
from hub.identity.outcome import Row
from hub.identity.suspects import WEIGHTS, Traits, block_keys
from hub.storage.suspects import Pair
from tests.support.memory import day, decided, fact, learned, people, record

ONE, OTHER = b"\x01" * 16, b"\x02" * 16
KEY = (ONE, OTHER)
DECISION, NEWER = b"\xd1" * 16, b"\xd2" * 16
ANNA = Traits("anna", "petrova", "1984-03-09", phones=("+4930901820",))


def known(traits: Traits) -> Person:
    return Person(traits, frozenset(block_keys(traits)))


SCENE = Scene({ONE: known(ANNA), OTHER: known(ANNA._replace(given="ana"))}, {}, {}, {}, frozenset(), WEIGHTS)
STRANGERS = SCENE._replace(people={ONE: known(ANNA), OTHER: known(Traits("zed", "quill"))})


def found(scene: Scene, row: Pair | None = None) -> Pair:
    pair = judge(KEY, row, scene)
    assert pair
    return pair


OPEN = found(SCENE)
REJECTED = found(SCENE._replace(cuts={KEY: DECISION}))


def test_look_alikes_are_open_and_strangers_are_nothing() -> None:
    assert (OPEN.state, OPEN.source, OPEN.band, OPEN.decision) == ("open", "score", "likely", None)
    assert judge(KEY, None, STRANGERS) is None
    assert judge(KEY, OPEN, STRANGERS) is None


def test_likeness_without_a_key_in_common_is_nothing_to_look_at() -> None:
    apart = {ONE: SCENE.people[ONE]._replace(keys=frozenset({"x"})), OTHER: SCENE.people[OTHER]}
    assert judge(KEY, None, SCENE._replace(people=apart)) is None


def test_a_refusal_makes_a_case_of_strangers_and_keeps_the_score_beside_it() -> None:
    pair = found(STRANGERS._replace(refused={KEY: "two accounts of one source"}))
    assert (pair.source, pair.band, pair.refusal, pair.state) == ("refused", None, "two accounts of one source", "open")
    assert pair.probability < 0.9


@pytest.mark.parametrize("row", [None, OPEN, REJECTED])
def test_a_cut_in_force_rejects_the_pair_however_often_one_looks(row: Pair | None) -> None:
    assert found(SCENE._replace(cuts={KEY: DECISION}), row) == REJECTED
    assert REJECTED.decision == DECISION


def test_it_comes_back_when_the_two_say_something_new_and_stays_until_somebody_decides_again() -> None:
    changed = SCENE._replace(
        people={ONE: SCENE.people[ONE], OTHER: known(ANNA._replace(given="anne"))}, cuts={KEY: DECISION}
    )
    back = found(changed, REJECTED)
    assert (back.state, back.decision) == ("open", DECISION)
    assert found(changed, back) == back
    assert found(changed._replace(cuts={KEY: NEWER}), back).state == "rejected"
    assert found(SCENE._replace(cuts={KEY: DECISION}), back) == REJECTED, "what it was when it was decided"


def test_a_withdrawn_cut_opens_the_pair_and_the_last_decision_stays_named() -> None:
    pair = found(SCENE, REJECTED)
    assert (pair.state, pair.decision) == ("open", DECISION)


def test_a_decision_that_is_not_written_yet_is_left_alone() -> None:
    waiting = SCENE._replace(unwritten=frozenset({DECISION}))
    assert found(waiting, REJECTED) == REJECTED
    confirmed = OPEN._replace(state="confirmed", decision=DECISION)
    assert found(waiting, confirmed) == confirmed
    assert found(waiting._replace(people={}), confirmed) == confirmed


def test_one_who_lives_no_more_is_confirmed_by_a_merge_and_superseded_by_anything_else() -> None:
    alone = SCENE._replace(people={ONE: SCENE.people[ONE]})
    assert judge(KEY, None, alone) is None
    assert found(alone, OPEN).state == "superseded"
    merged = found(alone._replace(merges={DECISION: frozenset(KEY)}), OPEN)
    assert (merged.state, merged.decision) == ("confirmed", DECISION)
    assert found(SCENE, merged).state == "open"


def test_what_was_decided_once_is_not_forgotten_when_they_are_alike_no_longer() -> None:
    assert found(STRANGERS, REJECTED).state == "superseded"
    assert found(STRANGERS._replace(cuts={KEY: DECISION}), REJECTED).state == "rejected"


def rows_of(*facts: Fact) -> dict[bytes, Row]:
    """The records of these facts in one group, each with the profile that it belongs to."""
    homes = {known.record: one.profile for one in people(facts) for known in one.records}
    return {one.record: Row(one, ONE, homes.get(one.record)) for one in learned(facts)[0]}


def test_refusals_are_those_between_trusted_records_and_once_per_pair_of_profiles() -> None:
    address = "kim@firm.org"
    two = [fact("shop", Words(key, address), day(n)) for n, key in enumerate("ab", 1)]
    forms = [fact("web", Words(email=address), day(5)), fact("web", Words(email=address, given_name="Bob"), day(6))]
    pair = (min(map(record, two)), max(map(record, two)))
    assert refusals(rows_of(*two, *forms).values()) == {
        pair: "both state the e-mail kim@firm.org, but: two accounts of one source"
    }
    assert refusals(rows_of(two[0], *forms).values()) == {}
    both = [record(one) for one in two]
    assert refusals(rows_of(*two, decided(SAME, both[:1], both[1:], day(9))).values()) == {}, "they are one by now"
    assert refusals(rows_of(*two, decided(APART, both[:1], both[1:], day(9))).values()) == {}, "it has been decided"


def test_decisions_in_force_are_told_by_pair_the_newest_first() -> None:
    two = [fact("shop", Words(key), day(1)) for key in "ab"]
    one, other = map(record, two)
    old, new = (decided(APART, [one], [other], day(number)) for number in (3, 4))
    rows = rows_of(*two, old, new)
    assert in_force(rows).cuts == {(min(one, other), max(one, other)): new.event}
    merge = decided(SAME, [one], [other], day(5))
    merged = in_force(rows_of(*two, old, new, merge))
    assert (merged.cuts, merged.merges) == ({}, {merge.event: frozenset({one, other})})


def test_a_record_that_nothing_was_heard_of_is_nobody() -> None:
    cut = decided(APART, [ONE], [OTHER])
    rows = {one.record: Row(one, ONE, None) for one in learned([cut])[0]}
    assert all(isinstance(row.known, Known) for row in rows.values())
    assert in_force(rows).cuts == {}
