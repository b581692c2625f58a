"""A batch of facts on what is known: what has to be written and told. Pure: rows in, changes out.

The rows must be those of every locked group (identity.md §3.4); the caller writes what is said here and nothing else.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from hub.identity.evidence import LINK, SHARED, Fact, Who, learn
from hub.identity.resolve import MOST_CODES, Known, Person, links, resolve
from hub.identity.strategies import DEFAULT, Rules
from hub.identity.survivorship import line


@dataclass(slots=True)
class Row:
    """A source record as it is stored. `profile` is None for one that was made just now.

    `dirty` asks for it to be written, `grown` says that it claims something new.
    """

    known: Known
    group: bytes
    profile: bytes | None
    activities: int = 0
    dirty: bool = False
    grown: bool = False


@dataclass(frozen=True, slots=True)
class Identified:
    """An identifier as it is stored."""

    group: bytes
    state: str


@dataclass(slots=True)
class Told:
    """A profile to be written: its line without version, its version, and the ids that now lead to it."""

    person: Person
    group: bytes
    line: bytes
    version: int
    is_new: bool
    absorbed: tuple[bytes, ...] = ()


@dataclass(slots=True)
class Changes:
    """What a batch comes to, by `rules`. Ids are 16 bytes; every list is in the order in which it is to be written."""

    rules: Rules = DEFAULT
    rows: list[Row] = field(default_factory=list)
    claims: list[tuple[bytes, bytes, bool]] = field(default_factory=list)
    identifiers: dict[bytes, Identified] = field(default_factory=dict)
    new_groups: list[bytes] = field(default_factory=list)
    dead_groups: list[bytes] = field(default_factory=list)
    profiles: list[Told] = field(default_factory=list)
    dead_profiles: dict[bytes, tuple[bytes, int]] = field(default_factory=dict)
    moved: list[tuple[bytes, bytes, bytes, bytes | None]] = field(default_factory=list)


class Groups:
    """Link groups that become one. A stored group stays before one that is `made` now, so that few rows move."""

    def __init__(self, made: frozenset[bytes]) -> None:
        self._made = made
        self._parent: dict[bytes, bytes] = {}

    def root(self, group: bytes) -> bytes:
        """The id that the group goes by now."""
        while (parent := self._parent.get(group, group)) != group:
            group = parent
        return group

    def join(self, one: bytes, other: bytes) -> None:
        """Make two groups one."""
        stays, goes = sorted((self.root(one), self.root(other)), key=lambda group: (group in self._made, group))
        if stays != goes:
            self._parent[goes] = stays


def outcome(
    rows: Mapping[bytes, Row],
    versions: Mapping[bytes, int],
    identifiers: Mapping[bytes, Identified],
    facts: Iterable[tuple[Fact, Who]],
    rules: Rules = DEFAULT,
) -> Changes:
    """What these facts change. `versions` holds every stored profile of the rows; `rows` is changed in place."""
    changes = Changes(rules)
    groups = Groups(frozenset(row.group for row in rows.values() if row.profile is None))
    causes: dict[bytes, bytes] = {}
    for fact, who in facts:
        row = rows[who.record]
        _learn(changes, row, fact, who)
        causes[row.known.record] = fact.event
    for row in rows.values():
        if row.grown:
            _connect(changes, groups, row, identifiers)
    for root, members in _touched(rows, groups).items():
        if len(members) == 1 and _says_more_of_the_same(members[0]):
            _tell_again(changes, members[0], versions)
            continue
        _regroup(changes, root, members)
        _settle(changes, root, members, versions, causes)
    changes.rows = [row for row in rows.values() if row.dirty]
    return changes


def unsettled(rows: Mapping[bytes, Row]) -> list[bytes]:
    """Records that were made for an event which turned out to be known: nobody has said anything of them."""
    return [record for record, row in rows.items() if row.profile is None]


def _learn(changes: Changes, row: Row, fact: Fact, who: Who) -> None:
    """Fold a fact into its record; note claims that are new, or trusted for the first time."""
    claims = row.known.evidence.claims
    before = [claim.trusted for claim in claims]
    learn(row.known.evidence, fact, who)
    row.activities += 1
    row.dirty = True
    if len(claims) != len(before) or [claim.trusted for claim in claims] != before:
        row.grown = True
        stated = {(claim.namespace, claim.value) for claim in who.claims}
        changes.claims += [
            (claim.identifier, row.known.record, claim.trusted)
            for claim in claims
            if (claim.namespace, claim.value) in stated
        ]


def _connect(changes: Changes, groups: Groups, row: Row, identifiers: Mapping[bytes, Identified]) -> None:
    """Join the record's group with those of its linking identifiers; a value that is shared links nothing."""
    for claim in row.known.evidence.claims:
        identifier = claim.identifier
        stored = changes.identifiers.get(identifier) or identifiers.get(identifier)
        if stored and stored.state == SHARED:
            claim.state = SHARED
        elif links(row.known, claim):
            if stored is None:
                changes.identifiers[identifier] = Identified(row.group, LINK)
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


