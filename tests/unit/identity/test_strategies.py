"""Which of several statements counts: the same in any order, however often it is said, and always one that was made."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from itertools import pairwise, product, starmap
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.errors import Misconfigured
from hub.identity import things
from hub.identity.evidence import Fact, Words
from hub.identity.resolve import Person
from hub.identity.strategies import (
    DEFAULT,
    FIELDS,
    STRATEGIES,
    Rules,
    Said,
    most_complete,
    most_frequent,
    most_recent,
    rules,
    union,
    verified_first,
)
from hub.identity.survivorship import line
from hub.identity.traits import ADDRESS_PARTS, Traits
from hub.settings import check
from tests.support.memory import Memory, day, fact, learned, people, whole

X, Y = "x@firm.org", "y@firm.org"
HOME = ("Ring 1", "", "1010", "Wien", "", "at")
OFFICE = ("", "", "", "Graz", "", "AT")

# All that may be said, for one choice: a choice for each part would take Hypothesis ten times as long.
parts = product(
    ("{}", '{"a":1}', '{"a":1,"b":2}'),
    (day(1), day(2), day(3)),
    "abc",
    (False, True),
    (b"1", b"2", b"3"),
    ("shop", "crm"),
    ("1",),
    range(3),
    (False, True),
    (False, True),
)
statements = st.sampled_from(list(starmap(Said, parts)))
several = st.lists(statements, min_size=1, max_size=8)
RANKED = [one for one in STRATEGIES.values() if one is not most_frequent]


@pytest.mark.parametrize("strategy", [*STRATEGIES.values()], ids=lambda one: one.__name__)
@given(said=several, data=st.data())
def test_neither_order_nor_repetition_matters_and_the_winner_is_one_of_them(
    strategy: Callable[[Sequence[Said]], Said], said: list[Said], data: st.DataObject
) -> None:
    best = strategy(said)
    assert best in said
    assert strategy(data.draw(st.permutations(said + said[:3]))) == best


@pytest.mark.parametrize("strategy", [*RANKED], ids=lambda one: one.__name__)
@given(some=several, more=several)
def test_the_best_of_two_winners_is_the_best_of_all(
    strategy: Callable[[Sequence[Said]], Said], some: list[Said], more: list[Said]
) -> None:
    assert strategy([strategy(some), strategy(more)]) == strategy(some + more)


@pytest.mark.parametrize("strategy", STRATEGIES.values(), ids=lambda one: one.__name__)
@given(said=several)
def test_what_is_not_trusted_counts_only_where_nothing_else_is_said(
    strategy: Callable[[Sequence[Said]], Said], said: list[Said]
) -> None:
    believed = [one for one in said if one.trusted]
    assert not believed or strategy(said) == strategy(believed)


@given(several)
def test_late_news_change_nothing_and_new_ones_do(said: list[Said]) -> None:
    best = most_recent(said)
    late = best._replace(value="late", at=day(0), event="z")
    new = best._replace(value="new", at=day(9), event="a")
    assert most_recent([*said, late]) == best
    assert most_recent([*said, new]) == new


@given(st.lists(statements.map(lambda one: one._replace(value='["a"]' if one.value == "{}" else '["b","c"]'))))
def test_a_union_holds_every_believed_member_once_and_in_order(said: list[Said]) -> None:
    found = union(said)
    assert all(one < other for one, other in pairwise(found))
    assert found == union(said[::-1] + said)


# What comes of it in a profile.


def shown(*facts: Fact, by: Rules = DEFAULT) -> Any:
    """The one profile of these facts, as it is told."""
    (one,) = people(facts)
    return orjson.loads(line(one, 0, by))


def values(*facts: Fact, by: Rules = DEFAULT) -> dict[str, str]:
    return {field: one["value"] for field, one in shown(*facts, by=by)["fields"].items()}


def told(source: str, at: int, *, email: str = X, trusted: bool | None = None, **words: Any) -> Fact:
    """What a source's account says, on that day; the last words are traits."""
    names = {name: words.pop(name) for name in ("name", "company", "phone") if name in words}
    return fact(source, Words("1", email, traits=Traits(**words), **names), day(at), trusted=trusted)


