"""Rule 1: which two given names may be one person's."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.identity.names import clearly_different, code, groups_differ, same_formal
from hub.identity.nicknames import FORMAL
from hub.identity.normalise import fold

names = st.sampled_from(sorted(FORMAL)) | st.text(max_size=12).map(fold)
groups = st.frozensets(names.filter(bool), max_size=3)


@pytest.mark.parametrize(
    ("one", "other", "why"),
    [
        ("", "ann", "one says none"),
        ("ann", "ann", "equal"),
        ("bob", "robert", "nickname"),
        ("bob", "rob", "two nicknames of one name"),
        ("hans", "hans-peter", "a shared part"),
        ("anna-maria", "maria-luisa", "a shared part"),
        ("r", "robert", "initial"),
        ("robert", "r", "initial"),
        ("stephen", "steven", "sounds alike, three signs"),
        ("philipp", "filip", "sounds alike, three signs"),
        ("lukas", "luaks", "two letters changed places"),
        ("lukas", "lucas", "one letter"),
        ("lukas", "luka", "one letter less"),
        ("tom", "tim", "one letter, however short the name"),
        ("margarete", "margereta", "two slips in a long name"),
        ("иван", "иванн", "one letter, another script"),
    ],
)
def test_these_two_may_be_one_person(one: str, other: str, why: str) -> None:
    assert not clearly_different(one, other), why


@pytest.mark.parametrize(
    ("one", "other", "why"),
    [
        ("ann", "zed", "nothing in common"),
        ("adele", "adils", "two slips in a short name"),
        ("amanda", "armando", "two slips and another sound"),
        ("anna", "hanna", "another first letter"),
        ("al", "ella", "another sound"),
        ("tim", "tammy", "a sound of two signs says nothing"),
        ("z", "ann", "another initial"),
        ("иван", "петр", "another script has no sound to be alike"),
        ("иван", "李", "two scripts"),
        ("李", "王", "one sign each, but not the same"),
        ("محمد", "علي", "another script has no sound to be alike"),
        ("franz-josef", "hans-peter", "no shared part"),
    ],
)
def test_these_two_are_clearly_different(one: str, other: str, why: str) -> None:
    assert clearly_different(one, other), why


@given(names, names)
def test_the_order_of_two_names_does_not_matter(one: str, other: str) -> None:
    assert clearly_different(one, other) == clearly_different(other, one)
    assert same_formal(one, other) == same_formal(other, one)
    assert not clearly_different(one, one)


@given(groups, groups)
def test_groups_differ_when_every_pair_of_them_does(one: frozenset[str], other: frozenset[str]) -> None:
    pairs = [clearly_different(a, b) for a in one for b in other]
    assert groups_differ(one, other) == (bool(pairs) and all(pairs))


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [("bob", "robert", True), ("ann", "zed", False), ("иван", "李", False), ("李", "李", True)],
)
def test_a_value_counts_names_by_their_sound(one: str, other: str, same: bool) -> None:
    assert (code(one) == code(other)) is same


@given(names.filter(bool))
def test_every_name_has_a_code(one: str) -> None:
    assert code(one)


def test_a_short_form_is_folded_and_stands_for_another_name() -> None:
    assert all(fold(short) == short and fold(formal) == formal and short != formal for short, formal in FORMAL.items())
