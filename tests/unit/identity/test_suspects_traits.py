"""What is compared of a person is a function of the set of its records, and tolerant of what is absent or broken."""

from __future__ import annotations

import random

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.identity.evidence import ACCOUNT, BLOCKED, LINK, SHARED, Claim, Evidence, Known, Statement
from hub.identity.normalise import Name
from hub.identity.suspects import Traits, traits_of
from hub.identity.suspects.traits import LONGEST, MOST_CONTACTS, address


def said(value: str, at: str = "2024-01-01", *, trusted: bool = True) -> Statement:
    return Statement(value, at, "event", trusted)


def claim(namespace: str, value: str, state: str = LINK) -> Claim:
    return Claim(namespace, value, "", "", "", "", trusted=True, state=state)


def record(key: str, evidence: Evidence) -> Known:
    return Known(key.encode(), "shop", ACCOUNT, ("", key), evidence)


HOME = {"city": "Bristol", "country": "GB", "postcode": "BS1 4QX", "region": "Avon", "street": "3 Mill Ln"}


def test_a_person_is_what_its_records_say() -> None:
    fields = {
        "given_name": said("Siobhán"),
        "family_name": said("O’Neil"),
        "birth_date": said("1984-03-09"),
        "address": said(orjson.dumps(HOME).decode()),
    }
    claims = [
        claim("phone", "+447700900277"),
        claim("email", "b@firm.org"),
        claim("email", "a@firm.org"),
        claim("email", "info@firm.org", BLOCKED),
        claim("phone", "+4930901820", SHARED),
        claim("device", "cookie"),
    ]
    assert traits_of([record("1", Evidence(fields, [], claims))]) == Traits(
        "siobhan",
        "o'neil",
        "1984-03-09",
        "mill lane",
        "3",
        "bs14qx",
        "bristol",
        "avon",
        ("a@firm.org", "b@firm.org"),
        ("+447700900277",),
    )


def test_an_address_in_fields_of_its_own_is_read_as_well() -> None:
    fields = {part: said(value) for part, value in HOME.items()}
    assert traits_of([record("1", Evidence(fields))])[3:8] == ("mill lane", "3", "bs14qx", "bristol", "avon")


@pytest.mark.parametrize("broken", ["", "3 Mill Lane, Bristol", "[]", "null", '{"city": 7, "street": null}', "{"])
def test_an_address_that_cannot_be_read_is_none(broken: str) -> None:
    assert traits_of([record("1", Evidence({"address": said(broken)}))]) == Traits()


@pytest.mark.parametrize("none", ["1900-01-01", "1970-01-01", "soon", "9.3.1984", "1984-3-9"])
def test_a_date_that_stands_for_none_is_no_birth_date(none: str) -> None:
    assert traits_of([record("1", Evidence({"birth_date": said(none)}))]).birth_date == ""


def test_what_a_stranger_makes_too_long_or_too_many_is_cut() -> None:
    fields = {"given_name": said("a" * 10_000), "address": said('{"street": "%s"}' % ("b " * 10_000))}
    claims = [claim("email", f"{number:04}@firm.org") for number in range(1_000)]
    traits = traits_of([record("1", Evidence(fields, [], claims))])
    assert len(traits.given) == LONGEST
    assert len(traits.street) < LONGEST
    assert len(traits.emails) == MOST_CONTACTS


def test_a_trusted_word_goes_before_a_newer_one_of_a_stranger() -> None:
    ours, theirs = said("Anna"), said("Zoe", "2025-01-01", trusted=False)
    assert (
        traits_of([record(key, Evidence({"given_name": one})) for key, one in (("1", theirs), ("2", ours))])[0]
        == "anna"
    )


def test_without_statements_the_fullest_name_counts() -> None:
    names = [Name("ann", ""), Name("anna", "lee"), Name("a", "lee")]
    assert traits_of([record(str(number), Evidence(names=[one])) for number, one in enumerate(names)])[:2] == names[1]


def test_of_nobody_nothing_is_known() -> None:
    assert traits_of([]) == Traits()


@given(
    st.lists(
        st.tuples(
            st.dictionaries(
                st.sampled_from(("name", "given_name", "family_name", "address", "birth_date", "street", "city")),
                st.builds(said, st.text(max_size=9), st.sampled_from(("2024", "2025")), trusted=st.booleans()),
            ),
            st.lists(st.builds(Name, st.sampled_from(("", "anna", "иван")), st.sampled_from(("", "lee"))), max_size=2),
        ),
        max_size=4,
    ),
    st.randoms(use_true_random=False),
)
def test_the_order_of_the_records_is_of_no_account(
    people: list[tuple[dict[str, Statement], list[Name]]], chance: random.Random
) -> None:
    records = [record(str(number), Evidence(fields, names)) for number, (fields, names) in enumerate(people)]
    assert traits_of(records) == traits_of(chance.sample(records, len(records)))


@pytest.mark.parametrize(
    ("street", "told"),
    [
        ("3 Mill Lane", ("mill lane", "3")),
        ("Mill Ln 3", ("mill lane", "3")),
        ("Hauptstr. 12a", ("hauptstrasse", "12a")),
        ("Hauptstraße 12a", ("hauptstrasse", "12a")),
        ("The Old Brewery", ("the old brewery", "")),
        ("", ("", "")),
    ],
)
def test_a_street_is_parted_from_its_number(street: str, told: tuple[str, str]) -> None:
    assert address({"street": street})[:2] == told
