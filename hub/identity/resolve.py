"""Evidence → profiles: which records are one person. A pure function of the set; order never enters.

The rules are the twelve of identity-check.md §1; the numbers in the comments are theirs.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import chain, combinations, product
from typing import NamedTuple

from hub.identity.evidence import ACCOUNT, DEVICE, LINK, MAILBOX, OBJECT, SHARED, Claim, Evidence, may_link
from hub.identity.names import code, groups_differ, same_formal

MOST_CLAIMERS = {"email": 8, MAILBOX: 8, "phone": 5, DEVICE: 4}
"""Trusted records (for a device: all that are more than a device) behind one value; a thing is never shared."""
MOST_CODES = 3
FARTHEST_DAYS = 548
TIER = {OBJECT: 1, "email": 2, MAILBOX: 3, "phone": 4}


class Known(NamedTuple):
    """A source record as `resolve` sees it. `key` is (namespace, value); an account's namespace is empty."""

    record: bytes
    source: str
    kind: str
    key: tuple[str, str]
    evidence: Evidence


class Edge(NamedTuple):
    """A reason to join two records, in canonical order (rule 5)."""

    untrusted_ends: int
    tier: int
    superseded: bool
    later: str
    earlier: str
    one: bytes
    other: bytes


class Person(NamedTuple):
    """A profile: its id (the founder's record id) and its records, founder first."""

    profile: bytes
    records: tuple[Known, ...]


def resolve(records: Sequence[Known]) -> list[Person]:
    """The people behind these records, and, in place, the claims that have turned shared.

    `records` must hold every record that claims an identifier which links any of them. Both the people and their
    records come in a fixed order.
    """
    claimers = _claimers(records) if len(records) > 1 or len(records[0].evidence.names) > MOST_CODES else {}
    share(claimers)
    if len(records) == 1:
        return [Person(records[0].record, (records[0],))]
    clusters = _Clusters(records)
    for edge in sorted(_edges(claimers)):
        clusters.join(edge.one, edge.other)
    for record in records:
        if record.kind == DEVICE:
            clusters.attach(record, claimers.get(record.key, []))
    return sorted(person(members) for members in clusters.members())


def person(members: Iterable[Known]) -> Person:
    """A profile of these records. Its founder is the one with the earliest first event, devices last (rule 10)."""
    ordered = sorted(members, key=_seniority)
    return Person(ordered[0].record, tuple(ordered))


def _seniority(record: Known) -> tuple[bool, str, str, bytes]:
    return record.kind == DEVICE, record.evidence.first_at, record.evidence.first_event, record.record


Claimers = dict[tuple[str, str], list[tuple[Known, Claim]]]


def links(record: Known, claim: Claim) -> bool:
    """Whether a claim may join its record with others: see `may_link`; a blocked or shared value joins nobody."""
    return claim.state == LINK and may_link(claim.namespace, claim.value, trusted=claim.trusted, key=record.key)


def _claimers(records: Sequence[Known]) -> Claimers:
    found: Claimers = defaultdict(list)
    for record in records:
        for claim in record.evidence.claims:
            if links(record, claim):
                found[claim.namespace, claim.value].append((record, claim))
    return found


def share(claimers: Claimers) -> None:
    """Turn values shared that too many trusted records or given names stand behind (rule 7); sticky."""
    for (namespace, _), claims in claimers.items():
        if _exceeds(namespace, [record for record, claim in claims if claim.trusted or namespace == DEVICE]):
            for _, claim in claims:
                claim.state = SHARED


def _exceeds(namespace: str, records: Sequence[Known]) -> bool:
    if namespace == OBJECT:
        return False
    if namespace == DEVICE:
        return sum(record.kind != DEVICE for record in records) > MOST_CLAIMERS[DEVICE]
    codes = {code(name.given) for record in records for name in record.evidence.names}
    return len(records) > MOST_CLAIMERS[namespace] or len(codes) > MOST_CODES


Claimer = tuple[Known, Claim]


def _edges(claimers: Claimers) -> Iterator[Edge]:
    for (namespace, _), claims in claimers.items():
        if claims[0][1].state == LINK and namespace != DEVICE:
            for one, other in _pairs(namespace, claims):
                if _may_link(namespace, one, other):
                    yield _edge(namespace, one, other)


