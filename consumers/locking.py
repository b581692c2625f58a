"""Which rows a batch may touch: made where missing, locked in one order, then read (identity.md §3.4)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from hub.errors import Retry
from hub.identity.evidence import LINK, SHARED, ClaimOf, Fact, Who, unheard
from hub.identity.outcome import Identified, Row
from hub.identity.resolve import links
from hub.storage import profiles
from hub.storage.pool import Connection

_MOST_TRIES = 6


class Locked(NamedTuple):
    """Every record that a batch may touch, locked; their profiles' versions; its new identifiers as they are stored.

    `made` holds the identifiers that were made just now: one that nobody comes to claim has to go again. `aside` holds
    the facts that lead to a group which is too large for an ordinary batch.
    """

    rows: dict[bytes, Row]
    versions: dict[bytes, int]
    identifiers: dict[bytes, Identified]
    made: frozenset[bytes]
    aside: tuple[Fact, ...] = ()


Claims = dict[tuple[bytes, bytes], ClaimOf]
"""(record, identifier) → what was said; only words that may join the record with others."""


async def lock(transaction: Connection, facts: Sequence[Fact], *, slow: bool = False) -> Locked:
    """Make what is missing, lock every group that these facts may touch, and read what is known.

    A group may be absorbed by somebody else before we hold its lock, and a known record may turn out to claim something
    new. Then everything made and locked is given back, and we begin again with what we know now: whoever waits holds
    nothing of a later phase. Unless this is the slow lane, facts that lead to an oversize group are put aside.
    Raises Retry where that never settles.
    """
    scope, aside = _Scope(facts), list[Fact]()
    for _ in range(_MOST_TRIES):
        if not scope.named:
            return Locked({}, {}, {}, frozenset(), tuple(aside))
        savepoint = transaction.transaction()
        await savepoint.start()
        await scope.make(transaction)
        held = scope.locks | scope.records
        oversize = await profiles.lock_groups(transaction, scope.locks)
        if oversize and not slow:
            large, facts = scope.part(facts, oversize)
            aside += large
            await savepoint.rollback()
            scope = _Scope(facts)
            continue
        rows, versions = await profiles.load(transaction, held, scope.records)
        await scope.look(transaction)
        unclaimed = scope.unclaimed(rows)
        if scope.named.keys() <= rows.keys() and scope.locks <= held and not unclaimed:
            await savepoint.commit()
            return Locked(rows, versions, scope.known, frozenset(scope.identifiers), tuple(aside))
        await savepoint.rollback()
        scope.added |= unclaimed
    raise Retry("the groups of this batch keep moving", after=0.05)


class _Scope:
    """What a batch names, and what of it was made in this transaction.

    A record and the identifiers that it links by are in one group, so only identifiers that a record has not linked by
    before are looked up: all of a new record's, and what its rows show to be `added` by a known one.
    """

    def __init__(self, facts: Iterable[Fact]) -> None:
        self.named: dict[bytes, Who] = {}
        self._said: dict[bytes, dict[bytes, ClaimOf]] = defaultdict(dict)
        for fact in facts:
            if fact.who:
                self.named[fact.who.record] = fact.who
                self._said[fact.who.record] |= _linking(fact, fact.who)
            for record in () if fact.who else names(fact):
                self.named.setdefault(record, unheard(record))
        self.groups: dict[bytes, bytes] = {}
        self.known: dict[bytes, Identified] = {}
        self.records: set[bytes] = set()
        self.identifiers: set[bytes] = set()
        self.added: Claims = {}
        self._claims: Claims = {}

    async def make(self, transaction: Connection) -> None:
        """Find the records; make what is missing, identifiers first."""
        self.records, self.identifiers = set(), set()
        self.groups = await profiles.groups_of(transaction, self.named)
        strangers = {record: who for record, who in self.named.items() if record not in self.groups}
        self._claims = self.added | {(r, i): claim for r in strangers for i, claim in self._said[r].items()}
        await self.look(transaction)
        missing = {
            identifier: (claim.namespace, claim.value, self.groups.get(record, record))
            for (record, identifier), claim in self._claims.items()
            if identifier not in self.known
        }
        if missing:
            self.identifiers = await profiles.insert_identifiers(transaction, missing)
            await self.look(transaction)
        if strangers:
            self.records = await profiles.insert_records(transaction, strangers)
            if len(self.records) < len(strangers):
                self.groups = await profiles.groups_of(transaction, self.named)
            self.groups |= {record: record for record in self.records}
        shared = [identifier for identifier, one in self.known.items() if one.state == SHARED]
        if shared:
            await profiles.count_on_shared(transaction, shared)

    async def look(self, transaction: Connection) -> None:
        """Read where the claimed identifiers are. One that is ours alone says nothing yet."""
        self.known = {}
        if self._claims:
            found = await profiles.identified(transaction, {identifier for _, identifier in self._claims})
            self.known = {i: one for i, one in found.items() if i not in self.identifiers}

    def unclaimed(self, rows: Mapping[bytes, Row]) -> Claims:
        """Identifiers that these events add to known records."""
        return {
            (record, identifier): claim
            for record, claims in self._said.items()
            if record in rows
            for identifier, claim in claims.items()
            if (record, identifier) not in self._claims and not _is_connected(rows[record], claim)
        }

    def part(self, facts: Sequence[Fact], groups: Collection[bytes]) -> tuple[list[Fact], list[Fact]]:
        """The facts that lead to one of these groups, and the others."""
        large = {record for record in self.named if self.groups.get(record) in groups}
        found = {identifier for identifier, one in self.known.items() if one.group in groups}
        large |= {record for record, identifier in self._claims if identifier in found}
        leads = [bool(large & names(fact)) for fact in facts]
        return [fact for fact, led in zip(facts, leads, strict=True) if led], [
            fact for fact, led in zip(facts, leads, strict=True) if not led
        ]

    @property
    def locks(self) -> set[bytes]:
        """The groups to be locked: those of every record and identifier that is not our own making."""
        linked = {one.group for one in self.known.values() if one.state == LINK}
        return {*self.groups.values(), *linked} - self.records


def names(fact: Fact) -> set[bytes]:
    """The records that a fact is about."""
    if fact.decision:
        return set(fact.decision.records)
    return {fact.record} if fact.record else set()


def _linking(fact: Fact, who: Who) -> dict[bytes, ClaimOf]:
    """What this fact says that may join its record with others: a trusted word, or the record's own key."""
    return {
        claim.identifier: claim
        for claim in who.claims
        if claim.links(trusted=fact.trusted, key=(who.key_namespace, who.key))
    }


def _is_connected(row: Row, said: ClaimOf) -> bool:
    return any(
        claim.value == said.value
        and claim.namespace == said.namespace
        and (claim.state == SHARED or links(row.known, claim))
        for claim in row.known.evidence.claims
    )
