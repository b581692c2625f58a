"""The profiles are a function of the set of events: order, batches and repeats change nothing, strangers part nobody.

Small caps make shared and crowded values frequent: permutations of ordinary data hardly ever meet one.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence

import pytest
from hypothesis import given, settings

from hub.identity.evidence import Fact
from hub.identity.outcome import Changes
from tests.support.histories import batches, chances, sets
from tests.support.memory import Memory, people, whole

pytestmark = pytest.mark.usefixtures("small_caps")
many = settings.get_profile("many")


def members(memory: Memory) -> dict[bytes, set[bytes]]:
    """Profile → its records. Two of one form and one address look the same in a line: their names part them."""
    found: dict[bytes, set[bytes]] = defaultdict(set)
    for record, row in memory.records.items():
        if row.profile:
            found[row.profile].add(record)
    return found


def assert_a_function_of_the_set(facts: Sequence[Fact], chance: random.Random) -> None:
    """Every step audited; the end compared with one look at all of them, and then everything once more."""
    memory = Memory()
    for batch in batches(facts, chance):
        lines, shared, homes = dict(memory.profiles), memory.shown().shared, members(memory)
        changes = memory.batch(batch)
        memory.check()
        assert shared <= memory.shown().shared, "what is shared stays shared"
        for told in changes.profiles:
            known, records = lines.get(told.person.profile), {one.record for one in told.person.records}
            is_new = known is None or (known.line, known.facts) != (told.line, told.facts)
            assert is_new or homes[told.person.profile] != records, "nothing is new"
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


@many
@given(sets, chances)
def test_any_order_and_any_batches_come_to_the_same_people(facts: list[Fact], chance: random.Random) -> None:
    assert_a_function_of_the_set(facts, chance)


@many
@given(sets)
def test_what_is_not_trusted_never_changes_which_trusted_records_are_together(facts: list[Fact]) -> None:
    assert_strangers_part_and_join_nobody(facts)


@many
@given(sets)
def test_every_record_is_in_one_profile_and_the_earliest_is_its_founder(facts: list[Fact]) -> None:
    assert_a_partition(facts)