def test_the_display_name_is_the_one_that_most_records_say_not_most_events() -> None:
    often = [told("shop", at, name="Ann Lee-Fox") for at in (5, 6, 7)]
    assert values(*often, told("crm", 1, name="Ann Lee"), told("desk", 2, name="Ann Lee"))["name"] == "Ann Lee"


def test_an_address_stays_whole_and_the_fullest_counts() -> None:
    found = values(told("shop", 1, address=HOME), told("crm", 5, address=OFFICE))["address"]
    assert found == '{"city":"Wien","country":"AT","postcode":"1010","street":"Ring 1"}'


def test_a_record_that_moves_house_says_its_new_address_alone() -> None:
    assert values(told("shop", 1, address=HOME), told("shop", 5, address=OFFICE))["address"] == (
        '{"city":"Graz","country":"AT"}'
    )


def test_an_address_that_is_proved_counts_before_a_newer_one() -> None:
    facts = [told("shop", 1, email=X, email_verified=True), told("crm", 2), told("crm", 5, email=Y)]
    found = values(*facts)
    assert (found["email"], found["email_verified"]) == (X, "true")


def test_a_proof_may_be_taken_back() -> None:
    facts = [told("shop", 1, email_verified=True), told("shop", 2, email_verified=False), told("crm", 3, email=X)]
    found = values(*facts, told("crm", 5, email=Y))
    assert (found["email"], "email_verified" in found) == (Y, False)


def test_a_stranger_proves_nothing_that_a_trusted_source_says() -> None:
    form = fact("crm", Words("1", X, traits=Traits(email_verified=True)), day(9), trusted=False)
    found = values(told("crm", 1), form)
    assert (found["email"], "email_verified" in found) == (X, False)


def test_seen_first_and_last_are_those_of_any_event() -> None:
    found = shown(told("shop", 5), told("crm", 3), fact("web", Words(email=X), day(9)))["fields"]
    assert {name: found[name] for name in ("first_seen", "last_seen")} == {
        "first_seen": {"value": day(3), "at": day(3), "source": "crm", "key": "1"},
        "last_seen": {"value": day(9), "at": day(9), "source": "web", "key": X},
    }


def test_tags_are_those_of_all_records_each_by_its_newest_word() -> None:
    facts = [
        told("shop", 1, tags=("vip", "old")),
        told("shop", 2, tags=("vip",)),
        told("crm", 1, tags=("fair",)),
        fact("web", Words(email=X, traits=Traits(tags=("admin",))), day(9)),
    ]
    assert shown(*facts)["tags"] == ["fair", "vip"]
    assert shown(*facts, told("shop", 3, tags=()))["tags"] == ["fair"]


def test_an_installation_may_rank_its_sources() -> None:
    facts = [told("shop", 9, company="Shop's"), told("crm", 5, company="CRM's"), told("desk", 1, company="Desk's")]
    wished = rules(check({"survivorship": {"priority": {"company": ["desk", "crm"]}}}))
    assert values(*facts)["company"] == "Shop's"
    assert values(*facts, by=wished)["company"] == "Desk's"
    assert values(*facts[:2], by=wished)["company"] == "CRM's"
    assert values(facts[0], by=wished)["company"] == "Shop's"


