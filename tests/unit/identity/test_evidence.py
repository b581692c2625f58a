"""A record's evidence: any order, any grouping, any repetition of the same words ends in the same evidence."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from itertools import product, starmap

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.identity.evidence import Evidence, Fact, Words, learn, needs_event, recognise
from hub.identity.ids import as_text, event_id, from_text, identifier_id, record_id
from tests.support.memory import day, fact

words = product(
    ("1",),
    ("", "x@firm.org", "y@firm.org", "info@firm.org", "at home"),
    ("", "+49 30 901820", "+49 30 123456"),
    ("", "Ann Lee", "Zed Fox"),
    ("", "Ann", "Bob", "Иван"),
    ("", "Lee", "Fox"),
    ("", "Firm"),
)
# All that may be said, for one choice: a choice for each part would take Hypothesis ten times as long.
spoken = list(product(starmap(Words, words), range(1, 5), (False, True)))
facts = st.lists(st.sampled_from(spoken), max_size=8).map(
    lambda said: [
        fact("shop", words, day(at), trusted=trusted, natural_id=str(number))
        for number, (words, at, trusted) in enumerate(said)
    ]
)


def after(known: Evidence, said: Iterable[Fact]) -> Evidence:
    """The evidence with these facts in it; what was known before is left alone."""
    evidence = copy.deepcopy(known)
    for one in said:
        assert one.who
        learn(evidence, one, one.who)
    return evidence


@given(facts, st.data())
def test_the_order_of_what_was_said_does_not_matter(said: list[Fact], data: st.DataObject) -> None:
    assert after(Evidence(), data.draw(st.permutations(said))) == after(Evidence(), said)


@given(facts)
def test_saying_it_again_adds_nothing(said: list[Fact]) -> None:
    once = after(Evidence(), said)
    assert after(once, said) == once


@given(facts, st.integers(0, 8))
def test_it_may_be_stored_between_two_words_of_it(said: list[Fact], middle: int) -> None:
    stored = msgspec.json.encode(after(Evidence(), said[:middle]))
    assert after(msgspec.json.decode(stored, type=Evidence), said[middle:]) == after(Evidence(), said)


@given(facts, facts)
def test_more_words_take_nothing_back(said: list[Fact], more: list[Fact]) -> None:
    before = after(Evidence(), said)
    later = after(before, more)
    assert {(claim.namespace, claim.value) for claim in before.claims} <= {
        (claim.namespace, claim.value) for claim in later.claims
    }
    assert all(later.fields[field].rank >= statement.rank for field, statement in before.fields.items())
    assert not said or (later.first_at, later.first_event) <= (before.first_at, before.first_event)


def test_the_newest_word_wins_and_a_late_one_of_an_earlier_day_does_not() -> None:
    said = [fact("shop", Words("1", company=name), day(at)) for name, at in (("Old", 3), ("New", 5), ("Late", 4))]
    assert after(Evidence(), said).fields["company"].value == "New"


def test_a_trusted_word_wins_over_a_newer_one_of_a_stranger() -> None:
    mine = fact("shop", Words("1", company="Firm"), day(3))
    theirs = fact("shop", Words("1", company="Fraud"), day(9), trusted=False)
    assert after(Evidence(), [mine, theirs]).fields["company"].value == "Firm"


def test_nothing_said_of_a_field_leaves_it_as_it_was() -> None:
    said = [fact("shop", Words("1", company="Firm"), day(3)), fact("shop", Words("1"), day(4))]
    assert after(Evidence(), said).fields["company"].value == "Firm"


def test_of_very_many_names_the_same_sixteen_stay_whatever_the_order() -> None:
    said = [fact("shop", Words("1", given_name=f"Name{number}"), day(1)) for number in range(40)]
    forth, back = after(Evidence(), said), after(Evidence(), reversed(said))
    assert forth.names == back.names
    assert len(forth.names) == 16


def test_a_claim_is_trusted_once_somebody_trusted_made_it_and_keeps_its_first_and_last_day() -> None:
    said = [
        fact("shop", Words("1", "x@firm.org"), day(at), trusted=trusted)
        for at, trusted in ((5, False), (2, True), (9, False))
    ]
    (claim,) = after(Evidence(), said).claims
    assert (claim.trusted, claim.first_at, claim.last_at) == (True, day(2), day(9))


# Which record a contact belongs to.


def key_of(source: str, **words: str) -> bytes | None:
    who = recognise(source, Words(**words), None)  # type: ignore[arg-type] # texts alone are asked for
    return who.record if who else None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"id": "7"}, {"id": " 7 ", "email": "x@firm.org", "given_name": "Ann"}),
        ({"email": "X@firm.org"}, {"email": " <x@FIRM.org>"}),
        ({"email": "x@firm.org", "given_name": "Łukasz"}, {"email": "x@firm.org", "name": "lukasz lee", "phone": "12"}),
        ({"phone": "+49 30 901820", "given_name": "Ann"}, {"phone": "+4930901820", "name": "ANN Fox"}),
    ],
)
def test_these_are_one_record(one: dict[str, str], other: dict[str, str]) -> None:
    assert key_of("web", **one) == key_of("web", **other) is not None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"id": "7"}, {"id": "8"}),
        ({"id": "x@firm.org"}, {"email": "x@firm.org"}),
        ({"email": "x@firm.org"}, {"email": "x@firm.org", "given_name": "Ann"}),
        ({"email": "x@firm.org", "given_name": "Bob"}, {"email": "x@firm.org", "given_name": "Robert"}),
        ({"email": "x@firm.org"}, {"phone": "+4930901820"}),
        ({"email": "info@firm.org", "name": "Ann Lee"}, {"email": "info@firm.org", "name": "Ann Fox"}),
    ],
)
def test_these_are_two_records(one: dict[str, str], other: dict[str, str]) -> None:
    assert key_of("web", **one) != key_of("web", **other)


def test_each_source_has_records_of_its_own() -> None:
    assert key_of("web", email="x@firm.org") != key_of("kiosk", email="x@firm.org")


@pytest.mark.parametrize(
    "words", [{}, {"name": "Ann Lee"}, {"id": "  "}, {"email": "at home"}, {"phone": "030 901820"}]
)
def test_a_contact_without_id_or_identifier_names_nobody(words: dict[str, str]) -> None:
    assert key_of("web", **words) is None


def test_a_nameless_word_under_a_role_address_is_a_record_of_its_own() -> None:
    words = Words(email="info@firm.org")
    first, second = (recognise("web", words, event_id("web", natural)) for natural in "12")
    assert first is not None
    assert second is not None
    assert needs_event(first)
    assert first.record != second.record


def test_what_is_no_identifier_is_kept_as_it_was_typed() -> None:
    who = recognise("web", Words("7", "at home", "030 901820", company=" Firm "), None)
    assert who is not None
    assert who.claims == ()
    assert dict(who.fields) == {"company": "Firm", "email": "at home", "phone": "030 901820"}


# Ids.


@given(st.binary(min_size=16, max_size=16))
def test_an_id_and_its_text_say_the_same(identity: bytes) -> None:
    assert from_text(as_text(identity)) == identity


def test_ids_of_different_sorts_and_parts_are_apart() -> None:
    ids = [
        event_id("a", "bc"),
        event_id("ab", "c"),
        identifier_id("a", "bc"),
        record_id("a", "b", "c"),
        record_id("", "ab", "c"),
    ]
    assert len(set(ids)) == len(ids)
    assert all(as_text(one)[14] == "8" for one in ids)


@pytest.mark.parametrize("written", ["", "7", "not-an-id", "00000000-0000-0000-0000-00000000000g"])
def test_what_is_no_id_is_none(written: str) -> None:
    assert from_text(written) is None
