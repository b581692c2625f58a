"""Suspected duplicates: what makes a pair likely, what holds it back, and that no text can upset the comparison."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.identity.suspects import LIKELY, POSSIBLE, WEIGHTS, Traits, block_keys, fingerprint, score
from hub.identity.suspects.comparison import LEVELS, MISSING, SWAPPED
from hub.identity.suspects.scoring import FREQUENT

ANNA = Traits(
    given="anna",
    family="petrova",
    birth_date="1984-03-09",
    street="mill lane",
    street_number="3",
    postcode="bs14qx",
    city="bristol",
    region="avon",
    emails=("petrova@firm.org",),
    phones=("+447700900277",),
)


def but(trait: str, value: Any) -> Traits:
    """Anna, with another value of one trait."""
    return ANNA._replace(**{trait: value})


SIGNS = {"", "+++", "++", "+", "0", "−", "−−", "−−−"}
words = st.sampled_from(("", "a", "anna", "annie", "petrova", "petrowa", "hans-peter", "иван", "李", "محمد", "o'neil"))
dates = st.sampled_from(("", "1984-03-09", "1984-09-03", "1984-03-08", "1999-12-31", "soon"))
numbers = st.sampled_from(("", "3", "3a", "13", "77"))
emails = st.lists(st.sampled_from(("anna@firm.org", "an.na+x@other.org", "bob@firm.org", "@")), max_size=2, unique=True)
phones = st.lists(st.sampled_from(("+447700900277", "+447700900278", "+4930901820")), max_size=2, unique=True)
people = st.builds(
    Traits,
    words | st.text(max_size=8),
    words | st.text(max_size=8),
    dates | st.text(max_size=11),
    words,
    numbers,
    numbers,
    words,
    words,
    emails.map(sorted).map(tuple),
    phones.map(sorted).map(tuple),
)


@given(people, people)
def test_it_is_the_same_whoever_comes_first(one: Traits, other: Traits) -> None:
    forth, back = score(one, other), score(other, one)
    assert forth == back
    assert forth.reasons == back.reasons
    assert fingerprint(one, other) == fingerprint(other, one)


@given(people, people)
def test_every_trait_is_told_of_in_words_and_signs(one: Traits, other: Traits) -> None:
    told = score(one, other)
    assert [reason.trait for reason in told.reasons] == list(LEVELS)
    for reason in told.reasons:
        assert reason.level in {MISSING, FREQUENT, *LEVELS[reason.trait]}
        assert reason.sign in SIGNS
        assert (reason.sign == "") is (reason.level == MISSING)
    assert 0 <= told.probability <= 1


@given(people)
def test_the_keys_of_a_person_are_always_the_same_and_few(one: Traits) -> None:
    keys = block_keys(one)
    assert keys == block_keys(one)
    assert all(keys)
    assert len(keys) <= 10 + len(one.emails) + len(one.phones)


@given(people, people)
def test_the_fingerprint_changes_when_and_only_when_what_is_compared_changes(one: Traits, other: Traits) -> None:
    assert (fingerprint(ANNA, one) == fingerprint(ANNA, other)) is (one == other)


def test_the_fingerprint_changes_with_the_weights_and_not_with_the_number_of_people() -> None:
    first = fingerprint(ANNA, ANNA)
    assert fingerprint(ANNA, ANNA, WEIGHTS._replace(version="another")) != first
    assert fingerprint(ANNA, ANNA, WEIGHTS.among(1_000_000)) == first


def test_two_people_with_the_same_traits_are_likely_one() -> None:
    told = score(ANNA, ANNA)
    assert told.band == LIKELY
    assert {reason.level for reason in told.reasons} == {"the same"}


def test_two_people_of_whom_nothing_is_known_are_dropped() -> None:
    told = score(Traits(), Traits())
    assert told.band is None
    assert told.weight == 0
    assert block_keys(Traits()) == set()


CLOSER_AND_FARTHER = [
    ("given", "anna", "anne"),
    ("given", "anna", "bob"),
    ("given", "a", "bob"),
    ("family", "petrova", "petrowa"),
    ("family", "petrowa", "smith"),
    ("family", "petrova-jones", "smith"),
    ("birth_date", "1984-03-09", "1984-03-08"),
    ("birth_date", "1984-03-08", "1984-03-21"),
    ("birth_date", "1984-09-03", "1999-12-31"),
    ("street", "mill lane", "mil lane"),
    ("street", "mil lane", "station road"),
    ("street_number", "3", "77"),
    ("city", "bristol", "bath"),
    ("postcode", "bs14qx", "bs14qy"),
    ("emails", ("petrova@firm.org",), ("petrova@y.org",)),
    ("emails", ("petrova@y.org", "zoe@y.org"), ("zoe@y.org",)),
    ("phones", ("+447700900277",), ("+447700900278",)),
    ("phones", ("+17700900277",), ("+4930901820",)),
]


@pytest.mark.parametrize(("trait", "closer", "farther"), CLOSER_AND_FARTHER)
def test_what_is_more_alike_weighs_more(trait: str, closer: object, farther: object) -> None:
    near, far = (score(ANNA, but(trait, value)) for value in (closer, farther))
    assert near.weight > far.weight


LEVEL_CASES = [
    ("given", "robert", "bob", "a short form"),
    ("given", "joseph", "j", "only the initial"),
    ("given", "michael", "micheal", "nearly the same"),
    ("given", "иван", "李", "different"),
    ("family", "lillie-hinrichs", "hinrichs", "a part of it"),
    ("family", "", "hinrichs", MISSING),
    ("birth_date", "1984-03-09", "1984-09-03", "day and month swapped"),
    ("birth_date", "1984-03-09", "1948-03-09", "one sign differs"),
    ("birth_date", "1984-03-09", "1948-03-19", "two signs differ"),
    ("street", "lane mill", "mill lane", "nearly the same"),
    ("street", "mill lane old brewery", "mill lane", "a part of it"),
    ("emails", ("lukas.brenner@a.org",), ("lukasbrenner+shop@b.org",), "the same before the @"),
    ("emails", ("lukas@a.org",), ("lucas@a.org",), "one sign differs"),
    ("emails", ("ann@firm.org",), ("ann@other.org",), "different"),
    ("phones", ("+447700900277",), ("+17700900277",), "the same last digits"),
    ("phones", ("+447700900277",), ("+447700900277;ext=12345",), "the same last digits"),
]


@pytest.mark.parametrize(("trait", "mine", "its", "level"), LEVEL_CASES)
def test_likeness_is_told_in_a_word(trait: str, mine: object, its: object, level: str) -> None:
    told = score(but(trait, mine), but(trait, its))
    assert getattr(told.levels, trait.removesuffix("s") if trait in {"emails", "phones"} else trait) == level


PLACES = [
    ({}, "the same"),
    ({"postcode": "bs14qy"}, "nearly the same"),
    ({"city": "leeds"}, "only the postcode"),
    ({"postcode": "ls11aa"}, "only the town"),
    ({"postcode": "ls11aa", "city": "leeds"}, "only the region"),
    ({"postcode": "ls11aa", "city": "leeds", "region": "yorkshire"}, "different"),
    ({"postcode": "", "city": "", "region": ""}, MISSING),
]


@pytest.mark.parametrize(("other", "level"), PLACES)
def test_a_place_is_one_trait_and_not_three(other: dict[str, str], level: str) -> None:
    assert score(ANNA, ANNA._replace(**other)).levels.place == level  # type: ignore[arg-type]  # all of them are texts


def test_swapped_names_are_found_and_told_once() -> None:
    other = ANNA._replace(given="petrowa", family="anna")
    told = score(ANNA, other)
    assert told.levels[:2] == ("given and family name swapped",) * 2
    assert told.reasons[0].sign.startswith("+")
    assert told.reasons[1].sign == "0"
    assert told.band == LIKELY
    assert block_keys(Traits("anna", "petrova")) & block_keys(Traits("petrova", "anna"))


def test_a_rare_name_says_more_than_a_frequent_one() -> None:
    often = min(WEIGHTS.names["family"], key=lambda name: WEIGHTS.names["family"][name])
    rare, frequent = (score(Traits(family=name), Traits(family=name)) for name in ("szymborska", often))
    assert rare.weight > frequent.weight
    assert rare.reasons[1].level == "the same"
    assert frequent.reasons[1].level == FREQUENT


def test_nearly_a_frequent_name_says_no_more_than_that_name() -> None:
    often = min(WEIGHTS.names["given"], key=lambda name: WEIGHTS.names["given"][name])
    same, near = (score(Traits(given=often), Traits(given=name)) for name in (often, often + "e"))
    assert near.levels.given == "nearly the same"
    assert near.weight <= same.weight


def test_a_household_is_never_more_than_possible() -> None:
    mother = ANNA._replace(emails=())
    for child in (mother._replace(given="zoe", birth_date="2012-05-05"), mother._replace(given="zoe", birth_date="")):
        told = score(mother, child)
        assert told.band == POSSIBLE
        assert told.reasons[0] == ("given", "different", "−−")


def test_a_surname_at_an_address_without_a_given_name_is_never_more_than_possible() -> None:
    assert score(ANNA._replace(birth_date=""), ANNA._replace(given="")).band == POSSIBLE


def test_a_rare_name_and_a_town_alone_are_never_more_than_possible() -> None:
    namesake = Traits(given="siobhán", family="szymborska", city="bristol")
    assert score(namesake, namesake).band == POSSIBLE


def test_another_birth_date_speaks_against_it() -> None:
    told = score(ANNA, ANNA._replace(birth_date="1961-11-30"))
    assert told.weight < score(ANNA, ANNA._replace(birth_date="")).weight
    assert told.reasons[2] == ("birth_date", "different", "−−")


def test_among_more_people_the_same_likeness_says_less() -> None:
    one, other = ANNA, ANNA._replace(birth_date="", street="", phones=(), emails=(), city="bath")
    few, many = (score(one, other, WEIGHTS.among(people)) for people in (1_000, 10_000_000))
    assert few.weight == many.weight
    assert few.probability > many.probability


def test_the_weights_know_every_level_and_order_them() -> None:
    assert list(WEIGHTS.bits) == list(LEVELS)
    for trait, levels in LEVELS.items():
        assert set(WEIGHTS.bits[trait]) == {MISSING, *levels}
        assert WEIGHTS.bits[trait][levels[0]] > 0 > WEIGHTS.bits[trait][levels[-1]]
        surest = WEIGHTS.bits[trait][levels[0]] + 0.02  # as m and u are rounded
        assert all(surest >= bits for level, bits in WEIGHTS.bits[trait].items() if level != SWAPPED)
