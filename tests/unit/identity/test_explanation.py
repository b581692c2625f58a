"""Why these records are one person and others are not, in sentences; and what a person should be asked."""

from __future__ import annotations

from hypothesis import given

from hub.identity.evidence import Fact, Words
from hub.identity.explanation import explain
from tests.support.histories import sets
from tests.support.memory import day, fact, learned, people, record

X, PHONE = "x@firm.org", "+4930901820"


def told(*facts: Fact) -> list[tuple[str, str | None]]:
    """Every reason as its sentence and what speaks against it."""
    records, _ = learned(facts)
    return [(one.sentence, one.refusal) for one in explain(records).reasons]


def test_an_edge_says_by_what_and_that_the_names_fit() -> None:
    bob, robert = fact("shop", Words("1", X, given_name="Bob")), fact("crm", Words("2", X, given_name="Robert"))
    assert told(bob, robert) == [(f"both state the e-mail {X}; their names fit (bob, robert)", None)]


def test_two_accounts_of_one_source_are_told_as_what_they_are() -> None:
    assert told(fact("shop", Words("1", X)), fact("shop", Words("2", X))) == [
        (f"both state the e-mail {X}, but: two accounts of one source", "two accounts of one source")
    ]


def test_a_family_s_mailbox_is_asked_about() -> None:
    """The rule of e-mails joins no clearly different names, so nothing was refused; a person may know better."""
    ann, zed = fact("shop", Words("1", X, given_name="Ann")), fact("crm", Words("2", X, given_name="Zed"))
    assert told(ann, zed) == [(f"both state the e-mail {X}, but: two given names", "two given names")]


def test_a_number_under_another_name_or_after_years_is_asked_about_and_a_nameless_one_is_not() -> None:
    lee = fact("shop", Words("1", phone=PHONE, name="Ann Lee"), day(1))
    fox = fact("crm", Words("2", phone=PHONE, name="Bob Fox"), day(2))
    late = fact("desk", Words("3", phone=PHONE, name="Ann Lee"), day(1400))
    nameless = fact("pos", Words("4", phone=PHONE), day(3))
    assert [one for _, one in told(lee, fox)] == ["two full names"]
    assert [one for _, one in told(lee, late)] == ["so long between the two that the number may have been passed on"]
    assert told(lee, nameless) == []


def test_what_a_stranger_says_is_not_asked_about() -> None:
    assert told(fact("shop", Words("1", X, given_name="Ann")), fact("web", Words(email=X, given_name="Zed"))) == []


@given(sets)
def test_to_explain_is_to_resolve_and_every_reason_holds(facts: list[Fact]) -> None:
    records, _ = learned(facts)
    if not records:
        return
    explained = explain(records)
    assert [one.profile for one in explained.people] == [one.profile for one in people(facts)]
    home = {known.record: one.profile for one in explained.people for known in one.records}
    for one in explained.reasons:
        assert (home[one.one] == home[one.other]) or one.refusal
    for person in explained.people:
        joined, apart = explained.of(person)
        assert len(joined) >= len(person.records) - 1, "as many reasons as it takes to hold the records together"
        assert all(one.refusal for one in apart)


def test_the_record_of_a_fact_is_who_it_is_about() -> None:
    one = fact("shop", Words("1", X))
    assert record(one) == people([one])[0].profile
