"""A batch of facts on what is known: what has to be written and told. Pure: rows in, changes out.

The rows must be those of every locked group (identity.md §3.4); the caller writes what is said here and nothing else.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import NamedTuple

from hub.identity.causes import Causes
from hub.identity.decisions import Decision, Remark, learn_ruling
from hub.identity.evidence import LINK, SHARED, Fact, Known, Who, learn
from hub.identity.groups import Groups
from hub.identity.remarks import learn_remark
from hub.identity.resolve import MOST_CODES, Person, links, resolve
from hub.identity.strategies import DEFAULT, Rules
from hub.identity.survivorship import lines

MOST_RECORDS = 500
"""Records in one link group beyond which its events take the slow lane (identity.md §3.4, d)."""


@dataclass(slots=True)
class Row:
    """A source record as it is stored. `profile` is None for one of which nothing was heard before this batch.

    `made` says that the row is this transaction's own; `dirty` asks for it to be written, `grown` says that it claims
    something new, `named` that it was known by a decision alone and now has a source, a kind and a key.
    """

    known: Known
    group: bytes
    profile: bytes | None
    activities: int = 0
    made: bool = False
    dirty: bool = False
    grown: bool = False
    named: bool = False


@dataclass(frozen=True, slots=True)
class Identified:
    """An identifier as it is stored."""

    group: bytes
    state: str


@dataclass(slots=True)
class Told:
    """A profile to be written: its line without version, its version, `facts` as in `Lines`, and its owner.

    `absorbed` are ids that lead to it from now on, `parts` ids that came out of it and live from now on.
    """

    person: Person
    group: bytes
    line: bytes
    version: int
    is_new: bool
    absorbed: tuple[bytes, ...] = ()
    parts: tuple[bytes, ...] = ()
    facts: bytes | None = None
    owner: str | None = None


class Moved(NamedTuple):
    """A record that came from one profile (None: it is new) to another, because of an event."""

    record: bytes
    before: bytes | None
    after: bytes
    cause: bytes | None


@dataclass(slots=True)
class Changes:
    """What a batch comes to, by `rules`. Ids are 16 bytes; every list is in the order in which it is to be written."""

    rules: Rules = DEFAULT
    rows: list[Row] = field(default_factory=list)
    claims: list[tuple[bytes, bytes, bool]] = field(default_factory=list)
    identifiers: dict[bytes, Identified] = field(default_factory=dict)
    new_groups: list[bytes] = field(default_factory=list)
    dead_groups: list[bytes] = field(default_factory=list)
    oversize: list[bytes] = field(default_factory=list)
    profiles: list[Told] = field(default_factory=list)
    dead_profiles: dict[bytes, tuple[bytes, int]] = field(default_factory=dict)
    redirects: dict[bytes, tuple[bytes, int]] = field(default_factory=dict)
    moved: list[Moved] = field(default_factory=list)


def outcome(
    rows: Mapping[bytes, Row],
    versions: Mapping[bytes, int],
    identifiers: Mapping[bytes, Identified],
    facts: Iterable[Fact],
    rules: Rules = DEFAULT,
    *,
    causes: Causes | None = None,
) -> Changes:
    """What these facts change. `versions` holds every stored profile of the rows; `rows` is changed in place."""
    changes = Changes(rules)
    groups = Groups(frozenset(row.group for row in rows.values() if row.made))
    causes = causes or Causes()
    for fact in facts:
        if fact.who:
            _learn(changes, rows[fact.who.record], fact, fact.who)
            causes.told[fact.who.record] = fact.event
        elif fact.decision:
            _decide(groups, [rows[record] for record in fact.decision.records], fact, fact.decision)
            causes.decided.update(dict.fromkeys(fact.decision.records, fact.event))
        elif fact.remark:
            _note(causes, rows[fact.remark.record], fact, fact.remark)
    for row in rows.values():
        if row.grown:
            _connect(changes, groups, row, identifiers)
    for root, members in _touched(rows, groups).items():
        if len(members) == 1 and _says_more_of_the_same(members[0]):
            _tell_again(changes, members[0], versions, causes)
            continue
        regroup(changes, root, members)
        settle(changes, root, members, versions, causes)
    changes.rows = [row for row in rows.values() if row.dirty]
    return changes


def unsettled(rows: Mapping[bytes, Row]) -> list[bytes]:
    """Records that were made for an event which turned out to be known: nobody has said anything of them."""
    return [record for record, row in rows.items() if row.made and not row.dirty]


def _learn(changes: Changes, row: Row, fact: Fact, who: Who) -> None:
    """Fold a fact into its record; note claims that are new, or trusted for the first time."""
    if not row.known.kind:
        row.known = Known(who.record, who.source, who.kind, (who.key_namespace, who.key), row.known.evidence)
        row.named = True
    claims = row.known.evidence.claims
    before = [claim.trusted for claim in claims]
    learn(row.known.evidence, fact, who)
    row.activities += 1
    row.dirty = True
    if len(claims) != len(before) or [claim.trusted for claim in claims] != before:
        row.grown = True
        stated = {(claim.namespace, claim.value) for claim in who.claims}
        named = [claim for claim in claims if (claim.namespace, claim.value) in stated]
        changes.claims += [(claim.identifier, row.known.record, claim.trusted) for claim in named]


def _decide(groups: Groups, named: Sequence[Row], fact: Fact, decision: Decision) -> None:
    """Let every record that a decision names keep it; whoever it names is looked at together from now on."""
    for row in named:
        evidence = row.known.evidence
        ruling = decision.ruling(row.known.record, fact.id, fact.at)
        evidence.rulings = learn_ruling(evidence.rulings, ruling)
        row.dirty = row.grown = True
        groups.join(named[0].group, row.group)


def _note(causes: Causes, row: Row, fact: Fact, remark: Remark) -> None:
    """Let a record keep what was set of it; a note or a call is one more of its activities, a task changes nothing."""
    row.dirty = row.dirty or row.made or remark.task is None
    if remark.field:
        causes.set_before.setdefault(row.known.record, dict(row.known.evidence.set))
        learn_remark(row.known.evidence, fact, remark)
    elif remark.task is None:
        causes.noted.add(row.known.record)
        row.activities += 1


def _connect(changes: Changes, groups: Groups, row: Row, identifiers: Mapping[bytes, Identified]) -> None:
    """Join the record's group with those of its linking identifiers; a value that is shared links nothing."""
    for claim in row.known.evidence.claims:
        if links(row.known, claim):
            identifier = claim.identifier
            stored = changes.identifiers.get(identifier) or identifiers.get(identifier)
            if stored is None:
                changes.identifiers[identifier] = Identified(row.group, LINK)
            elif stored.state == SHARED:
                claim.state = SHARED
            else:
                groups.join(stored.group, row.group)


