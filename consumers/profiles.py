"""Inbound events → one profile per person: the only writer of identity and profiles.

Reading and deciding are pure (`consumers.reading`, `hub.identity`); this is the order of the phases, nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

import msgspec
import orjson

from consumers.erasing import erase
from consumers.locking import lock
from consumers.reading import read
from consumers.telling import states
from hub.components import Hints, Record
from hub.identity.erasure import keys, living
from hub.identity.evidence import Fact
from hub.identity.ids import as_text
from hub.identity.outcome import Row, outcome, unsettled
from hub.identity.strategies import DEFAULT, Rules
from hub.storage import dead_letters, erasure, history, outbox, profiles, slow_lane, tasks
from hub.storage.outbox import Message
from hub.storage.pool import Connection
from schemas.topics import ACTIVITIES, INBOUND

GROUP = "profiles"
_raw = msgspec.Raw


class Profiles:
    """The `hub.components.Work` of the group `profiles`.

    `regions` holds the country of each source's phones, `prefix` is Kafka's, `rules` say which statement counts.
    """

    group = GROUP
    topics = tuple(topic.name for topic in INBOUND)

    def __init__(
        self, hints: Hints, regions: Mapping[str, str | None], prefix: str = "", rules: Rules = DEFAULT
    ) -> None:
        self._hints = hints
        self._letters_of = prefix + GROUP
        self._regions = dict(regions)
        self._rules = rules

    def read(self, record: Record) -> Fact:
        """One record, decoded. Raises Reject."""
        return read(record, self._regions)

    async def write(self, transaction: Connection, items: Sequence[Fact]) -> None:
        """Who is this, what is new of them, and whom to tell: in one transaction, whatever the batch holds.

        Facts that lead to a group which is too large for that are put aside for the slow lane, and so are erasures.
        """
        await self._write(transaction, items, slow=False)

    async def write_all(self, transaction: Connection, items: Sequence[Fact]) -> None:
        """As `write`, however large a group is; no erasures."""
        await self._write(transaction, items, slow=True)

    async def erase(self, transaction: Connection, one: Fact) -> None:
        """Forget whom the fact says. Raises Retry where that has to wait for longer than a lock may."""
        await erase(transaction, one, self._regions, self._rules)

    async def _write(self, transaction: Connection, items: Sequence[Fact], *, slow: bool) -> None:
        unique = {fact.event: fact for fact in reversed(items)}
        facts = await _living(transaction, [fact for fact in unique.values() if fact.erasure is None])
        rows, versions, identifiers, made, large = await lock(transaction, facts, slow=slow)
        waiting = {*(fact.event for fact in large), *(fact.event for fact in unique.values() if fact.erasure)}
        if waiting:
            await slow_lane.put_aside(transaction, [unique[event] for event in waiting])  # as said: more may be erased
            facts = [fact for fact in facts if fact.event not in waiting]
        new = await profiles.mark(transaction, facts)
        await history.write_decisions(transaction, [fact for fact in facts if fact.decision and fact.event in new])
        fresh = sorted((fact for fact in facts if fact.event in new), key=lambda fact: (fact.at, fact.event))
        changes = outcome(rows, versions, identifiers, fresh, self._rules)
        if changes.rows:
            await profiles.write(transaction, changes)
        await tasks.write(transaction, fresh)
        await profiles.forget(transaction, made - changes.identifiers.keys(), unsettled(rows))
        messages = [*states(changes), *_activities(fresh, rows)]
        if messages:
            await outbox.add(transaction, messages)
        if new:
            await dead_letters.resolve(transaction, self._letters_of, new)

    def committed(self) -> None:
        """Wake the relay."""
        self._hints.wake("outbox")


async def _living(transaction: Connection, facts: Sequence[Fact]) -> Sequence[Fact]:
    """The facts as they count. Nobody is erased until this transaction ends."""
    if not await erasure.enter(transaction):
        return facts
    until = await erasure.until(transaction, {key for fact in facts for key in keys(fact)})
    return [living(fact, until) for fact in facts] if until else facts


def _activities(fresh: Sequence[Fact], rows: Mapping[bytes, Row]) -> Iterable[tuple[bytes, Message]]:
    for fact in fresh:
        profile = rows[fact.record].profile if fact.record else None
        if profile:
            yield profile, _activity(fact, as_text(profile))


def _activity(fact: Fact, profile: str) -> Message:
    passed = b',"hops":%d,"origin":%s' % (fact.hops, _quoted(fact.origin)) if fact.hops or fact.origin else b""
    value = b'{"id":"%s","profile_id":"%s","type":%s,"source":%s,"at":"%s","received_at":"%s"%s,"data":%s}' % (
        fact.id.encode(),
        profile.encode(),
        _quoted(fact.type),
        _quoted(fact.source),
        fact.at.encode(),
        fact.received_at.encode(),
        passed,
        fact.payload,
    )
    return Message(ACTIVITIES.name, profile, fact.type, fact.id, _raw(value))


@lru_cache(maxsize=1024)
def _quoted(word: str) -> bytes:
    """A word that comes often, as JSON."""
    return orjson.dumps(word)
