"""Inbound events → one profile per person: the only writer of identity and profiles.

Reading and deciding are pure (`consumers.reading`, `hub.identity`); this is the order of the phases, nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

import msgspec
import orjson

from consumers.locking import lock
from consumers.reading import read
from hub.components import Hints, Record
from hub.identity.evidence import Fact
from hub.identity.ids import as_text, hash_id
from hub.identity.outcome import Changes, Row, Told, outcome, unsettled
from hub.identity.strategies import DEFAULT, Rules
from hub.identity.survivorship import redirect, versioned
from hub.storage import history, outbox, profiles, slow_lane
from hub.storage.outbox import Message
from hub.storage.pool import Connection
from schemas.topics import ACTIVITIES, INBOUND, PROFILES

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

        Facts that lead to a group which is too large for that are put aside for the slow lane.
        """
        await self._write(transaction, items, slow=False)

    async def write_all(self, transaction: Connection, items: Sequence[Fact]) -> None:
        """As `write`, however large a group is."""
        await self._write(transaction, items, slow=True)

    async def _write(self, transaction: Connection, items: Sequence[Fact], *, slow: bool) -> None:
        facts = list({fact.event: fact for fact in reversed(items)}.values())
        rows, versions, identifiers, made, aside = await lock(transaction, facts, slow=slow)
        if aside:
            await slow_lane.put_aside(transaction, aside)
            waiting = {fact.event for fact in aside}
            facts = [fact for fact in facts if fact.event not in waiting]
        new = await profiles.mark(transaction, facts)
        await history.write_decisions(transaction, [fact for fact in facts if fact.decision and fact.event in new])
        fresh = sorted((fact for fact in facts if fact.event in new), key=lambda fact: (fact.at, fact.event))
        changes = outcome(rows, versions, identifiers, fresh, self._rules)
        if changes.rows:
            await profiles.write(transaction, changes)
        await profiles.forget(transaction, made - changes.identifiers.keys(), unsettled(rows))
        messages = [*states(changes), *_activities(fresh, rows)]
        if messages:
            await outbox.add(transaction, messages)
        if new:
            await profiles.resolve_letters(transaction, self._letters_of, new)

    def committed(self) -> None:
        """Wake the relay."""
        self._hints.wake("outbox")


def states(changes: Changes) -> Iterable[tuple[bytes, Message]]:
    """What stands under each profile id from now on, and merges for those who follow what happens."""
    for told in changes.profiles:
        profile = told.person.profile
        state = _raw(versioned(told.line, told.version))
        key = as_text(profile)
        yield profile, Message(PROFILES.name, key, "profile.updated", f"{key}:{told.version}", state)
        if told.absorbed:
            yield profile, _among("profile.merged", "absorbed", told.absorbed, told)
        if told.parts:
            yield profile, _among("profile.split", "parts", told.parts, told)
    for profile, (heir, version) in (*changes.dead_profiles.items(), *changes.redirects.items()):
        key = as_text(profile)
        state = _raw(redirect(heir, version))
        yield profile, Message(PROFILES.name, key, "profile.merged", f"{key}:{version}", state)


def _among(event_type: str, field: str, others: Sequence[bytes], told: Told) -> Message:
    """What became of ids, for those who follow what happens: `schemas.profile.Merged` or `schemas.profile.Split`."""
    key = as_text(told.person.profile)
    event = as_text(hash_id(event_type.removeprefix("profile."), key, str(told.version)))
    ids = [as_text(one) for one in others]
    value = orjson.dumps({field: ids, "profile_id": key, "version": told.version}, option=orjson.OPT_SORT_KEYS)
    return Message(ACTIVITIES.name, key, event_type, event, _raw(value))


def _activities(fresh: Sequence[Fact], rows: Mapping[bytes, Row]) -> Iterable[tuple[bytes, Message]]:
    for fact in fresh:
        if fact.who:
            profile = rows[fact.who.record].profile or b""
            yield profile, _activity(fact, as_text(profile))


def _activity(fact: Fact, profile: str) -> Message:
    value = b'{"id":"%s","profile_id":"%s","type":%s,"source":%s,"at":"%s","received_at":"%s","data":%s}' % (
        fact.id.encode(),
        profile.encode(),
        _quoted(fact.type),
        _quoted(fact.source),
        fact.at.encode(),
        fact.received_at.encode(),
        fact.payload,
    )
    return Message(ACTIVITIES.name, profile, fact.type, fact.id, _raw(value))


@lru_cache(maxsize=1024)
def _quoted(word: str) -> bytes:
    """A word that comes often, as JSON."""
    return orjson.dumps(word)
