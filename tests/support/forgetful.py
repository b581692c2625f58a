"""The profiles room without PostgreSQL, where people are erased: the phases of `consumers.erasing` on dictionaries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from hub.identity.erasure import again, living
from hub.identity.evidence import LINK, Evidence, Fact, Known
from hub.identity.forgetting import Forgotten, Said, Scope, Sifted, forget, sift
from hub.identity.outcome import Changes, Row
from tests.support.memory import Memory, Stored, until_of


@dataclass
class Forgetful(Memory):
    """`said` holds every fact that counts, `until` who is erased, `gone` the ids that were told to be nobody's."""

    said: dict[bytes, Said] = field(default_factory=dict)
    until: dict[bytes, str] = field(default_factory=dict)
    gone: set[bytes] = field(default_factory=set)

    def batch(self, facts: Sequence[Fact]) -> Changes:
        """One batch; erasures wait until it is written, as they do in the slow lane."""
        fresh = [one for one in facts if one.event not in self.marks]
        counting = [(one, living(one, self.until)) for one in fresh if not one.erasure]
        self.said |= {one.event: Said(now.record, one) for one, now in counting if now.record}
        changes = super().batch([now for _, now in counting])
        for one in {one.event: one for one in fresh if one.erasure}.values():
            self.marks.add(one.event)
            self.erase(one)
        return changes

    def erase(self, fact: Fact) -> None:
        """Forget whom the fact names."""
        assert fact.erasure
        for key, at in until_of([fact]).items():
            self.until[key] = max(at, self.until.get(key, ""))
        named, identifiers = frozenset(fact.erasure.records), frozenset(fact.erasure.identifiers)
        reached = {*named, *map(again, self.until)}
        reached |= {record for record, one in self.records.items() if identifiers & _claims(one)}
        sifted = sift([one for one in self.said.values() if one.record in reached], named, self.until)
        found = forget(self._scope(sifted), sifted, self.until, fact.event)
        claimed = {one for record in sifted.touched & self.records.keys() for one in _claims(self.records[record])}
        self._take_out(sifted, found)
        self._write(found.changes)
        self._drop(claimed, found.unlinked)

    def _scope(self, sifted: Sifted) -> Scope:
        left = [one.who for one in sifted.left if one.who]
        claims = {claim.identifier for who in left for claim in who.claims}
        known = {one: self.identifiers[one] for one in claims if one in self.identifiers}
        held = {one.group for record, one in self.records.items() if record in sifted.records}
        held |= {one.group for one in known.values()}
        rows = {record: one.row() for record, one in self.records.items() if one.group in held}
        for who in left:
            bare = Known(who.record, who.source, who.kind, (who.key_namespace, who.key), Evidence())
            rows.setdefault(who.record, Row(bare, who.record, None, made=True))
        homes = {row.profile: self.profiles[row.profile] for row in rows.values() if row.profile}
        lines = {profile: one.line for profile, one in homes.items()}
        return Scope(rows, {profile: one.version for profile, one in homes.items()}, lines, known)

    def _take_out(self, sifted: Sifted, found: Forgotten) -> None:
        for event in sifted.lost:
            del self.said[event]
        for event, record in sifted.moved.items():
            self.said[event] = self.said[event]._replace(record=record)
        for record in found.gone:
            self.profiles.pop(record, None)
            if record not in found.bare:
                del self.records[record]
        self.gone |= found.gone - found.bare

    def _drop(self, claimed: set[bytes], unlinked: frozenset[bytes]) -> None:
        homes = {one.group for one in self.records.values()}
        still = {identifier for one in self.records.values() for identifier in _claims(one)}
        for one in claimed & self.identifiers.keys():
            stored = self.identifiers[one]
            if one not in still or (stored.state == LINK and one in unlinked):
                del self.identifiers[one]
        self.groups &= homes


def _claims(one: Stored) -> set[bytes]:
    return {claim.identifier for claim in one.row().known.evidence.claims}
