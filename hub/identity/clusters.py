"""Greedy union of records into people, which refuses what would hold two (rules 3 and 6 of identity-check.md §1)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from hub.identity.decisions import Cut
from hub.identity.evidence import ACCOUNT, DEVICE, Known
from hub.identity.names import groups_differ

CUT, TWO_ACCOUNTS, TWO_NAMES = "a decision keeps them apart", "two accounts of one source", "two given names"
TOGETHER = "one person already"


class Names(NamedTuple):
    """Given names that are one person's, and whether anybody trusted says one of them.

    `decided`: a person said so; then whoever bears one of them bears them all.
    """

    trusted: bool
    given: frozenset[str]
    decided: bool = False


@dataclass(slots=True)
class Cluster:
    """Records that are one person so far. `sides` holds (number of the cut, side) of the cuts that name one of them."""

    records: list[Known]
    accounts: set[str]
    names: list[Names]
    sides: set[tuple[int, int]] = field(default_factory=set)

    def named(self) -> list[frozenset[str]]:
        """The names that count: those of trusted records where there are any, for a stranger's word parts nobody."""
        return [one.given for one in self.names if one.trusted] or [one.given for one in self.names]


class Clusters:
    """The people of a set of records, joined edge by edge."""

    def __init__(self, records: Iterable[Known], cuts: Sequence[Cut]) -> None:
        self._of = {record.record: _alone(record) for record in records}
        for number, cut in enumerate(cuts):
            for side, named in enumerate(cut.sides):
                for record in named & self._of.keys():
                    self._of[record].sides.add((number, side))

    def __contains__(self, record: bytes) -> bool:
        return record in self._of

    def people(self) -> list[list[Known]]:
        """The records of each."""
        return [cluster.records for cluster in {id(cluster): cluster for cluster in self._of.values()}.values()]

    def bind(self, one: bytes, other: bytes) -> str | None:
        """A decision that they are one person: only a cut stops it, and their names are one person's names from now on.

        Gives the reason where it joined nobody.
        """
        mine, its = self._of[one], self._of[other]
        if mine is its:
            return TOGETHER
        if _cut(mine, its):
            return CUT
        united = self._unite(mine, its)
        united.names = [_one_group(united.names)] if united.names else []
        return None

    def join(self, one: bytes, other: bytes) -> str | None:
        """Make one person of the two, or give the reason why they are not."""
        mine, its = self._of[one], self._of[other]
        if mine is its:
            return TOGETHER
        refusal = _refusal(mine, its)
        if refusal is None:
            self._unite(mine, its)
        return refusal

    def attach(self, device: bytes, owners: Iterable[bytes]) -> str | None:
        """Give a device to the one person who claims it; it never bridges two (identity.md §3.3)."""
        found = {id(cluster): cluster for cluster in (self._of[owner] for owner in owners)}
        its = self._of[device]
        if len(found) != 1:
            return "several people claim it" if found else "nobody claims it"
        (owner,) = found.values()
        if owner is its:
            return TOGETHER
        if any(record.kind != DEVICE for record in its.records):
            return "a decision gave it to somebody else"
        if _cut(owner, its):
            return CUT
        self._unite(owner, its)
        return None

    def _unite(self, mine: Cluster, its: Cluster) -> Cluster:
        if len(mine.records) < len(its.records):
            mine, its = its, mine
        mine.records += its.records
        mine.accounts |= its.accounts
        mine.names = _folded([*mine.names, *its.names])
        mine.sides |= its.sides
        for record in its.records:
            self._of[record.record] = mine
        return mine


def _alone(record: Known) -> Cluster:
    given = frozenset(name.given for name in record.evidence.names)
    trusted = any(claim.trusted for claim in record.evidence.claims)
    return Cluster(
        [record], {record.source} if record.kind == ACCOUNT else set(), [Names(trusted, given)] if given else []
    )


def _one_group(names: Sequence[Names]) -> Names:
    given = frozenset().union(*(one.given for one in names))
    return Names(any(one.trusted for one in names), given, decided=True)


def _folded(names: list[Names]) -> list[Names]:
    """Groups that fit one which a decision made are part of it: a new Ann and a new Bob both join a merged Ann-Bob."""
    made = [one for one in names if one.decided]
    if not made:
        return names
    near = [one for one in names if not one.decided and not all(groups_differ(one.given, it.given) for it in made)]
    return [_one_group([*made, *near]), *(one for one in names if not one.decided and one not in near)]


def _cut(mine: Cluster, its: Cluster) -> bool:
    return bool(mine.sides) and any((number, 1 - side) in mine.sides for number, side in its.sides)


def _refusal(mine: Cluster, its: Cluster) -> str | None:
    """Why the two are not one person. What one of them holds twice already is not counted against it."""
    if _cut(mine, its):
        return CUT
    if not mine.accounts.isdisjoint(its.accounts):
        return TWO_ACCOUNTS
    if any(groups_differ(one, other) for one in mine.named() for other in its.named()):
        return TWO_NAMES
    return None
