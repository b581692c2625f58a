"""The profiles room without PostgreSQL: facts by hand, the same phases on dictionaries, and the people of a whole set.

`Memory` takes batches as `consumers.profiles` does: it locks no more groups than that does, and hands `outcome` no more
rows. `whole` sees everything at once, without groups. The two must agree, whatever the order and the batches.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import NamedTuple

import msgspec
import orjson

from hub.clock import text
from hub.identity.decisions import SAME, Decision, Erasure, learn_ruling
from hub.identity.erasure import living
from hub.identity.evidence import (
    LINK,
    SHARED,
    Evidence,
    Fact,
    Known,
    Who,
    Words,
    learn,
    needs_event,
    recognise,
    unheard,
)
from hub.identity.ids import as_text, event_id
from hub.identity.outcome import Changes, Identified, Row, outcome
from hub.identity.remarks import learn_remark
from hub.identity.resolve import Person, resolve
from hub.identity.survivorship import Lines, lines
from schemas.envelope import ERASED

FIRST_DAY = datetime(2024, 1, 1, 12, tzinfo=UTC)
PUBLIC = {"web"}
"""Sources of these facts whose proof is public; everybody else's word is trusted."""
_numbers = count()
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Evidence).decode


def day(number: int) -> str:
    """Noon of a day, counted from the first of 2024."""
    return text(FIRST_DAY + timedelta(days=number - 1))


def fact(source: str, words: Words, at: str = day(1), *, trusted: bool | None = None, natural_id: str = "") -> Fact:
    """What a source says of a person. One natural id is one event; without, each call makes another."""
    event = event_id(source, natural_id or f"fact {next(_numbers)}")
    trusted = source not in PUBLIC if trusted is None else trusted
    who = recognise(source, words, None)
    if who and needs_event(who):
        who = recognise(source, words, event)
    kind = "form.submitted" if source in PUBLIC else "contact.updated"
    contact = {name: value for name, value in words._asdict().items() if value and name not in {"region", "traits"}}
    payload = orjson.dumps({"contact": contact})
    return Fact(event, as_text(event), kind, source, at, at, trusted, spam=False, payload=payload, who=who)


def record(one: Fact) -> bytes:
    """The record that a fact is about."""
    assert one.who
    return one.who.record


def decided(
    verdict: str,
    near: Iterable[bytes],
    far: Iterable[bytes] = (),
    at: str = day(1),
    *,
    withdraws: Iterable[Fact] = (),
    keeps: tuple[tuple[str, ...], tuple[str, ...]] = ((), ()),
    natural_id: str = "",
) -> Fact:
    """What a person decided of these records."""
    event = event_id("hub", natural_id or f"decision {next(_numbers)}")
    said = Decision(verdict, (tuple(near), tuple(far)), tuple(one.id for one in withdraws), keeps)
    payload = b'{"decision":"%s"}' % verdict.encode()
    return Fact(
        event,
        as_text(event),
        "records.decided",
        "hub",
        at,
        at,
        trusted=True,
        spam=False,
        payload=payload,
        who=None,
        decision=said,
    )


class Shown(NamedTuple):
    """What a set of facts comes to: the export's lines in order, the same without what rules set, and the identifiers
    that stand for nobody.
    """

    lines: tuple[bytes, ...]
    facts: tuple[bytes, ...]
    shared: frozenset[bytes]


def learned(facts: Iterable[Fact]) -> tuple[list[Known], dict[bytes, int]]:
    """The records of these facts, and how many events each has; repeats count once."""
    records: dict[bytes, Known] = {}
    counts: dict[bytes, int] = {}
    said = {one.event: one for one in facts}.values()
    until = until_of(said)
    for one in (living(one, until) for one in said):
        if one.who:
            known = records.get(one.who.record, _bare(one.who))
            known = records[one.who.record] = _bare(one.who)._replace(evidence=known.evidence)
            learn(known.evidence, one, one.who)
            counts[one.who.record] = counts.get(one.who.record, 0) + 1
        if one.decision:
            for record in one.decision.records:
                known = records.setdefault(record, _bare(unheard(record)))
                ruling = one.decision.ruling(record, one.id, one.at)
                known.evidence.rulings = learn_ruling(known.evidence.rulings, ruling)
        if one.remark:
            known = records.setdefault(one.remark.record, _bare(unheard(one.remark.record)))
            learn_remark(known.evidence, one, one.remark)
            counts[known.record] = counts.get(known.record, 0) + (not one.remark.field and one.remark.task is None)
    return list(records.values()), counts


def erased(
    records: Iterable[bytes], identifiers: Iterable[bytes] = (), at: str = day(1), *, natural_id: str = ""
) -> Fact:
    """Somebody is to be forgotten."""
    event = event_id("hub", natural_id or f"erasure {next(_numbers)}")
    gone = Erasure(tuple(records), tuple(identifiers))
    said = decided(SAME, (), at=at)
    return said._replace(event=event, id=as_text(event), type=ERASED, payload=b"{}", decision=None, erasure=gone)


def until_of(facts: Iterable[Fact]) -> dict[bytes, str]:
    """Until when whom these facts name is erased."""
    until: dict[bytes, str] = {}
    for one in facts:
        if one.erasure:
            for key in (*one.erasure.records, *one.erasure.identifiers):
                until[key] = max(one.at, until.get(key, ""))
    return until


def people(facts: Iterable[Fact]) -> list[Person]:
    """Who these facts are about, by one look at all of them."""
    records, _ = learned(facts)
    return resolve(records) if records else []


