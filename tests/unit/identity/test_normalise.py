"""One spelling per identifier and name, and who stands for nobody."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.identity.normalise import Name, Value, clean, email, fold, name, phone

anything = st.text(max_size=40)
addresses = st.from_regex(
    r"[ <]?[A-Za-zäßıİΣς0-9._+'-]{1,12}@[A-Za-zäßΣ0-9-]{1,10}\.[A-Za-zé]{2,6}>? ?", fullmatch=True
)
numbers = st.from_regex(r"(\+|00)?[0-9 ()/-]{5,16}( ?(ext|x)\.? ?[0-9]{1,4})?", fullmatch=True)


@given(anything | addresses)
def test_an_address_is_normalised_once_and_for_all(written: str) -> None:
    once = email(written)
    assert once is None or email(once.value) == once


@given(anything | numbers, st.sampled_from((None, "DE", "GB", "US", "IT", "AR")))
def test_a_number_is_normalised_once_and_for_all_whatever_the_region(written: str, region: str | None) -> None:
    once = phone(written, region)
    assert once is None or (phone(once.value, None) == once and phone(once.value, region) == once)


@given(anything)
def test_a_name_is_folded_once_and_for_all(written: str) -> None:
    assert fold(fold(written)) == fold(written)
    assert clean(clean(written)) == clean(written)


@given(anything, anything, anything)
def test_the_parts_of_a_name_are_folded(whole: str, given_name: str, family: str) -> None:
    parts = name(whole, given_name, family)
    assert parts == Name(fold(parts.given), fold(parts.family))


@given(anything)
def test_a_trait_holds_nothing_that_a_database_refuses(written: str) -> None:
    assert not any(ord(sign) < 32 and sign != "\n" for sign in clean(written))


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("Ann@Firm.ORG", "ann@firm.org"),
        (" <ann@firm.org> ", "ann@firm.org"),
        ("ann+shop@firm.org", "ann+shop@firm.org"),
        ("o'brien@firm.org", "o'brien@firm.org"),
        ("Ａnn@firm.org", "ann@firm.org"),
        ("ann@münchen.de", "ann@xn--mnchen-3ya.de"),
        ("ann@MÜNCHEN.de", "ann@xn--mnchen-3ya.de"),
        ("ann@xn--mnchen-3ya.de", "ann@xn--mnchen-3ya.de"),
        ("jörg@firm.org", "jörg@firm.org"),
        ("a.n.n@gmail.com", "a.n.n@gmail.com"),
    ],
)
def test_an_address_has_one_spelling(written: str, value: str) -> None:
    assert email(written) == Value(value, blocked=False)


@pytest.mark.parametrize(
    "written",
    [
        "", "ann", "@firm.org", "ann@", "ann@firm", "ann@@firm.org", "ann@firm..org", "a nn@firm.org", ".ann@firm.org",
        "ann@firm.org,bob@firm.org", "ann@-firm.org", "ann@10.0.0.1", "ann\x00@firm.org",
        f"{'a' * 65}@firm.org", f"ann@{'a.' * 130}org",
    ],
)  # fmt: skip
def test_what_is_no_address_is_none(written: str) -> None:
    assert email(written) is None


@pytest.mark.parametrize(
    "written",
    ["info@firm.org", "Sales@firm.org", "no-reply@firm.org", "support+eu@firm.org", "test@firm.org", "a@b.com"],
)
def test_a_role_or_a_placeholder_is_kept_and_links_nobody(written: str) -> None:
    found = email(written)
    assert found is not None
    assert found.blocked


@pytest.mark.parametrize(
    "written", ["ann.info@firm.org", "infoline@firm.org", "contacts.ann@firm.org", "tester@firm.org"]
)
def test_an_address_that_only_looks_like_a_role_is_a_persons(written: str) -> None:
    assert email(written) == Value(written, blocked=False)


@pytest.mark.parametrize(
    ("written", "region", "value"),
    [
        ("030 901820", "DE", "+4930901820"),
        ("+49 (0)30 / 901820", None, "+4930901820"),
        ("0049 30 901820", "DE", "+4930901820"),
        ("+49 30 901820", "US", "+4930901820"),
        ("020 7946 0018", "GB", "+442079460018"),
        ("(212) 736-5000", "US", "+12127365000"),
        ("+1 212 736 5000 ext. 12", None, "+12127365000;ext=12"),
        ("06 698 12345", "IT", "+390669812345"),
    ],
)
def test_a_number_has_one_spelling(written: str, region: str | None, value: str) -> None:
    assert phone(written, region) == Value(value, blocked=False)


@pytest.mark.parametrize(
    ("written", "region"),
    [("030 901820", None), ("12", "DE"), ("call me", "DE"), ("+49 1", None), ("030 901820", "XX"), ("1" * 300, "DE")],
)
def test_a_number_without_a_country_or_of_no_length_is_none(written: str, region: str | None) -> None:
    assert phone(written, region) is None


@pytest.mark.parametrize("written", ["+49 800 1234567", "+1 800 356 9377", "+44 845 464 0000", "+49 900 1234567"])
def test_a_number_that_many_answer_links_nobody(written: str) -> None:
    found = phone(written, None)
    assert found is not None
    assert found.blocked


@pytest.mark.parametrize(
    ("written", "folded"),
    [
        ("  ANN  Marie ", "ann marie"),
        ("Łukasz", "lukasz"),
        ("Ærø", "aero"),
        ("ǿystein", "oystein"),
        ("Þórður", "thordur"),
        ("Işıl", "isil"),
        ("İbrahim", "ibrahim"),
        ("Zoë", "zoe"),
        ("Weiß", "weiss"),
        ("O’Brien", "o'brien"),
        ("Hans‐Peter", "hans-peter"),
        ("Иван", "иван"),
        ("राम", "राम"),
        ("李", "李"),
        ("Ann (private)", "ann private"),
        ("\u202eAnn", "ann"),
        ("", ""),
    ],
)
def test_a_name_is_compared_without_its_dress(written: str, folded: str) -> None:
    assert fold(written) == folded


@pytest.mark.parametrize(
    ("stated", "given_name", "family"),
    [
        (("Ann Lee", "", ""), "ann", "lee"),
        (("Ann Marie van Lee", "", ""), "ann", "lee"),
        (("Lee, Ann", "", ""), "ann", "lee"),
        (("van der Berg, Ann", "", ""), "ann", "van der berg"),
        (("Ann", "", ""), "ann", ""),
        (("", "Ann Marie", "Lee"), "ann marie", "lee"),
        (("Ann Lee", "Zed", ""), "zed", "lee"),
        (("Ann Lee", "", "Fox"), "ann", "fox"),
        ((" , ", "", ""), "", ""),
        (("", "", ""), "", ""),
    ],
)
def test_given_and_family_name_are_taken_as_stated_or_out_of_the_whole(
    stated: tuple[str, str, str], given_name: str, family: str
) -> None:
    assert name(*stated) == Name(given_name, family)
