"""The promises of identity, by their numbers in docs/identity-invariants.md: what is told, kept and counted."""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import chain

import msgspec
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from hub.identity.evidence import Evidence, Fact, Words, learn
from hub.identity.normalise import clean, device, email, fold, name, phone
from hub.identity.outcome import Changes
from tests.support.histories import batches, chances, records_of, sets_with_decisions, two_towns
from tests.support.memory import Memory, day, fact, whole

pytestmark = pytest.mark.usefixtures("small_caps")
few, many = settings.get_profile("few"), settings.get_profile("many")


def told(facts: Sequence[Fact], chance: random.Random) -> tuple[Memory, list[Changes]]:
    """The tables after these facts in some order and batches, and what each batch came to."""
    memory = Memory()
    changes = [memory.batch(batch) for batch in batches(facts, chance)]
    memory.check()
    return memory, changes


@few
@given(sets_with_decisions(), chances)
def test_11_whatever_is_told_was_said_by_the_record_that_it_names(facts: list[Fact], chance: random.Random) -> None:
    said = {
        (field, value, one.source) for one in facts if one.who for field, value in one.who.fields
    }  # what is worked out of events, such as the first day, is in test_strategies.py and test_things.py
    stated = {field for field, _, _ in said}
    memory, _ = told(facts, chance)
    for row in memory.profiles.values():
        line = msgspec.json.decode(row.line)
        records = {(one["source"], one["key"]) for one in line["records"]}
        for field, best in line["fields"].items():
            if field in stated:
                assert (field, best["value"], best["source"]) in said
                assert (best["source"], best["key"]) in records


moments = st.lists(st.integers(2, 400), min_size=1, max_size=5, unique=True)


@few
@given(moments, st.lists(st.sampled_from(("Ann", "Bob", "Zed")), min_size=5, max_size=5), chances)
def test_12_a_late_word_changes_nothing_that_is_known_and_a_new_one_does(
    days: list[int], names: list[str], chance: random.Random
) -> None:
    words = [fact("shop", Words("1", given_name=given), day(at)) for at, given in zip(days, names, strict=False)]
    evidence = Evidence()
    for one in words:
        assert one.who
        learn(evidence, one, one.who)
    best = evidence.fields["given_name"]
    assert best.value == max(words, key=lambda one: one.at).who.fields[0][1]  # type: ignore[union-attr] # an account is somebody
    for at, wins in ((day(1), False), (day(401), True)):
        more = fact("shop", Words("1", given_name="Late"), at)
        assert more.who
        learn(evidence, more, more.who)
        assert (evidence.fields["given_name"] == best) is not wins


@few
@given(two_towns(), chances)
def test_13_the_events_of_one_town_touch_nobody_of_another(
    towns: tuple[list[Fact], list[Fact]], chance: random.Random
) -> None:
    memory = Memory()
    halves = [list(batches(town, chance)) for town in towns]
    turns = [number for number, half in enumerate(halves) for _ in half]
    chance.shuffle(turns)
    for number in turns:
        changes = memory.batch(halves[number].pop())
        mine = set(records_of(towns[number]))
        assert {row.known.record for row in changes.rows} <= mine
        assert {one.person.profile for one in changes.profiles} | changes.dead_profiles.keys() <= mine
    memory.check()
    alone = [line for town in towns for line in whole(town).lines]
    assert sorted(memory.shown().lines) == sorted(alone)


@few
@given(sets_with_decisions(), chances)
def test_14_who_keeps_the_highest_version_of_each_id_has_everybody_whatever_comes_when(
    facts: list[Fact], chance: random.Random
) -> None:
    memory, changes = told(facts, chance)
    messages: list[tuple[bytes, int, bytes | None]] = []
    for one in changes:
        messages += [(it.person.profile, it.version, it.line) for it in one.profiles]
        gone = (*one.dead_profiles.items(), *one.redirects.items())
        messages += [(profile, version, None) for profile, (_, version) in gone]
    assert len({(profile, version) for profile, version, _ in messages}) == len(messages)
    chance.shuffle(messages)
    newest: dict[bytes, tuple[int, bytes | None]] = {}
    for profile, version, line in messages:
        if version > newest.get(profile, (0, None))[0]:
            newest[profile] = (version, line)
    alive = {profile: (version, line) for profile, (version, line) in newest.items() if line}
    assert alive == {profile: (row.version, row.line) for profile, row in memory.profiles.items()}


@few
@given(sets_with_decisions(), chances)
def test_14_every_id_that_was_told_leads_to_the_living_profile_of_its_record(
    facts: list[Fact], chance: random.Random
) -> None:
    """In one step: whoever keeps the newest word under each id has the profile where its record is now."""
    memory, changes = told(facts, chance)
    leads: dict[bytes, bytes] = {}
    for one in changes:
        for it in one.profiles:
            leads.pop(it.person.profile, None)
        leads |= {old: heir for old, (heir, _) in (*one.dead_profiles.items(), *one.redirects.items())}
    assert leads == {old: memory.records[old].profile for old in leads}
    assert leads.keys().isdisjoint(memory.profiles)


written = st.text(max_size=30) | st.from_regex(
    r"[ <]?[A-Za-zäß0-9._+-]{1,12}@[A-Za-z0-9-]{1,10}\.[a-z]{2,6}>? ?", fullmatch=True
)
locals_ = st.from_regex(r"[a-z][a-z0-9._+-]{0,10}[a-z0-9]", fullmatch=True)


@many
@given(written)
def test_16_normalising_twice_is_normalising_once(text: str) -> None:
    for normal in (fold, clean):
        assert normal(normal(text)) == normal(text)
    once = email(text)
    assert once is None or email(once.value) == once
    number = phone(text, "DE")
    assert number is None or phone(number.value, None) == number
    known = device(text)
    assert known is None or device(known) == known
    parts = name(text, "", "")
    assert name("", *parts) == parts


@many
@given(locals_, locals_)
def test_16_two_addresses_of_an_unknown_provider_are_never_one(one: str, other: str) -> None:
    found = [email(f"{local}@firm.org") for local in (one, other)]
    assume(all(found))
    assert (found[0] == found[1]) is (one == other)


@few
@given(sets_with_decisions(), chances)
def test_18_the_ledger_replayed_says_who_belongs_where(facts: list[Fact], chance: random.Random) -> None:
    memory, changes = told(facts, chance)
    events = {one.event for one in facts}
    home: dict[bytes, bytes] = {}
    for moved in chain.from_iterable(one.moved for one in changes):
        assert moved.before == home.get(moved.record, moved.record if moved.before else None)
        assert moved.cause in events
        home[moved.record] = moved.after
    for record in records_of(facts):
        assert memory.records[record].profile == home.get(record, record)
