"""The profiles are a function of the set of events: order, batches and repeats change nothing, strangers part nobody.

Small caps make shared and crowded values frequent: permutations of ordinary data hardly ever meet one.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.identity import outcome, resolve
from hub.identity.evidence import Fact, Words
from hub.identity.outcome import Changes
from tests.support.memory import Memory, day, fact, people, whole

EMAILS = ("", "x@firm.org", "y@firm.org", "z@firm.org", "info@firm.org")
PHONES = ("", "+4930901820", "+493012345678")
NAMES = ("", "Ann", "Annie", "Bob", "Robert", "Zed", "Lukas", "Luaks", "Lkuas", "Иван")
DEVICES = ("", "", "cookie-k", "cookie-m")
OBJECTS: tuple[tuple[str, ...], ...] = ((), (), ("order:1",), ("order:1", "order:2"))
FAMILIES = ("", "Lee", "Fox")
DAYS = (1, 1, 2, 3, 40, 700, 1400)


class Said(NamedTuple):
    """One fact before it has its event id."""

    source: str
    account: str
    email: str
    phone: str
    given: str
    family: str
    day: int
    device: str = ""
    objects: tuple[str, ...] = ()

    def fact(self, number: int) -> Fact:
        words = Words(
            self.account,
            self.email,
            self.phone,
            given_name=self.given,
            family_name=self.family,
            device=self.device,
            objects=self.objects,
        )
        return fact(self.source, words, day(self.day), natural_id=str(number))


accounts = st.builds(
    Said,
    st.sampled_from(("shop", "crm", "desk")),
    st.sampled_from("12"),
    st.sampled_from(EMAILS),
    st.sampled_from(PHONES),
    st.sampled_from(NAMES),
    st.sampled_from(FAMILIES),
    st.sampled_from(DAYS),
    st.sampled_from(DEVICES),
    st.sampled_from(OBJECTS),
)
contacts = st.builds(
    Said,
    st.sampled_from(("web", "kiosk")),
    st.just(""),
    st.sampled_from(EMAILS),
    st.sampled_from(PHONES),
    st.sampled_from(NAMES),
    st.sampled_from(FAMILIES),
    st.sampled_from(DAYS),
    st.sampled_from(DEVICES),
    st.sampled_from(OBJECTS),
)
devices = st.builds(
    lambda source, day, device: Said(source, "", "", "", "", "", day, device),
    st.sampled_from(("shop", "web")),
    st.sampled_from(DAYS),
    st.sampled_from(DEVICES[2:]),
)
sets = st.lists(accounts | contacts | devices, min_size=1, max_size=9).map(
    lambda said: [one.fact(number) for number, one in enumerate(said)]
)


@pytest.fixture(autouse=True)
def small_caps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resolve, "MOST_CLAIMERS", {"email": 3, "phone": 2, "device": 2})
    monkeypatch.setattr(resolve, "MOST_CODES", 2)
    monkeypatch.setattr(outcome, "MOST_CODES", 2)


def batches(facts: Sequence[Fact], chance: random.Random) -> Iterator[Sequence[Fact]]:
    """The facts in some order, some of them twice, in batches of some size."""
    mixed = [*facts, *chance.sample(facts, chance.randint(0, len(facts)))]
    chance.shuffle(mixed)
    while mixed:
        size = chance.choice((1, 1, 2, 3, 9))
        yield mixed[:size]
        mixed = mixed[size:]


def assert_a_function_of_the_set(facts: Sequence[Fact], chance: random.Random) -> None:
    """Every step audited; the end compared with one look at all of them, and then everything once more."""
    memory = Memory()
    for batch in batches(facts, chance):
        lines, shared = dict(memory.profiles), memory.shown().shared
        changes = memory.batch(batch)
        memory.check()
        assert shared <= memory.shown().shared, "what is shared stays shared"
        for told in changes.profiles:
            known = lines.get(told.person.profile)
            assert known is None or known.line != told.line, "a new version says something new"
    assert memory.shown() == whole(facts)
    again = memory.batch(chance.sample(facts, len(facts)))
    assert again == Changes()


def assert_strangers_part_and_join_nobody(facts: Sequence[Fact]) -> None:
    """Which trusted records are together is the same without all that is not trusted; devices are of no account."""
    trusted = {one.who.record for one in facts if one.trusted and one.who and one.who.kind != "device"}
    alone, among = (
        {frozenset(known.record for known in one.records) & trusted for one in people(chosen)} - {frozenset()}
        for chosen in ([one for one in facts if one.trusted], facts)
    )
    assert among == alone


def assert_a_partition(facts: Sequence[Fact]) -> None:
    """Every record is in one profile, named by its earliest, devices last; two accounts of a source are two people."""
    persons = people(facts)
    records = [known.record for one in persons for known in one.records]
    assert sorted(records) == sorted({one.who.record for one in facts if one.who})
    for one in persons:
        elders = [known for known in one.records if known.kind != "device"] or one.records
        first = min(elders, key=lambda known: (known.evidence.first_at, known.evidence.first_event, known.record))
        assert one.profile == first.record
        accounts = [known.source for known in one.records if known.kind == "account"]
        assert len(accounts) == len(set(accounts))


@given(sets, st.randoms(use_true_random=False))
def test_any_order_and_any_batches_come_to_the_same_people(facts: list[Fact], chance: random.Random) -> None:
    assert_a_function_of_the_set(facts, chance)


@given(sets)
def test_what_is_not_trusted_never_changes_which_trusted_records_are_together(facts: list[Fact]) -> None:
    assert_strangers_part_and_join_nobody(facts)


@given(sets)
def test_every_record_is_in_one_profile_and_the_earliest_is_its_founder(facts: list[Fact]) -> None:
    assert_a_partition(facts)


@pytest.mark.nightly
@pytest.mark.timeout(3600)
@settings(max_examples=20_000, derandomize=False)
@given(sets, st.randoms(use_true_random=False))
def test_a_long_night_finds_no_order_that_matters(facts: list[Fact], chance: random.Random) -> None:
    assert_a_function_of_the_set(facts, chance)
    assert_strangers_part_and_join_nobody(facts)
    assert_a_partition(facts)
