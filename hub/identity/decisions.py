"""What people decided about who is who: these are one person, these are two, that decision is taken back.

Beside it the shapes of what else is said in the hub itself: who is to be forgotten, and remarks on a record.

A decision is an event like any other: it names records, each of them keeps it, and which decisions stand is a function
of the set, whatever the order of arrival (identity-check.md §1, rules 6 and 11, and §2 on merges against cuts).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import combinations
from typing import NamedTuple

import msgspec

from hub.identity.tasks import TaskWord

SAME, APART, WITHDRAWN = "same", "apart", "withdrawn"


class Ruling(msgspec.Struct, array_like=True, frozen=True, order=False):
    """A decision as one of the records that it names keeps it.

    `decision` is the event id as text, `at` its time, `side` where this record stands (0 or 1), `withdraws` the ids of
    decisions that it takes back, `keeps` the identifiers, written `email:ann@example.com`, that belong to this side.
    """

    decision: str
    at: str
    verdict: str
    side: int
    withdraws: tuple[str, ...] = ()
    keeps: tuple[str, ...] = ()


class Decision(NamedTuple):
    """A decision as its event states it: records by side, and the identifiers that each side keeps."""

    verdict: str
    sides: tuple[tuple[bytes, ...], tuple[bytes, ...]]
    withdraws: tuple[str, ...] = ()
    keeps: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())

    @property
    def records(self) -> tuple[bytes, ...]:
        """Every record that it names."""
        return self.sides[0] + self.sides[1]

    def ruling(self, record: bytes, event: str, at: str) -> Ruling:
        """What one of its records keeps of it."""
        side = int(record not in self.sides[0])
        return Ruling(event, at, self.verdict, side, self.withdraws, self.keeps[side])


class Erasure(NamedTuple):
    """Who is to be forgotten: ids of records and of identifiers, nothing that can be read."""

    records: tuple[bytes, ...]
    identifiers: tuple[bytes, ...] = ()


class Remark(NamedTuple):
    """What a person or a rule of the hub says of a record; see `hub.identity.remarks`.

    With a `field` it is set to `value`; without one it is a word about a `task`, or a note or a call. The record's
    timeline shows these.
    """

    record: bytes
    field: str = ""
    value: str = ""
    by_person: bool = True
    task: TaskWord | None = None


class Cut(NamedTuple):
    """Records of two people, and what each of the two keeps; `decision` is the event id's text."""

    decision: str
    sides: tuple[frozenset[bytes], frozenset[bytes]]
    keeps: tuple[frozenset[str], frozenset[str]]


class Merge(NamedTuple):
    """Records of one person; `decision` is the event id's text."""

    decision: str
    records: tuple[bytes, ...]


class Standing(NamedTuple):
    """The decisions that are in force: merges, newest first, and cuts."""

    merges: tuple[Merge, ...] = ()
    cuts: tuple[Cut, ...] = ()


NONE = Standing()


class _Said(NamedTuple):
    at: str
    decision: str
    verdict: str
    withdraws: frozenset[str]
    sides: tuple[frozenset[bytes], frozenset[bytes]]
    keeps: tuple[frozenset[str], frozenset[str]]

    def crosses(self, other: _Said) -> bool:
        """Whether one makes one person of two that the other keeps apart."""
        if {self.verdict, other.verdict} != {SAME, APART}:
            return False
        cut, merge = (self, other) if self.verdict == APART else (other, self)
        bound = merge.sides[0] | merge.sides[1]
        return bool(cut.sides[0] & bound and cut.sides[1] & bound)


def learn_ruling(rulings: Sequence[Ruling], one: Ruling) -> list[Ruling]:
    """A record's rulings with one more; in one order, and none twice."""
    known = {ruling.decision: ruling for ruling in (*rulings, one)}
    return [known[decision] for decision in sorted(known)]


def standing(rulings: Iterable[tuple[bytes, Sequence[Ruling]]]) -> Standing:
    """The decisions in force among these records' rulings.

    A decision is out of force once a newer one takes it back, or once a newer one says the contrary of two of its
    records, even if that is itself replaced later; what was taken back counts as never said.
    """
    said = _gathered(rulings)
    if not said:
        return NONE
    withdrawn: set[str] = set()
    for one in reversed(said):
        if one.decision not in withdrawn:
            withdrawn |= {other.decision for other in said if other.decision in one.withdraws and other[:2] < one[:2]}
    counted = [one for one in said if one.decision not in withdrawn]
    replaced = {older.decision for older, newer in combinations(counted, 2) if newer.crosses(older)}
    live = [one for one in reversed(counted) if one.decision not in replaced]
    return Standing(
        tuple(Merge(one.decision, tuple(sorted(one.sides[0] | one.sides[1]))) for one in live if one.verdict == SAME),
        tuple(Cut(one.decision, one.sides, one.keeps) for one in live if one.verdict == APART),
    )


def _gathered(rulings: Iterable[tuple[bytes, Sequence[Ruling]]]) -> list[_Said]:
    """Every decision with all its records, oldest first."""
    found: dict[str, list[tuple[bytes, Ruling]]] = defaultdict(list)
    for record, kept in rulings:
        for ruling in kept:
            found[ruling.decision].append((record, ruling))
    return sorted((_whole(decision, named) for decision, named in found.items()), key=lambda one: one[:2])


def _whole(decision: str, named: Sequence[tuple[bytes, Ruling]]) -> _Said:
    first = named[0][1]
    near, far = (frozenset(record for record, one in named if one.side == side) for side in (0, 1))
    mine, theirs = (frozenset(kept for _, one in named if one.side == side for kept in one.keeps) for side in (0, 1))
    return _Said(first.at, decision, first.verdict, frozenset(first.withdraws), (near, far), (mine, theirs))