def _touched(rows: Mapping[bytes, Row], groups: Groups) -> dict[bytes, list[Row]]:
    """The rows of every group that a dirty row belongs to now, by the group's root."""
    members: dict[bytes, list[Row]] = defaultdict(list)
    for row in rows.values():
        members[groups.root(row.group)].append(row)
    return {root: found for root, found in members.items() if any(row.dirty for row in found)}


def _says_more_of_the_same(row: Row) -> bool:
    """A record on its own that claims nothing new: nobody can join it, and nothing of it can turn shared."""
    return not row.grown and row.profile == row.known.record and len(row.known.evidence.names) <= MOST_CODES


def _tell_again(changes: Changes, row: Row, versions: Mapping[bytes, int], causes: Causes) -> None:
    """The short way for most events of people who come back: the same person, one version on."""
    one = Person(row.known.record, (row.known,))
    if not causes.set_before or causes.change(one, row.activities, changes.rules):
        text, facts, owner = lines(one, row.activities, changes.rules)
        version = versions[one.profile] + 1
        changes.profiles += [Told(one, row.group, text, version, is_new=False, facts=facts, owner=owner)]


def regroup(changes: Changes, root: bytes, members: Sequence[Row]) -> None:
    """Move every row and identifier of an absorbed group to the root; note a group that has become too large."""
    if len(members) > MOST_RECORDS:
        changes.oversize.append(root)
    stored = {row.group for row in members if not row.made}
    if root not in stored:
        changes.new_groups.append(root)
    changes.dead_groups += sorted(stored - {root})
    for row in members:
        if row.group != root:
            row.group, row.dirty = root, True
            for claim in row.known.evidence.claims:
                if links(row.known, claim):
                    changes.identifiers[claim.identifier] = Identified(root, LINK)


