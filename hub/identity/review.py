"""What today's rules make of people whom others made: claims read again, counted anew, people resolved again. Pure.

Rules only change with the code or with its lists, and such a change is not monotone: a value may link again that was
shared, or be nobody's that was somebody's (identity.md §3.5). Ordinary batches keep what is shared shared; only here it
is asked again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import NamedTuple

from hub.identity import normalise
from hub.identity.causes import Causes
from hub.identity.evidence import BLOCKED, DEVICE, LINK, MAILBOX, SHARED, Claim, may_link
from hub.identity.groups import Groups
from hub.identity.outcome import Changes, Identified, Row, regroup, settle
from hub.identity.resolve import links
from hub.identity.strategies import DEFAULT, Rules

Value = tuple[str, str]
"""Namespace and value of an identifier."""


class Stale(NamedTuple):
    """Identifiers that stand in another state than today's rules may want, by id.

    `unblocked` were nobody's and link now: their claimers have to meet. `shared` have to be counted: where they still
    stand for too many they stay.
    """

    unblocked: dict[bytes, Value]
    shared: dict[bytes, Value]


@dataclass(slots=True)
class Review:
    """What has to be written. `blocked` are identifiers that lead nowhere any more, `values` holds (was, is)."""

    changes: Changes
    blocked: set[bytes] = field(default_factory=set)
    values: dict[Value, tuple[str, str]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.changes.rows or self.changes.profiles)


def is_blocked(namespace: str, value: str) -> bool:
    """Whether a stored value is nobody's in particular today; one that is not read at all any more is nobody's."""
    if namespace in {"email", MAILBOX}:
        mail = normalise.email(value)
        return mail is None or mail.blocked
    if namespace == "phone":
        number = normalise.phone(value, None)
        return number is None or number.blocked
    return namespace == DEVICE and normalise.device(value) is None


def stale(rows: Iterable[Row]) -> Stale:
    """What has to be asked again about these records. Their claims are left as they are."""
    found = Stale({}, {})
    for row in rows:
        for claim in row.known.evidence.claims:
            if claim.state == LINK or is_blocked(claim.namespace, claim.value):
                continue
            if claim.state == SHARED:
                found.shared[claim.identifier] = claim.namespace, claim.value
            elif _may_link(row, claim):
                found.unblocked[claim.identifier] = claim.namespace, claim.value
    return found


def reviewed(
    rows: Mapping[bytes, Row],
    versions: Mapping[bytes, int],
    lines: Mapping[bytes, bytes],
    kept: AbstractSet[bytes],
    rules: Rules = DEFAULT,
) -> Review:
    """What today's rules make of these records, which are changed in place; `rules` are those of the lines.

    The rows are those of whole groups, with every record that links by an identifier of `stale` which is not `kept`:
    that stays shared. `versions` and `lines` are those of every stored profile of the rows.
    """
    review, groups = Review(Changes(rules)), Groups(frozenset())
    before = [(row, claim, claim.state) for row in rows.values() for claim in row.known.evidence.claims]
    for row, claim, was in before:
        claim.state = _today(claim, kept) if was != LINK or is_blocked(claim.namespace, claim.value) else was
        row.dirty = row.dirty or claim.state != was
    _connect(groups, rows.values())
    for row, claim, was in before:
        if was != claim.state == LINK and links(row.known, claim):
            review.changes.identifiers[claim.identifier] = Identified(groups.root(row.group), LINK)
    _settle(review.changes, groups, rows, versions, lines)
    for _, claim, was in before:
        if claim.state != was:
            review.values[claim.namespace, claim.value] = (was, claim.state)
            review.blocked |= {claim.identifier} if claim.state == BLOCKED else set()
    review.changes.rows = [row for row in rows.values() if row.dirty]
    return review


def _today(claim: Claim, kept: AbstractSet[bytes]) -> str:
    if is_blocked(claim.namespace, claim.value):
        return BLOCKED
    return SHARED if claim.state == SHARED and claim.identifier in kept else LINK


def _may_link(row: Row, claim: Claim) -> bool:
    return may_link(claim.namespace, claim.value, trusted=claim.trusted, key=row.known.key)


def _connect(groups: Groups, rows: Iterable[Row]) -> None:
    """Make one group of everybody who links by one value."""
    first: dict[Value, bytes] = {}
    for row in rows:
        for claim in row.known.evidence.claims:
            if links(row.known, claim):
                groups.join(first.setdefault((claim.namespace, claim.value), row.group), row.group)


def _settle(
    changes: Changes,
    groups: Groups,
    rows: Mapping[bytes, Row],
    versions: Mapping[bytes, int],
    lines: Mapping[bytes, bytes],
) -> None:
    members: dict[bytes, list[Row]] = defaultdict(list)
    for row in rows.values():
        members[groups.root(row.group)].append(row)
    for root, found in members.items():
        regroup(changes, root, found)
        settle(changes, root, found, versions, Causes(lines=lines))
