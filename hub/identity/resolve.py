"""Evidence → profiles: which records are one person. A pure function of the set; order never enters.

The rules are the twelve of identity-check.md §1; the numbers in the comments are theirs.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import chain, combinations, product
from operator import attrgetter
from typing import NamedTuple

from hub.identity.clusters import Clusters
from hub.identity.decisions import NONE, Cut, Merge, standing
from hub.identity.evidence import DEVICE, LINK, MAILBOX, OBJECT, SHARED, Claim, Known, may_link
from hub.identity.names import code, groups_differ, same_formal

MOST_CLAIMERS = {"email": 8, MAILBOX: 8, "phone": 5, DEVICE: 4}
"""Trusted records (for a device: all that are more than a device) behind one value; a thing is never shared."""
MOST_CODES = 3
RULES = 1
"""The version of these rules; every operation keeps the one that it was made under."""
FARTHEST_DAYS = 548
WEAK = 5
TIER = {OBJECT: 1, "email": 2, MAILBOX: 3, "phone": 4, DEVICE: WEAK}


class Edge(NamedTuple):
    """A reason to join two records, in canonical order (rule 5). The last two say by which identifier."""

    disputed: bool
    untrusted_ends: int
    tier: int
    superseded: bool
    later: str
    earlier: str
    one: bytes
    other: bytes
    namespace: str = ""
    value: str = ""


Claimer = tuple[Known, Claim]
Claimers = dict[tuple[str, str], list[Claimer]]


class Person(NamedTuple):
    """A profile: its id (the founder's record id) and its records, founder first."""

    profile: bytes
    records: tuple[Known, ...]


class Step(NamedTuple):
    """An edge that was looked at, in order; `refusal` says in words why it joined nobody, None where it did.

    `edge.namespace` is "decision" for what a person decided.
    """

    edge: Edge
    refusal: str | None


DECISION = "decision"


def resolve(records: Sequence[Known], steps: list[Step] | None = None) -> list[Person]:
    """The people behind these records, and, in place, the claims that have turned shared.

    `records` must hold every record that claims an identifier which links any of them, and every record that a
    decision names together with one of them; of one that nothing was heard of, only its rulings count. Both the people
    and their records come in a fixed order. `steps` is given every edge that was tried.
    """
    heard = [record for record in records if record.evidence.first_at]
    claimers = claimers_of(heard) if len(heard) != 1 or len(heard[0].evidence.names) > MOST_CODES else {}
    share(claimers)
    if len(heard) == 1:
        return [Person(heard[0].record, (heard[0],))]
    ruled = [(record.record, record.evidence.rulings) for record in records if record.evidence.rulings]
    decided = standing(ruled) if ruled else NONE
    clusters = Clusters(heard, decided.cuts)
    _bind(clusters, decided.merges, steps)
    for edge in sorted(_edges(claimers, disputed(decided.cuts, claimers) if decided.cuts else frozenset())):
        refusal = clusters.join(edge.one, edge.other)
        if steps is not None:
            steps.append(Step(edge, refusal))
    for device in sorted((record for record in heard if record.kind == DEVICE), key=_by_id):
        _attach(clusters, device, claimers.get(device.key, []), steps)
    return sorted(person(members) for members in clusters.people())


_by_id = attrgetter("record")


def _bind(clusters: Clusters, merges: Iterable[Merge], steps: list[Step] | None) -> None:
    for merge in merges:
        present = [record for record in merge.records if record in clusters]
        for other in present[1:]:
            refusal = clusters.bind(present[0], other)
            if steps is not None:
                steps.append(Step(_plain(0, present[0], other, (DECISION, merge.decision)), refusal))


def _attach(clusters: Clusters, device: Known, claimers: Sequence[Claimer], steps: list[Step] | None) -> None:
    owners = [one for one, claim in claimers if one.kind != DEVICE and claim.state == LINK]
    refusal = clusters.attach(device.record, [one.record for one in owners])
    if steps is not None:
        steps += [Step(_plain(WEAK, one.record, device.record, device.key), refusal) for one in owners]


def _plain(tier: int, one: bytes, other: bytes, by: tuple[str, str]) -> Edge:
    """An edge whose place among others is fixed by what it is."""
    return Edge(
        disputed=False,
        untrusted_ends=0,
        tier=tier,
        superseded=False,
        later="",
        earlier="",
        one=one,
        other=other,
        namespace=by[0],
        value=by[1],
    )


def person(members: Iterable[Known]) -> Person:
    """A profile of these records. Its founder is the one with the earliest first event, devices last (rule 10)."""
    ordered = sorted(members, key=_seniority)
    return Person(ordered[0].record, tuple(ordered))


def _seniority(record: Known) -> tuple[bool, str, str, bytes]:
    return record.kind == DEVICE, record.evidence.first_at, record.evidence.first_event, record.record


def links(record: Known, claim: Claim) -> bool:
    """Whether a claim may join its record with others: see `may_link`; a blocked or shared value joins nobody."""
    return claim.state == LINK and may_link(claim.namespace, claim.value, trusted=claim.trusted, key=record.key)


def claimers_of(records: Iterable[Known]) -> Claimers:
    """Identifier → who may link by it, with the claim."""
    found: Claimers = defaultdict(list)
    for record in records:
        for claim in record.evidence.claims:
            if links(record, claim):
                found[claim.namespace, claim.value].append((record, claim))
    return found


def share(claimers: Claimers) -> None:
    """Turn values shared that too many trusted records or given names stand behind (rule 7); sticky."""
    for (namespace, _), claims in claimers.items():
        if exceeds(namespace, [record for record, claim in claims if claim.trusted or namespace == DEVICE]):
            for _, claim in claims:
                claim.state = SHARED


def exceeds(namespace: str, records: Sequence[Known]) -> bool:
    """Whether these are more people than one value may stand for."""
    if namespace == OBJECT:
        return False
    if namespace == DEVICE:
        return sum(record.kind != DEVICE for record in records) > MOST_CLAIMERS[DEVICE]
    codes = {code(name.given) for record in records for name in record.evidence.names}
    return len(records) > MOST_CLAIMERS[namespace] or len(codes) > MOST_CODES


Disputed = frozenset[tuple[bytes, str, str]]
"""(record, namespace, value) of claims that belong to the other side of a cut."""


def disputed(cuts: Sequence[Cut], claimers: Claimers) -> Disputed:
    """Claims of the side that does not keep a value (rule 11): kept by decision, else by who claimed it first."""
    found: set[tuple[bytes, str, str]] = set()
    for cut, ((namespace, value), claims) in product(cuts, claimers.items()):
        sides = [[one for one in claims if one[0].record in side] for side in cut.sides]
        loser = _loser(cut, f"{namespace}:{value}", sides)
        if loser is not None:
            found |= {(record.record, namespace, value) for record, _ in sides[loser]}
    return frozenset(found)


def _loser(cut: Cut, identifier: str, sides: Sequence[Sequence[Claimer]]) -> int | None:
    for side in (0, 1):
        if identifier in cut.keeps[side]:
            return 1 - side
    if not all(sides):
        return None
    first = [min((claim.first_at, claim.first_event, record.record) for record, claim in side) for side in sides]
    return int(first[0] < first[1])


def _edges(claimers: Claimers, contested: Disputed) -> Iterator[Edge]:
    for (namespace, value), claims in claimers.items():
        if claims[0][1].state == LINK and namespace != DEVICE:
            for one, other in _pairs(namespace, claims):
                if may_join(namespace, one, other):
                    late = bool(contested) and any(
                        (end[0].record, namespace, value) in contested for end in (one, other)
                    )
                    yield _edge(one, other, disputed=late)


def _pairs(namespace: str, claims: Sequence[Claimer]) -> Iterable[tuple[Claimer, Claimer]]:
    """Every two claimers; of a crowded value only those with a trusted one among them (rule 8).

    Strangers under one crowded value say nothing about each other, and there may be thousands of them.
    """
    if not exceeds(namespace, [record for record, _ in claims]):
        return combinations(claims, 2)
    trusted = [one for one in claims if one[1].trusted]
    strangers = [one for one in claims if not one[1].trusted]
    return chain(combinations(trusted, 2), product(trusted, strangers))


def _edge(one: Claimer, other: Claimer, *, disputed: bool) -> Edge:
    first, second = sorted((one[1].first_at, other[1].first_at))
    low, high = sorted((one[0].record, other[0].record))
    untrusted = 2 - one[1].trusted - other[1].trusted
    superseded = _superseded(*one) or _superseded(*other)
    namespace, value = one[1].namespace, one[1].value
    return Edge(disputed, untrusted, TIER[namespace], superseded, second, first, low, high, namespace, value)


def _superseded(record: Known, claim: Claim) -> bool:
    """Whether the record has since claimed another value of the same sort."""
    latest = max((c.last_at, c.last_event) for c in record.evidence.claims if c.namespace == claim.namespace)
    return (claim.last_at, claim.last_event) != latest


def may_join(namespace: str, one: Claimer, other: Claimer) -> bool:
    """Rule 4: an e-mail wants names that are not clearly different, a phone the same full name not too far apart."""
    if namespace == OBJECT:
        return True
    if namespace in {"email", MAILBOX}:
        return not groups_differ(_given(one[0]), _given(other[0]))
    return same_full_name(one[0], other[0]) and _days_apart(one[1], other[1]) <= FARTHEST_DAYS


def _given(record: Known) -> frozenset[str]:
    return frozenset(name.given for name in record.evidence.names)


def same_full_name(one: Known, other: Known) -> bool:
    """Whether both ever said one family name with given names that are one formal name's."""
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
