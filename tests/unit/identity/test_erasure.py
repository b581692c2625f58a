"""Who is erased never was there: for nobody who is left, in no order of arrival, and whatever is told again.

Invariant 15 (identity.md §3.9) in memory; what tables, topics and tools hold is in tests/integration/test_erasure.py.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

import msgspec
import pytest
from hypothesis import given, settings

from hub.identity.erasure import living
from hub.identity.evidence import Evidence, Fact, Statement
from tests.support.forgetful import Forgetful
from tests.support.histories import batches, chances, sets_with_erasures
from tests.support.memory import until_of, whole

many = settings.get_profile("many")


def lost(facts: Sequence[Fact]) -> set[str]:
    """The ids of events that are nobody's in the end."""
    until = until_of(facts)
    return {one.id for one in facts if one.who and living(one, until).who is None}


def traces(evidence: Evidence) -> Iterator[str]:
    """Every event that something in the evidence comes from."""
    yield evidence.first_event
    for claim in evidence.claims:
        yield from (claim.first_event, claim.last_event)
    stated: list[Statement] = [*evidence.fields.values(), *evidence.things.values()]
    for one in (*stated, *(word for words in evidence.consents.values() for word in words)):
        yield one.event


def run(facts: Sequence[Fact], chance: random.Random) -> Forgetful:
    """All of them in some order and some batches, audited at every step; then everything once more."""
    memory = Forgetful()
    for batch in batches(facts, chance):
        memory.batch(batch)
        memory.check()
    before = memory.shown()
    memory.batch(chance.sample(facts, len(facts)))
    assert memory.shown() == before, "a replay brings nobody back"
    return memory


@pytest.mark.usefixtures("no_caps")
@many
@given(sets_with_erasures(), chances)
def test_the_others_are_who_they_would_be_if_the_erased_had_never_been_there(
    facts: list[Fact], chance: random.Random
) -> None:
    assert run(facts, chance).shown() == whole(facts)


@pytest.mark.usefixtures("small_caps")
@many
@given(sets_with_erasures(), chances)
def test_no_row_keeps_a_word_of_what_was_erased(facts: list[Fact], chance: random.Random) -> None:
    memory, gone = run(facts, chance), lost(facts)
    for one in memory.records.values():
        assert gone.isdisjoint(traces(msgspec.json.decode(one.evidence, type=Evidence)))
    claimed = {claim.identifier for row in memory.records.values() for claim in row.row().known.evidence.claims}
    assert memory.identifiers.keys() <= claimed, "an identifier is kept that nobody claims"


@pytest.mark.usefixtures("small_caps")
@many
@given(sets_with_erasures(), chances)
def test_nobody_ever_lives_under_an_erased_id_again(facts: list[Fact], chance: random.Random) -> None:
    memory = run(facts, chance)
    until = until_of(facts)
    assert not until.keys() & memory.records.keys()
    assert not memory.gone & memory.profiles.keys()
