"""Who is one person: each rule by an example, and the counter-examples that once broke one."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from hub.identity import outcome, resolve
from hub.identity.evidence import Fact, Words
from hub.identity.resolve import Person
from tests.support.memory import Memory, day, fact, people, together, whole

X, Y = "x@firm.org", "y@firm.org"
NUMBER, OTHER_NUMBER = "+49 30 901820", "+49 30 123456"


def mail(source: str, given: str = "", account: str = "", email: str = X, at: int = 1) -> Fact:
    return fact(source, Words(id=account, email=email, given_name=given), day(at))


def call(source: str, name: str, account: str = "", at: int = 1, phone: str = NUMBER) -> Fact:
    return fact(source, Words(id=account, phone=phone, name=name), day(at))


def ends(facts: Sequence[Fact]) -> list[Person]:
    """Who they are in the end: at once, one by one, and one by one from the other end."""
    for order in (facts, list(reversed(facts))):
        memory = Memory()
        for one in order:
            memory.batch([one])
            memory.check()
        assert memory.shown() == whole(facts)
    return people(facts)


def sizes(facts: Sequence[Fact]) -> list[int]:
    """How many records each person has."""
    return sorted(len(one.records) for one in ends(facts))


def test_an_account_is_one_record_whatever_it_says() -> None:
    assert together(ends([mail("shop", "Ann", "1", X), mail("shop", "Zed", "1", Y)])) == {frozenset({"shop:1:ann/zed"})}


def test_one_address_and_a_fitting_name_make_one_person() -> None:
    forms = [mail("web", name) for name in ("", "R", "Rob", "Roberd", "Ropert")]
    assert sizes([mail("shop", "Robert", "1"), mail("crm", "Bob", "7"), *forms[:1]]) == [3]
    assert sizes([mail("shop", "Robert", "1"), *forms]) == [6]


def test_a_name_must_fit_every_trusted_record_of_the_person() -> None:
    assert sizes([mail("shop", "Robert", "1"), mail("crm", "Bob", "7"), mail("web", "R")]) == [1, 2]


def test_one_address_and_two_names_are_two_people() -> None:
    assert sizes([mail("shop", "Ann", "1"), mail("crm", "Zed", "7")]) == [1, 1]


def test_a_role_address_is_nobodys() -> None:
    shared = [mail("shop", "Ann", "1", "info@firm.org"), mail("crm", "Ann", "7", "info@firm.org")]
    assert sizes(shared) == [1, 1]


def test_two_nameless_words_under_a_role_address_are_two_records() -> None:
    assert sizes([mail("web", "", "", "info@firm.org"), mail("web", "", "", "info@firm.org")]) == [1, 1]


def test_an_address_that_is_no_address_names_nobody() -> None:
    assert people([mail("web", "Ann", "", "at home")]) == []


def test_two_accounts_of_one_source_are_two_people() -> None:
    assert sizes([mail("shop", "Ann", "1"), mail("shop", "Ann", "2")]) == [1, 1]


def test_an_account_that_states_both_joins_the_address_with_the_number() -> None:
    both = fact("crm", Words(id="7", email=X, phone=NUMBER, name="Ann Lee"), day(3))
    assert sizes([mail("shop", "Ann", "1"), call("kiosk", "Ann Lee"), both]) == [3]


def test_a_form_that_states_both_joins_nothing_but_its_own_key() -> None:
    both = fact("web", Words(email=X, phone=NUMBER, name="Ann Lee"), day(3))
    found = ends([mail("shop", "Ann", "1"), call("kiosk", "Ann Lee"), both])
    assert together(found) == {frozenset({"shop:1:ann", f"web:{X}:ann"}), frozenset({"kiosk:+4930901820:ann"})}


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Ann Lee", "Ann Lee", True),
        ("Robert Lee", "Bob Lee", True),
        ("Ann Lee", "Annn Lee", False),
        ("Ann Lee", "Ann Fox", False),
        ("Ann", "Ann", False),
        ("", "Ann Lee", False),
    ],
)
def test_a_number_wants_the_whole_name(one: str, other: str, same: bool) -> None:
    assert sizes([call("shop", one, "1"), call("crm", other, "7")]) == ([2] if same else [1, 1])


@pytest.mark.parametrize(("later", "same"), [(2 + 540, True), (2 + 560, False)])
def test_a_number_is_passed_on_after_a_year_and_a_half(later: int, same: bool) -> None:
    assert sizes([call("shop", "Ann Lee", "1", 1), call("crm", "Ann Lee", "7", later)]) == ([2] if same else [1, 1])


def test_the_earliest_record_is_the_founder_an_account_has_no_precedence() -> None:
    first = mail("web", "Ann", at=1)
    assert first.who
    (one,) = people([mail("shop", "Ann", "1", at=2), first])
    assert one.profile == first.who.record


def test_a_late_word_of_an_earlier_day_changes_the_founder_and_the_old_id_leads_to_it() -> None:
    memory, lead, early = Memory(), mail("web", "Ann", at=5), mail("shop", "Ann", "1", at=2)
    assert lead.who
    assert early.who
    memory.batch([lead])
    changes = memory.batch([early])
    memory.check()
    assert changes.dead_profiles == {lead.who.record: (early.who.record, 2)}
    (told,) = changes.profiles
    assert (told.person.profile, told.version, told.absorbed) == (early.who.record, 2, (lead.who.record,))


def test_a_merge_tells_each_id_with_a_version_above_all_of_them() -> None:
    memory = Memory()
    for _ in range(3):
        memory.batch([mail("shop", "Ann", "1", X)])
    memory.batch([mail("crm", "Ann", "7", Y, at=2)])
    changes = memory.batch([mail("crm", "Ann", "7", X, at=3)])
    memory.check()
    assert [told.version for told in changes.profiles] == [4]
    assert [version for _, version in changes.dead_profiles.values()] == [4]


def test_an_id_that_lives_again_goes_on_above_its_redirect(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three accounts are one person until a fourth makes the address everybody's."""
    monkeypatch.setattr(resolve, "MOST_CLAIMERS", {"email": 3, "phone": 3})
    memory = Memory()
    for source in ("crm", "desk", "shop"):
        memory.batch([mail(source, "Ann", "1")])
    assert len(memory.profiles) == 1
    memory.batch([mail("till", "Ann", "1")])
    memory.check()
    assert len(memory.profiles) == 4
    last = max(version for versions in memory.versions.values() for version in versions[:-1])
    assert all(versions[-1] == last + 1 for profile, versions in memory.versions.items() if len(versions) > 1)


