"""An erasure on what is known: what goes, what stays, and who is who without it. Pure: rows in, changes out.

What a record said is folded into its evidence and cannot be taken out again, so the records that an erasure reaches are
made anew from those of their events that are left.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import NamedTuple

from hub.identity.causes import Causes
from hub.identity.erasure import Until, living, ruling_without
from hub.identity.evidence import SHARED, Evidence, Fact, Known
from hub.identity.outcome import Changes, Identified, Row, outcome
from hub.identity.resolve import links
from hub.identity.strategies import DEFAULT, Rules


class Scope(NamedTuple):
    """What is known: the rows of every group of `Sifted.records`, and new ones where there was none, the version and
    the line of each of their profiles, and the stored identifiers that the facts which are left claim.
    """

    rows: dict[bytes, Row]
    versions: Mapping[bytes, int]
    lines: Mapping[bytes, bytes]
    identifiers: Mapping[bytes, Identified]


class Said(NamedTuple):
    """A written fact, and the record that it stands under."""

    record: bytes
    fact: Fact


@dataclass(frozen=True, slots=True)
class Sifted:
    """What becomes of the facts of some records. `touched` are the records that lose something.

    `lost` holds the events that are nobody's from now on, `moved` those that belong to another record, `left` the
    facts that the touched records are made anew of.
    """

    touched: AbstractSet[bytes]
    lost: list[bytes] = field(default_factory=list)
    moved: dict[bytes, bytes] = field(default_factory=dict)
    left: list[Fact] = field(default_factory=list)

    @property
    def records(self) -> set[bytes]:
        """Every record that has to be read."""
        return {*self.touched, *(fact.record for fact in self.left if fact.record)}


@dataclass(frozen=True, slots=True)
class Forgotten:
    """Who is who without what was erased. Under the ids in `gone` there is nobody; `bare` are those of them whose row
    stays, because something of it may come to count again. `groups` are those that everybody was in, `unlinked` the
    identifiers that no record links by any more.
    """

    changes: Changes
    groups: frozenset[bytes]
    unlinked: frozenset[bytes]
    gone: frozenset[bytes]
    bare: frozenset[bytes]


def sift(said: Iterable[Said], named: AbstractSet[bytes], until: Until) -> Sifted:
    """Which facts of these records are erased; the records in `named` are touched whatever they said."""
    told = [(one, living(one.fact, until)) for one in said]
    changed = {one.record for one, now in told if now.record != one.record}
    found = Sifted(named | changed)
    for one, now in told:
        if now.record is None:
            found.lost.append(one.fact.event)
        elif now.record != one.record:
            found.moved[one.fact.event] = now.record
        if now.record and one.record in found.touched:
            found.left.append(now)
    return found


def forget(scope: Scope, sifted: Sifted, until: Until, cause: bytes, rules: Rules = DEFAULT) -> Forgotten:
    """What is to be written; the rows are changed in place. `cause` is the erasure's event.

    An id that was erased itself goes for good. One that only lost its words keeps a bare row, with the version that
    it was last told of: should somebody speak under it later, nobody takes that for old news.
    """
    linked = _linked(row for record, row in scope.rows.items() if record in sifted.touched)
    groups = frozenset(row.group for row in scope.rows.values() if not row.made)
    speaking = {fact.who.record for fact in sifted.left if fact.who}
    gone = frozenset(record for record in sifted.touched & scope.rows.keys() if record not in speaking)
    bare = gone.difference(until)
    stay = {record: row for record, row in scope.rows.items() if record not in gone or record in bare}
    newest = max(scope.versions.values(), default=0) + 1
    for record, row in stay.items():
        rulings = [ruling_without(one, until) for one in row.known.evidence.rulings]
        if record in bare:
            row.known = Known(record, "", "", ("", ""), Evidence(rulings=rulings, floor=newest))
            row.profile, row.activities, row.named = None, 0, True
        elif record in sifted.touched:
            floor = row.known.evidence.floor
            row.known = row.known._replace(evidence=Evidence(rulings=rulings, floor=floor))
            row.activities = 0
        else:
            row.known.evidence.rulings = rulings
        row.dirty = row.grown = True
    known = _held(scope.identifiers, stay.values())
    changes = outcome(stay, scope.versions, known, _in_order(sifted.left), rules, causes=Causes(lines=scope.lines))
    changes.moved = [one._replace(cause=one.cause or cause) for one in changes.moved]
    return Forgotten(changes, groups, linked - _linked(stay.values()), gone, bare)


def _linked(rows: Iterable[Row]) -> frozenset[bytes]:
    claims = ((row, claim) for row in rows for claim in row.known.evidence.claims)
    return frozenset(claim.identifier for row, claim in claims if links(row.known, claim))


def _held(identifiers: Mapping[bytes, Identified], rows: Iterable[Row]) -> Mapping[bytes, Identified]:
    """The identifiers as they are known to whoever stays: a group that everybody left leads nowhere any more."""
    groups = {row.group for row in rows}
    return {key: one for key, one in identifiers.items() if one.state == SHARED or one.group in groups}


def _in_order(facts: Iterable[Fact]) -> list[Fact]:
    return sorted(facts, key=lambda fact: (fact.at, fact.event))