def _tell_again(changes: Changes, row: Row, versions: Mapping[bytes, int]) -> None:
    """The short way for most events of people who come back: the same person, one version on."""
    one = Person(row.known.record, (row.known,))
    version = versions[one.profile] + 1
    changes.profiles.append(Told(one, row.group, line(one, row.activities, changes.rules), version, is_new=False))


def _regroup(changes: Changes, root: bytes, members: Sequence[Row]) -> None:
    """Move every row and identifier of an absorbed group to the root."""
    stored = {row.group for row in members if row.profile is not None}
    if root not in stored:
        changes.new_groups.append(root)
    changes.dead_groups += sorted(stored - {root})
    for row in members:
        if row.group != root:
            row.group, row.dirty = root, True
            for claim in row.known.evidence.claims:
                if links(row.known, claim):
                    changes.identifiers[claim.identifier] = Identified(root, LINK)


def _settle(
    changes: Changes,
    root: bytes,
    members: Sequence[Row],
    versions: Mapping[bytes, int],
    causes: Mapping[bytes, bytes],
) -> None:
    """Resolve one group again; tell of the people whose records, founder or facts are not what they were.

    `causes` holds a fact's event for each record that one came for. A row may have to be written (its group's new id,
    a value that is shared now) though nobody's line is another.
    """
    by_record = {row.known.record: row for row in members}
    people = _resolve(changes, root, members)
    home = {known.record: one.profile for one in people for known in one.records}
    before = {row.profile for row in members if row.profile is not None}
    gone = before.difference(home.values())
    top = max((versions[profile] for profile in before), default=0)
    parted = {row.profile for row in members if row.profile != home[row.known.record]}
    for one in people:
        rows = [by_record[known.record] for known in one.records]
        came = any(row.profile not in (None, one.profile) for row in rows)
        left = one.profile in parted
        if came or left or any(row.known.record in causes for row in rows):
            base = top if came or left else versions.get(one.profile, top)
            absorbed = tuple(sorted(gone & {known.record for known in one.records}))
            text = line(one, sum(row.activities for row in rows), changes.rules)
            changes.profiles.append(Told(one, root, text, base + 1, one.profile not in versions, absorbed))
    changes.dead_profiles |= {profile: (home[profile], top + 1) for profile in sorted(gone)}
    _move(changes, members, home, next((causes[record] for record in by_record if record in causes), None))


def _resolve(changes: Changes, root: bytes, members: Sequence[Row]) -> list[Person]:
    """The people of a group; claims that turn shared are noted, with their identifiers and rows."""
    linking = [(row, claim) for row in members for claim in row.known.evidence.claims if claim.state == LINK]
    people = resolve([row.known for row in members])
    for row, claim in linking:
        if claim.state == SHARED:
            row.dirty = True
            changes.identifiers[claim.identifier] = Identified(root, SHARED)
    return people


def _move(changes: Changes, members: Sequence[Row], home: Mapping[bytes, bytes], cause: bytes | None) -> None:
    for row in members:
        profile = home[row.known.record]
        if row.profile is not None and row.profile != profile:
            changes.moved.append((row.known.record, row.profile, profile, cause))
        row.dirty = row.dirty or row.profile != profile
        row.profile = profile