def test_nine_trusted_records_make_an_address_everybodys() -> None:
    names = ["Ann"] * 8
    accounts = [mail(f"shop-{number}", name, "1") for number, name in enumerate(names)]
    assert sizes(accounts) == [8]
    assert sizes([*accounts, mail("crm", "Ann", "1")]) == [1] * 9


def test_four_given_names_make_an_address_everybodys() -> None:
    accounts = [mail(f"shop-{name}", name, "1") for name in ("Ann", "Zed", "Bob")]
    assert sizes([*accounts, mail("crm", "Ann", "7")]) == [1, 1, 2]
    assert sizes([*accounts, mail("crm", "Ann", "7"), mail("desk", "Walter", "9")]) == [1] * 5


def test_one_account_with_four_given_names_makes_its_address_everybodys() -> None:
    said = [fact("shop", Words("1", X if not at else "", given_name=name), day(at + 1))
            for at, name in enumerate(("Ann", "Zed", "Bob", "Walter"))]  # fmt: skip
    assert sizes([*said[:3], mail("crm", "Ann", "7", at=9)]) == [2]
    assert sizes(said) == [1]
    assert sizes([*said, mail("crm", "Ann", "7", at=9)]) == [1, 1]


def test_strangers_make_no_address_everybodys() -> None:
    forms = [
        mail("web", name) for name in ("Ann", "Zed", "Bob", "Walter", "Ida", "Otto", "Paul", "Rita", "Sven", "Tom")
    ]
    found = together(ends([mail("shop", "Ann", "1"), mail("crm", "Ann", "7"), *forms]))
    assert frozenset({"shop:1:ann", "crm:7:ann", f"web:{X}:ann"}) in found
    assert len(found) == 10


def test_strangers_under_a_crowded_address_do_not_join_each_other() -> None:
    forms = [mail("web", name) for name in ("Ann", "Zed", "Bob", "Walter")]
    eu = fact("web-eu", Words(email=X, given_name="Ann"), day(1), trusted=False)
    assert sizes([*forms, eu]) == [1] * 5
    assert sizes([*forms[:2], eu]) == [1, 2]


# The counter-examples of the prototype, by their numbers.


def test_1_a_group_whose_value_turns_shared_falls_apart_though_it_was_not_in_the_batch(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(resolve, "MOST_CODES", 2)
    monkeypatch.setattr(outcome, "MOST_CODES", 2)
    facts = [
        fact("a", Words("1", Y, given_name="Bob", family_name="Lee"), day(1)),
        fact("a", Words("1", given_name="Ann", family_name="Lee"), day(2)),
        fact("b", Words("1", Y), day(3)),
        fact("a", Words("2", Y, given_name="Zoe", family_name="Fox"), day(4)),
    ]
    assert sizes(facts[:3]) == [2]
    assert sizes(facts) == [1, 1, 1]


def test_2_a_strangers_nameless_word_parts_no_accounts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resolve, "MOST_CLAIMERS", {"email": 3, "phone": 3})
    accounts = [mail("b", "", "1"), mail("a", "", "2"), mail("c", "", "1")]
    assert sizes(accounts) == [3]
    assert sizes([*accounts, mail("web")]) == [4]


def test_3_a_nameless_record_joins_one_of_two_people_never_both() -> None:
    assert sizes([mail("desk", "", "1"), mail("shop", "Ann", "1"), mail("crm", "Zed", "1")]) == [1, 2]


def test_6_two_typing_errors_of_one_name_are_one_person() -> None:
    assert sizes([mail("shop", "Lukas", "1"), mail("web", "Luaks", at=2), mail("web", "Lkuas", at=3)]) == [3]


def test_7_a_new_first_name_tears_no_account_off() -> None:
    renamed = [mail("shop", "Ann", "1", at=1), mail("crm", "Ann", "1", at=2), mail("shop", "Zed", "1", at=3)]
    assert sizes(renamed) == [2]
    assert sizes([*renamed, mail("web", "Zed", at=4), mail("web", "Walter", at=5)]) == [1, 1, 2]


def test_8_a_strangers_name_that_came_first_poisons_nothing() -> None:
    accounts = [mail("desk", "", "1", at=2), mail("shop", "Ann", "1", at=3), mail("crm", "Ann", "1", at=4)]
    assert together(ends([mail("web", "Zed", at=1), *accounts])) == {
        frozenset({"desk:1", "shop:1:ann", "crm:1:ann"}),
        frozenset({f"web:{X}:zed"}),
    }


def test_9_names_of_other_scripts_are_names_and_letters_with_a_stroke_are_letters() -> None:
    assert sizes([mail("web", "Иван"), mail("web", "李")]) == [1, 1]
    assert together(ends([mail("web", "Łukasz"), mail("web", "Lukasz")])) == {frozenset({f"web:{X}:lukasz"})}