def settle(
    changes: Changes,
    root: bytes,
    members: Sequence[Row],
    versions: Mapping[bytes, int],
    causes: Causes,
) -> None:
    """Resolve one group again; tell of the people whose records, founder or facts are not what they were.

    A row may have to be written (its group's new id, a value that is shared now) though nobody's line is another.
    """
    by_record = {row.known.record: row for row in members}
    people = _resolve(changes, root, members)
    home = {known.record: one.profile for one in people for known in one.records}
    before = {row.profile for row in members if row.profile is not None}
    gone = before.difference(home.values())
    top = max((versions[profile] for profile in before), default=0)
    parted: dict[bytes, set[bytes]] = defaultdict(set)
    for row in members:
        if row.profile is not None and row.profile != home[row.known.record]:
            parted[row.profile].add(home[row.known.record])
    for one in people:
        rows = [by_record[known.record] for known in one.records]
        came, left = any(row.profile not in (None, one.profile) for row in rows), one.profile in parted
        activities = sum(row.activities for row in rows)
        if came or left or causes.change(one, activities, changes.rules):
            stored = top if came or left else versions.get(one.profile, top)
            version = max(stored, by_record[one.profile].known.evidence.floor) + 1
            absorbed = tuple(sorted(gone & {known.record for known in one.records}))
            parts = tuple(sorted(parted[one.profile] - before)) if left else ()
            text, facts, owner = lines(one, activities, changes.rules)
            is_new = one.profile not in versions
            changes.profiles += [Told(one, root, text, version, is_new, absorbed, parts, facts, owner)]
    changes.dead_profiles |= {profile: (home[profile], top + 1) for profile in sorted(gone & home.keys())}
    changes.redirects |= _moved_on(members, home, gone, top + 1)
    _move(changes, members, home, causes)


def _moved_on(
    members: Sequence[Row], home: Mapping[bytes, bytes], gone: AbstractSet[bytes], version: int
) -> dict[bytes, tuple[bytes, int]]:
    """Records that are somebody else's now: an id that one of them once gave leads there from now on.

    Told of every one, so that each id leads to a living profile in one step, whoever comes apart again later.
    """
    return {
        row.known.record: (home[row.known.record], version)
        for row in members
        if row.profile is not None
        and home[row.known.record] not in {row.profile, row.known.record}
        and row.known.record not in gone
    }


def _resolve(changes: Changes, root: bytes, members: Sequence[Row]) -> list[Person]:
    """The people of a group; claims that turn shared are noted, with their identifiers and rows."""
    linking = [(row, claim) for row in members for claim in row.known.evidence.claims if claim.state == LINK]
    people = resolve([row.known for row in members])
    for row, claim in linking:
        if claim.state == SHARED:
            row.dirty = True
            changes.identifiers[claim.identifier] = Identified(root, SHARED)
    return people


def _move(changes: Changes, members: Sequence[Row], home: Mapping[bytes, bytes], causes: Causes) -> None:
    """Note who belongs to another profile than before; a new record that founds its own belongs to it by nature."""
    moved = [row for row in members if home.get(row.known.record) not in {None, row.profile or row.known.record}]
    cause = causes.of(row.known.record for row in members) if moved else None
    changes.moved += [Moved(row.known.record, row.profile, home[row.known.record], cause) for row in moved]
    for row in members:
        profile = home.get(row.known.record)
        row.dirty = row.dirty or row.profile != profile
        row.profile = profile
