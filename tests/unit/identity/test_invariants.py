"""The promises of identity, by their numbers in docs/identity-invariants.md: who is together, whatever happens.

`whole` is the specification, one look at everything; `Memory` takes batches as the hub does.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from unittest.mock import patch

import msgspec
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from hub.identity.decisions import APART, SAME, WITHDRAWN, Standing, standing
from hub.identity.evidence import BLOCKED, SHARED, Fact, Known
from hub.identity.outcome import Changes
from hub.identity.resolve import Person, resolve
from tests.support.histories import batches, chances, records_of, sets_with_decisions, two_towns
from tests.support.memory import Memory, day, decided, learned, people, whole

pytestmark = pytest.mark.usefixtures("small_caps")
few, many = settings.get_profile("few"), settings.get_profile("many")


def after(facts: Sequence[Fact], chance: random.Random) -> Memory:
    """The tables after these facts, in some order and batches."""
    memory = Memory()
    for batch in batches(facts, chance):
        memory.batch(batch)
    memory.check()
    return memory


def homes(persons: Iterable[Person]) -> dict[bytes, bytes]:
    """Record → profile."""
    return {known.record: one.profile for one in persons for known in one.records}


def in_force(facts: Iterable[Fact]) -> Standing:
    """The decisions that count among these facts."""
    return standing([(known.record, known.evidence.rulings) for known in learned(facts)[0]])


@few
@given(sets_with_decisions(), chances)
def test_1_the_order_in_which_one_looks_does_not_matter(facts: list[Fact], chance: random.Random) -> None:
    assert whole(chance.sample(facts, len(facts))) == whole(facts)


@few
@given(sets_with_decisions(), chances)
def test_3_reading_again_from_anywhere_changes_nothing(facts: list[Fact], chance: random.Random) -> None:
    log = [*facts, *chance.sample(facts, len(facts) // 2)]
    chance.shuffle(log)
    memory, at, returns = Memory(), 0, 3
    while at < len(log):
        size = chance.choice((1, 1, 3))
        memory.batch(log[at : at + size])
        at += size
        if returns and chance.random() < 0.4:
            at, returns = chance.randint(0, min(at, len(log))), returns - 1
    memory.check()
    assert memory.shown() == whole(facts)
    assert memory.batch(log[chance.randint(0, len(log) - 1) :]) == Changes()


@few
@given(sets_with_decisions(), chances)
def test_4_a_batch_that_was_decided_and_lost_leaves_no_trace(facts: list[Fact], chance: random.Random) -> None:
    memory, log = Memory(), chance.sample(facts, len(facts))
    while log:
        tables = msgspec.json.encode([memory.records, memory.identifiers, memory.profiles])
        marks = set(memory.marks)
        with patch.object(memory, "_write"):
            memory.batch(log[: chance.randint(1, 4)])
        memory.marks = marks
        assert msgspec.json.encode([memory.records, memory.identifiers, memory.profiles]) == tables
        size = chance.randint(1, 3)
        memory.batch(log[:size])
        log = log[size:]
    memory.check()
    assert memory.shown() == whole(facts)


@few
@given(sets_with_decisions(most=2), st.data(), chances)
def test_5_a_merge_that_is_taken_back_never_was_wherever_the_two_come(
    facts: list[Fact], data: st.DataObject, chance: random.Random
) -> None:
    known = records_of(facts)
    assume(known)
    named = data.draw(st.lists(st.sampled_from(known), min_size=1, max_size=3, unique=True))
    merge = decided(SAME, named[:1], named[1:], day(50), natural_id="merge")
    back = decided(WITHDRAWN, named[:1], named[1:], day(51), withdraws=[merge], natural_id="back")
    assert after([*facts, merge, back], chance).shown() == whole(facts)


@few
@given(two_towns(), st.data(), chances)
def test_5_a_cut_gives_both_sides_back_what_each_would_be_alone(
    towns: tuple[list[Fact], list[Fact]], data: st.DataObject, chance: random.Random
) -> None:
    one, other = towns
    assume(records_of(one) and records_of(other))
    ends = [data.draw(st.sampled_from(records_of(town))) for town in towns]
    merge = decided(SAME, ends[:1], ends[1:], day(50), natural_id="merge")
    cut = decided(APART, records_of(one), records_of(other), day(51), natural_id="cut")
    shown = after([*one, *other, merge, cut], chance).shown()
    assert shown.lines == tuple(sorted([*whole(one).lines, *whole(other).lines], key=_profile))


def _profile(line: bytes) -> str:
    profile: str = msgspec.json.decode(line)["profile_id"]
    return profile


@few
@given(sets_with_decisions(), chances)
def test_6_every_record_is_in_one_living_profile_and_every_old_id_leads_there_in_one_step(
    facts: list[Fact], chance: random.Random
) -> None:
    memory = after(facts, chance)
    heard = records_of(facts)
    assert sorted(known.record for one in people(facts) for known in one.records) == heard
    assert sorted(record for record, row in memory.records.items() if row.profile in memory.profiles) == heard
    for once_told in memory.versions:
        assert memory.records[once_told].profile in memory.profiles


@many
@given(sets_with_decisions())
def test_7_two_accounts_of_a_source_are_one_person_only_where_somebody_said_so(facts: list[Fact]) -> None:
    merges = in_force(facts).merges
    for one in people(facts):
        accounts = [known.source for known in one.records if known.kind == "account"]
        said = any(len(homes([one]).keys() & set(merge.records)) > 1 for merge in merges)
        assert said or len(accounts) == len(set(accounts))


@many
@given(sets_with_decisions())
def test_8_what_is_cut_is_apart_and_what_is_merged_together_unless_a_cut_forbids_it(facts: list[Fact]) -> None:
    found, home = in_force(facts), homes(people(facts))
    cuts = [tuple({home[record] for record in side & home.keys()} for side in cut.sides) for cut in found.cuts]
    assert all(near.isdisjoint(far) for near, far in cuts)
    for merge in found.merges:
        first, *others = [home[record] for record in merge.records if record in home] or [b""]
        for other in others:
            between = ({first}, {other})
            assert first == other or any((near & one and far & it) for near, far in cuts for one, it in _both(between))


def _both(pair: tuple[set[bytes], set[bytes]]) -> list[tuple[set[bytes], set[bytes]]]:
    return [pair, pair[::-1]]


def without(records: Iterable[Known], states: set[str]) -> list[Known]:
    """The same records as if nobody had said what bears these states."""
    left = []
    for known in records:
        evidence = msgspec.structs.replace(
            known.evidence, claims=[claim for claim in known.evidence.claims if claim.state not in states]
        )
        left.append(known._replace(evidence=evidence))
    return left


@many
@given(sets_with_decisions())
def test_9_what_is_shared_or_blocked_joins_nobody(facts: list[Fact]) -> None:
    records, _ = learned(facts)
    found = homes(resolve(records))
    assert homes(resolve(without(records, {SHARED, BLOCKED}))) == found


@few
@given(sets_with_decisions(), chances)
def test_10_whatever_is_added_what_is_shared_stays_shared(facts: list[Fact], chance: random.Random) -> None:
    log = chance.sample(facts, len(facts))
    shared: frozenset[bytes] = frozenset()
    for end in range(1, len(log) + 1):
        found = whole(log[:end]).shared
        assert shared <= found
        shared = found