def _pairs(namespace: str, claims: Sequence[Claimer]) -> Iterable[tuple[Claimer, Claimer]]:
    """Every two claimers; of a crowded value only those with a trusted one among them (rule 8).

    Strangers under one crowded value say nothing about each other, and there may be thousands of them.
    """
    if not _exceeds(namespace, [record for record, _ in claims]):
        return combinations(claims, 2)
    trusted = [one for one in claims if one[1].trusted]
    strangers = [one for one in claims if not one[1].trusted]
    return chain(combinations(trusted, 2), product(trusted, strangers))


def _edge(namespace: str, one: Claimer, other: Claimer) -> Edge:
    first, second = sorted((one[1].first_at, other[1].first_at))
    low, high = sorted((one[0].record, other[0].record))
    untrusted = 2 - one[1].trusted - other[1].trusted
    superseded = _superseded(*one) or _superseded(*other)
    return Edge(untrusted, TIER[namespace], superseded, second, first, low, high)


def _superseded(record: Known, claim: Claim) -> bool:
    """Whether the record has since claimed another value of the same sort."""
    latest = max((c.last_at, c.last_event) for c in record.evidence.claims if c.namespace == claim.namespace)
    return (claim.last_at, claim.last_event) != latest


def _may_link(namespace: str, one: Claimer, other: Claimer) -> bool:
    """Rule 4: an e-mail wants names that are not clearly different, a phone the same full name not too far apart."""
    if namespace == OBJECT:
        return True
    if namespace in {"email", MAILBOX}:
        return not groups_differ(_given(one[0]), _given(other[0]))
    return _same_full_name(one[0], other[0]) and _days_apart(one[1], other[1]) <= FARTHEST_DAYS


def _given(record: Known) -> frozenset[str]:
    return frozenset(name.given for name in record.evidence.names)


def _same_full_name(one: Known, other: Known) -> bool:
    return any(
        name.family and name.family == its.family and same_formal(name.given, its.given)
        for name in one.evidence.names
        for its in other.evidence.names
    )


def _days_apart(one: Claim, other: Claim) -> int:
    begin, end = max(one.first_at, other.first_at), min(one.last_at, other.last_at)
    if begin <= end:
        return 0
    return (datetime.fromisoformat(begin) - datetime.fromisoformat(end)).days


class _Clusters:
    """Greedy union in canonical order that refuses what would hold two people (rules 3 and 6)."""

    def __init__(self, records: Sequence[Known]) -> None:
        self._of: dict[bytes, list[Known]] = {record.record: [record] for record in records}

    def members(self) -> list[list[Known]]:
        return list({id(cluster): cluster for cluster in self._of.values()}.values())

    def join(self, one: bytes, other: bytes) -> None:
        mine, its = self._of[one], self._of[other]
        if mine is its or _two_accounts(mine, its) or _two_names(mine, its):
            return
        self._unite(mine, its)

    def attach(self, device: Known, claimers: Sequence[Claimer]) -> None:
        """Give a device to the one person who claims it, where it is one: it never bridges two (identity.md §3.3)."""
        owners = {id(mine): mine for mine in (self._of[one.record] for one, _ in claimers if one.kind != DEVICE)}
        if len(owners) == 1 and claimers[0][1].state == LINK:
            (owner,) = owners.values()
            self._unite(owner, self._of[device.record])

    def _unite(self, mine: list[Known], its: list[Known]) -> None:
        if len(mine) < len(its):
            mine, its = its, mine
        mine.extend(its)
        for record in its:
            self._of[record.record] = mine


def _two_accounts(mine: Sequence[Known], its: Sequence[Known]) -> bool:
    accounts = {record.source for record in mine if record.kind == ACCOUNT}
    return any(record.kind == ACCOUNT and record.source in accounts for record in its)


def _two_names(mine: Sequence[Known], its: Sequence[Known]) -> bool:
    """Whether the union would hold two records whose names are clearly different."""
    return any(groups_differ(one, other) for one in _names(mine) for other in _names(its))


def _names(cluster: Sequence[Known]) -> list[frozenset[str]]:
    """The name groups that count: those of trusted records where there are any, for a stranger's word parts nobody."""
    named = [record for record in cluster if record.evidence.names]
    return [_given(record) for record in named if _trusted(record)] or [_given(record) for record in named]


def _trusted(record: Known) -> bool:
    return any(claim.trusted for claim in record.evidence.claims)