def whole(facts: Iterable[Fact]) -> Shown:
    """What the whole set comes to."""
    records, counts = learned(facts)
    persons = resolve(records) if records else []
    told = [lines(one, sum(counts[known.record] for known in one.records)) for one in persons]
    claims = (claim for known in records for claim in known.evidence.claims)
    shared = frozenset(claim.identifier for claim in claims if claim.state == SHARED)
    return Shown(tuple(one.line for one in told), tuple(map(facts_of, told)), shared)


def facts_of(told: Lines) -> bytes:
    """What `--facts` prints of a person."""
    return told.facts or told.line


def _bare(who: Who) -> Known:
    return Known(who.record, who.source, who.kind, (who.key_namespace, who.key), Evidence())


@dataclass
class Stored:
    """A row of `source_record`; its evidence as the text that is stored."""

    known: Known
    group: bytes
    profile: bytes | None
    activities: int
    evidence: bytes

    def row(self) -> Row:
        """The row as it is read: nothing that a batch changes in it reaches what is stored."""
        return Row(self.known._replace(evidence=_decode(self.evidence)), self.group, self.profile, self.activities)


class Told(NamedTuple):
    """A row of `profile`."""

    group: bytes
    version: int
    line: bytes
    facts: bytes | None = None


@dataclass
class Memory:
    """The tables, and what was told under each profile id: versions in order, redirects included."""

    records: dict[bytes, Stored] = field(default_factory=dict)
    identifiers: dict[bytes, Identified] = field(default_factory=dict)
    groups: set[bytes] = field(default_factory=set)
    profiles: dict[bytes, Told] = field(default_factory=dict)
    marks: set[bytes] = field(default_factory=set)
    versions: dict[bytes, list[int]] = field(default_factory=dict)

    def batch(self, facts: Sequence[Fact]) -> Changes:
        """One batch through `outcome`; whatever it says is written, and nothing else."""
        fresh = {one.event: one for one in reversed(facts) if one.event not in self.marks}
        self.marks |= fresh.keys()
        ordered = sorted(fresh.values(), key=lambda one: (one.at, one.event))
        said = [(one, one.who) for one in ordered if one.who]
        named = {record: unheard(record) for one in ordered if one.decision for record in one.decision.records}
        named |= {one.remark.record: unheard(one.remark.record) for one in ordered if one.remark}
        named |= {who.record: who for _, who in said}
        known = {
            claim.identifier: self.identifiers[claim.identifier]
            for one, who in said
            for claim in who.claims
            if claim.identifier in self.identifiers
            and claim.links(trusted=one.trusted, key=(who.key_namespace, who.key))
        }
        held = {one.group for one in known.values() if one.state == LINK}
        held |= {self.records[record].group for record in named if record in self.records}
        assert held <= self.groups, "a lock row that does not exist: whoever waits for it waits for ever"
        rows = {record: one.row() for record, one in self.records.items() if one.group in held}
        for record, who in named.items():
            rows.setdefault(record, Row(_bare(who), record, None, made=True))
        versions = {row.profile: self.profiles[row.profile].version for row in rows.values() if row.profile}
        changes = outcome(rows, versions, known, ordered)
        self._write(changes)
        return changes

    def _write(self, changes: Changes) -> None:
        for row in changes.rows:
            assert (row.profile is None) is (not row.known.kind)
            bare = row.known._replace(evidence=Evidence())
            self.records[row.known.record] = Stored(
                bare, row.group, row.profile, row.activities, _encode(row.known.evidence)
            )
        self.identifiers |= changes.identifiers
        self.groups = (self.groups | set(changes.new_groups)) - set(changes.dead_groups)
        for profile, (_, version) in changes.dead_profiles.items():
            del self.profiles[profile]
            self.versions[profile].append(version)
        for record, (_, version) in changes.redirects.items():
            self.versions.setdefault(record, []).append(version)
        for told in changes.profiles:
            profile = told.person.profile
            assert told.is_new is (profile not in self.profiles)
            self.profiles[profile] = Told(told.group, told.version, told.line, told.facts)
            self.versions.setdefault(profile, []).append(told.version)

    def shown(self) -> Shown:
        """What has been told so far."""
        shared = frozenset(identifier for identifier, one in self.identifiers.items() if one.state == SHARED)
        told = [one for _, one in sorted(self.profiles.items())]
        return Shown(tuple(one.line for one in told), tuple(one.facts or one.line for one in told), shared)

    def check(self) -> None:
        """The audit that a database without foreign keys needs."""
        assert {one.group for one in self.records.values()} == self.groups
        assert {one.group for one in self.identifiers.values() if one.state == LINK} <= self.groups
        assert {one.profile for one in self.records.values() if one.profile} == self.profiles.keys()
        for profile, told in self.profiles.items():
            assert self.records[profile].profile == profile, "a profile bears its founder's id"
            members = [one for one in self.records.values() if one.profile == profile]
            assert msgspec.json.decode(told.line)["activities"] == sum(one.activities for one in members)
        for versions in self.versions.values():
            assert versions == sorted(set(versions)), "a version rises each time"


def together(persons: Iterable[Person]) -> set[frozenset[str]]:
    """The people as sets of records, each as people would say it."""
    return {frozenset(spoken(known) for known in one.records) for one in persons}


def spoken(known: Known) -> str:
    """A record for people: its source and key, and the given names that it said."""
    given = "/".join(name.given for name in known.evidence.names)
    return f"{known.source}:{known.key[1]}:{given}" if given else f"{known.source}:{known.key[1]}"
