"""Which rows a batch may touch: made where missing, locked in one order, then read (identity.md §3.4)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from hub.errors import Retry
from hub.identity.evidence import LINK, SHARED, ClaimOf, Fact, Who
from hub.identity.outcome import Identified, Row
from hub.identity.resolve import links
from hub.storage import profiles
from hub.storage.pool import Connection

_MOST_TRIES = 6

Locked = tuple[dict[bytes, Row], dict[bytes, int], dict[bytes, Identified]]
Claims = dict[tuple[bytes, bytes], ClaimOf]
"""(record, identifier) → what was said; only words that may join the record with others."""


async def lock(transaction: Connection, facts: Iterable[Fact]) -> Locked:
    """Every record of every group that these facts may touch, locked; their profiles' versions; their new identifiers.

    A group may be absorbed by somebody else before we hold its lock: then what is read after locking names another
    one. The savepoint gives the locks back, and we lock what it says now. Raises Retry where that never settles.
    """
    scope = _Scope(facts)
    if not scope.named:
        return {}, {}, {}
    await scope.begin(transaction)
    for _ in range(_MOST_TRIES):
        savepoint = transaction.transaction()
        await savepoint.start()
        held = scope.locks | scope.records
        await profiles.lock_groups(transaction, scope.locks)
        rows, versions = await profiles.load(transaction, held, scope.records)
        await scope.look(transaction)
        if scope.named.keys() <= rows.keys() and scope.locks <= held and not scope.unclaimed(rows):
            await savepoint.commit()
            return rows, versions, scope.known
        await savepoint.rollback()
        await scope.look_again(transaction, rows)
    raise Retry("the groups of this batch keep moving", after=0.05)


class _Scope:
    """What a batch names, and what of it was made in this transaction.

    A record and the identifiers that it links by are in one group, so only identifiers that a record has not linked by
    before are looked up: all of a new record's, and what its rows show to be new of a known one.
    """

    def __init__(self, facts: Iterable[Fact]) -> None:
        self.named: dict[bytes, Who] = {}
        self._said: dict[bytes, dict[bytes, ClaimOf]] = defaultdict(dict)
        for fact in facts:
            if fact.who:
                self.named[fact.who.record] = fact.who
                self._said[fact.who.record] |= _linking(fact, fact.who)
        self.groups: dict[bytes, bytes] = {}
        self.known: dict[bytes, Identified] = {}
        self.records: set[bytes] = set()
        self._claims: Claims = {}
        self._identifiers: set[bytes] = set()

    async def begin(self, transaction: Connection) -> None:
        """Find the records; make those that are missing, and their identifiers."""
        self.groups = await profiles.groups_of(transaction, self.named)
        strangers = {record: who for record, who in self.named.items() if record not in self.groups}
        if strangers:
            await self._claim(transaction, {(r, i): claim for r in strangers for i, claim in self._said[r].items()})
            self.records = await profiles.insert_records(transaction, strangers)
            if len(self.records) < len(strangers):
                self.groups = await profiles.groups_of(transaction, self.named)
            self.groups |= {record: record for record in self.records}

    async def look_again(self, transaction: Connection, rows: Mapping[bytes, Row]) -> None:
        """The locks were not enough (and are given back): find where everything is now, make what is missing."""
        self.groups = await profiles.groups_of(transaction, self.named)
        await self._claim(transaction, self._claims | self.unclaimed(rows))

    async def _claim(self, transaction: Connection, claims: Claims) -> None:
        self._claims = claims
        await self.look(transaction)
        missing = {
            identifier: (claim.namespace, claim.value, self.groups.get(record, record))
            for (record, identifier), claim in claims.items()
            if identifier not in self.known and identifier not in self._identifiers
        }
        if missing:
            self._identifiers |= await profiles.insert_identifiers(transaction, missing)
            await self.look(transaction)

    async def look(self, transaction: Connection) -> None:
        """Read where the claimed identifiers are. One that is ours alone says nothing yet."""
        if self._claims:
            found = await profiles.identified(transaction, {identifier for _, identifier in self._claims})
            self.known = {i: one for i, one in found.items() if i not in self._identifiers}

    def unclaimed(self, rows: Mapping[bytes, Row]) -> Claims:
        """Identifiers that these events add to known records."""
        return {
            (record, identifier): claim
            for record, claims in self._said.items()
            if record in rows
            for identifier, claim in claims.items()
            if (record, identifier) not in self._claims and not _is_connected(rows[record], claim)
        }

    @property
    def locks(self) -> set[bytes]:
        """The groups to be locked: those of every record and identifier that is not our own making."""
        linked = {one.group for one in self.known.values() if one.state == LINK}
        return {*self.groups.values(), *linked} - self.records


def _linking(fact: Fact, who: Who) -> dict[bytes, ClaimOf]:
    """What this fact says that may join its record with others: a trusted word, or the record's own key."""
    return {
        claim.identifier: claim
        for claim in who.claims
        if not claim.blocked and (fact.trusted or (claim.namespace, claim.value) == (who.key_namespace, who.key))
    }


def _is_connected(row: Row, said: ClaimOf) -> bool:
    return any(
        claim.value == said.value
        and claim.namespace == said.namespace
        and (claim.state == SHARED or links(row.known, claim))
        for claim in row.known.evidence.claims
    )