def test_an_installation_may_choose_another_strategy() -> None:
    facts = [told("shop", 1, name="Ann Lee"), told("crm", 2, name="Ann Lee"), told("desk", 3, name="Ann Fox")]
    wished = rules(check({"survivorship": {"strategy": {"name": "most_recent"}}}))
    assert (values(*facts)["name"], values(*facts, by=wished)["name"]) == ("Ann Lee", "Ann Fox")


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ({"strategy": {"compny": "most_recent"}}, "survivorship.strategy.compny: there is no 'compny'"),
        ({"strategy": {"compny": "most_recent"}}, "did you mean 'company'?"),
        ({"strategy": {"company": "newest"}}, "survivorship.strategy.company: there is no 'newest'"),
        ({"strategy": {"company": "most_resent"}}, "did you mean 'most_recent'?"),
        ({"strategy": {"company": "verified_first"}}, "verified_first is for email and phone alone"),
        ({"priority": {"taxid": ["books"]}}, "did you mean 'tax_id'?"),
    ],
)
def test_a_wrong_word_in_the_settings_is_named_with_the_nearest_right_one(table: dict[str, Any], says: str) -> None:
    with pytest.raises(Misconfigured) as wrong:
        rules(check({"survivorship": table}))
    assert says in str(wrong.value)


# All of it at once.

traits = st.builds(
    Traits,
    st.sampled_from(("", "CEO", "CTO")),
    st.sampled_from(("", "de", "pt_br", "nonsense")),
    st.sampled_from(("", "1980-02-29", "1981-02-29")),
    st.just(""),
    st.sampled_from(((), HOME, OFFICE)),
    st.sampled_from((None, (), ("a",), ("b", "c"))),
    st.sampled_from((None, True, False)),
)
MATTERS: tuple[tuple[things.Thing, ...], ...] = (
    (),
    (things.order("7", "19.90", "eur", cancelled=False, status=""),),
    (things.order("7", "", "", cancelled=True, status=""),),
    (things.order("8", "5", "USD", cancelled=False, status="paid"), things.ticket("1")),
)
spoken = st.tuples(
    st.sampled_from(("shop", "crm", "web")),
    st.sampled_from((X, Y)),
    traits,
    st.integers(1, 4),
    st.sampled_from(MATTERS),
)
sets = st.lists(spoken, min_size=1, max_size=8).map(
    lambda said: [
        fact(source, Words("1", email, name="Ann Lee", traits=its), day(at), natural_id=str(number))._replace(
            things=has
        )
        for number, (source, email, its, at, has) in enumerate(said)
    ]
)


@given(sets, st.randoms(use_true_random=False))
def test_any_order_and_any_batches_come_to_the_same_lines(facts: list[Fact], chance: random.Random) -> None:
    memory, mixed = Memory(), [*facts, *facts[:3]]
    chance.shuffle(mixed)
    while mixed:
        size = chance.choice((1, 2, 5))
        memory.batch(mixed[:size])
        mixed = mixed[size:]
    assert memory.shown() == whole(facts)


@given(sets)
def test_what_is_told_was_said_by_a_record_of_the_profile(facts: list[Fact]) -> None:
    for one in people(facts):
        found = orjson.loads(line(one, 0))["fields"]
        for field in FIELDS.keys() & found.keys():
            assert found[field]["value"] in said_by(one, found[field], field)
        parts = orjson.loads(found["address"]["value"]) if "address" in found else {}
        assert parts.keys() <= set(ADDRESS_PARTS)


def said_by(person: Person, told_of: dict[str, str], field: str) -> set[str]:
    by = [one for one in person.records if (one.source, one.key[1]) == (told_of["source"], told_of["key"])]
    fields = [one.evidence.fields for one in by]
    return {its[name].value for its in fields for name in (field, f"{field}_verified") if name in its}


def test_verified_first_and_most_complete_know_their_fields() -> None:
    assert [field for field, one in FIELDS.items() if one is verified_first] == ["email", "phone"]
    assert [field for field, one in FIELDS.items() if one is most_complete] == ["address"]


def test_a_traits_bad_value_is_left_out() -> None:
    bad = Traits(language="English", birth_date="1981-02-29", address=("", " "), job_title=" CEO ")
    (known,), _ = learned([fact("shop", Words("1", X, traits=bad))])
    assert {field: one.value for field, one in known.evidence.fields.items()} == {"email": X, "job_title": "CEO"}
