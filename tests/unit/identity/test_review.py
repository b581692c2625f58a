"""Rules that change: a review of what others made comes to what today's would have made of the same facts."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.identity import normalise, outcome, resolve
from hub.identity.evidence import DEVICE, Fact, Known
from hub.identity.resolve import exceeds
from hub.identity.review import Review, reviewed, stale
from tests.support.histories import batches, sets
from tests.support.memory import Memory, whole
from tests.support.rules import today

CAPS: tuple[tuple[dict[str, int], int], ...] = (
    ({"email": 3, "mailbox": 3, "phone": 2, "device": 2}, 2),
    ({"email": 1, "mailbox": 1, "phone": 1, "device": 1}, 1),
    ({}, 16),
)
ROLES = normalise._ROLES
LISTS = (ROLES, ROLES | {"x"}, ROLES - {"info"}, (ROLES | {"y", "z"}) - {"info"})
rules = st.tuples(st.sampled_from(CAPS), st.sampled_from(LISTS))
Rules = tuple[tuple[dict[str, int], int], frozenset[str]]


@contextmanager
def under(today: Rules) -> Iterator[None]:
    """These rules, for as long as the block runs."""
    (claimers, codes), roles = today
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(resolve, "MOST_CLAIMERS", claimers or dict.fromkeys(resolve.MOST_CLAIMERS, 99))
        for module in (resolve, outcome):
            patch.setattr(module, "MOST_CODES", codes)
        patch.setattr(normalise, "_ROLES", roles)
        normalise.forget()
        yield
    normalise.forget()


def review(memory: Memory) -> Review:
    """Everybody at once; whatever it says is written, and nothing else."""
    rows = {record: one.row() for record, one in memory.records.items()}
    unblocked, shared = stale(rows.values())
    kept = {one for one, value in shared.items() if exceeds(value[0], counted(memory, value))} - unblocked.keys()
    versions = {profile: told.version for profile, told in memory.profiles.items()}
    found = reviewed(rows, versions, {profile: told.line for profile, told in memory.profiles.items()}, kept)
    memory._write(found.changes)
    for identifier in found.blocked:
        memory.identifiers.pop(identifier, None)
    return found


def counted(memory: Memory, value: tuple[str, str]) -> list[Known]:
    """Who counts where it is asked for how many a value stands."""
    found = []
    for known in (one.row().known for one in memory.records.values()):
        for claim in known.evidence.claims:
            counts = known.kind != DEVICE if value[0] == DEVICE else claim.trusted
            if counts and (claim.namespace, claim.value) == value:
                found.append(known)
    return found


def told(memory: Memory, facts: Sequence[Fact], chance: random.Random) -> None:
    for batch in batches(today(facts), chance):
        memory.batch(batch)


def assert_todays_people(
    early: Sequence[Fact], late: Sequence[Fact], before: Rules, after: Rules, chance: random.Random
) -> None:
    memory = Memory()
    late = [one._replace(event=bytes([number]) * 16) for number, one in enumerate(late)]
    with under(before):
        told(memory, early, chance)
        assert memory.shown() == whole(today(early))
    with under(after):
        done = review(memory)
        memory.check()
        assert memory.shown() == whole(today(early))
        assert all(was != now for was, now in done.values.values())
        assert not review(memory)
        told(memory, late, chance)
        memory.check()
        assert memory.shown() == whole(today([*early, *late]))
        assert not review(memory), "whoever goes by today's rules leaves nothing to do"


histories = (sets, sets, rules, rules, st.randoms(use_true_random=False))


@given(*histories)
def test_a_review_comes_to_what_todays_rules_would_have_made(
    early: list[Fact], late: list[Fact], before: Rules, after: Rules, chance: random.Random
) -> None:
    assert_todays_people(early, late, before, after, chance)


@pytest.mark.nightly
@pytest.mark.timeout(3600)
@settings(max_examples=5_000, derandomize=False)
@given(*histories)
def test_a_long_night_finds_no_change_of_rules_that_a_review_gets_wrong(
    early: list[Fact], late: list[Fact], before: Rules, after: Rules, chance: random.Random
) -> None:
    assert_todays_people(early, late, before, after, chance)
