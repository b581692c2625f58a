"""Duplicates: the topic `profiles` → the queue of those who may be one person, for a person to decide about.

It looks at people again when their profile has changed, and when somebody has decided about them: a decision that
moves nobody is told nowhere but on `inbound.hub`. It writes block keys and pairs and nothing else, and joins nobody
(identity.md §3.7).
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import chain
from typing import NamedTuple

import structlog
from prometheus_client import Counter

from consumers import profiles as profiles_room
from consumers.reading import read as read_event
from consumers.suspicion import InForce, Person, Scene, in_force, judge, person, refusals
from hub import clock
from hub.components import Record
from hub.errors import Reject, Retry, Unreadable
from hub.identity.evidence import Known
from hub.identity.ids import from_text
from hub.identity.outcome import Row
from hub.identity.suspects import MOST_IN_BLOCK, WEIGHTS, Weights
from hub.storage import profiles, suspects
from hub.storage.offsets import reached
from hub.storage.pool import Connection
from hub.storage.suspects import Key, Pair, key_of
from schemas.topics import HUB_TOPIC, PROFILES

GROUP = "duplicates"
AT_ONCE = 20
"""Profiles whose pairs are scored at once, in a thread: up to a thousand pairs each, and PostgreSQL waits meanwhile."""
WAIT_SECONDS, LOOK_SECONDS = 2.0, 0.05
LEFT_OUT = Counter(
    "hub_duplicates_blocks_left_out",
    f"Block keys that were left out because more than {MOST_IN_BLOCK} profiles have them.",
)
_log = structlog.get_logger("hub.duplicates")


class Heard(NamedTuple):
    """Records whose people are to be looked at again, and for a decision where it stands: topic, partition, offset."""

    records: tuple[bytes, ...]
    decided: tuple[str, int, int] | None = None


class Duplicates:
    """The `hub.components.Work` of the group `duplicates`. `prefix` is Kafka's."""

    group = GROUP
    topics: tuple[str, ...] = (PROFILES.name, HUB_TOPIC)

    def __init__(self, prefix: str = "") -> None:
        self._decides = prefix + profiles_room.GROUP

    def read(self, record: Record) -> Heard:
        """One record, decoded. Raises Unreadable."""
        if record.topic.endswith(HUB_TOPIC):
            return _decided(record)
        profile = from_text((record.key or b"").decode("utf-8", "replace"))
        if profile is None:
            raise Unreadable("the key is no profile id", "key")
        return Heard((profile,))

    async def write(self, transaction: Connection, items: Sequence[Heard]) -> None:
        """Look at these people again, as they are now: what the messages say of them may be older or newer."""
        await self._until_written(transaction, [one.decided for one in items if one.decided])
        records = {record for one in items for record in one.records}
        if records:
            await suspects.alone(transaction)
            await _Look(transaction, records).take()

    def committed(self) -> None:
        """Nobody waits for this."""

    async def _until_written(self, transaction: Connection, decided: Sequence[tuple[str, int, int]]) -> None:
        """Wait until the room `profiles` is past these decisions: it has written them, or given up on them.

        Raises Retry after 2 s.
        """
        until = clock.monotonic() + WAIT_SECONDS
        while decided:
            positions = await reached(transaction, self._decides, {topic for topic, _, _ in decided})
            decided = [one for one in decided if positions.get(one[:2], 0) <= one[2]]
            if decided and clock.monotonic() > until:
                raise Retry(f"{len(decided)} decisions are not written yet", after=1.0)
            await asyncio.sleep(LOOK_SECONDS if decided else 0)


def _decided(record: Record) -> Heard:
    """Whom a decision names; of what cannot be read the group `profiles` keeps the letter."""
    try:
        fact = read_event(record, {})
    except Reject:
        return Heard(())
    if fact.decision is None:
        return Heard(())
    return Heard(fact.decision.records, (record.topic, record.partition, record.offset))


def _persons(found: Mapping[bytes, Sequence[Known]]) -> dict[bytes, Person]:
    return {profile: person(records) for profile, records in found.items()}


def _judged(keys: Sequence[Key], rows: Sequence[Pair | None], scene: Scene) -> list[Pair | None]:
    return [judge(key, row, scene) for key, row in zip(keys, rows, strict=True)]


class _Look:
    """One look at some people and everybody who may be one with them. Each pair is scored once."""

    def __init__(self, connection: Connection, records: Collection[bytes]) -> None:
        self._connection = connection
        self._records = set(records)
        self._rows: dict[bytes, Row] = {}
        self._people: dict[bytes, Person] = {}
        self._pairs: dict[Key, Pair] = {}
        self._judged: set[Key] = set()

    async def take(self) -> None:
        """Keys first, for everybody: so each of two new ones finds the other."""
        found = await profiles.groups_of(self._connection, self._records)
        self._rows, _ = await profiles.load(self._connection, set(found.values()), ())
        homes = {home for one in self._records if one in self._rows and (home := self._rows[one].profile)}
        await self._meet(homes)
        touched = homes | self._records
        keys = {one: self._people[one].keys if one in self._people else frozenset() for one in touched}
        await suspects.replace_keys(self._connection, keys)
        self._pairs = await suspects.pairs_of(self._connection, touched)
        decided = in_force(self._rows)
        scene = Scene(
            self._people,
            refusals(self._rows.values()),
            decided.cuts,
            decided.merges,
            await self._unwritten(decided),
            await self._weights(),
        )
        living = sorted(homes & self._people.keys())
        for start in range(0, len(living), AT_ONCE):
            await self._judge(await self._near(living[start : start + AT_ONCE], scene), scene)
        await self._judge(self._pairs.keys(), scene)

    async def _meet(self, wanted: Iterable[bytes]) -> None:
        """Learn who these are, where it is not known yet."""
        new = set(wanted) - self._people.keys()
        if new:
            found = await suspects.people(self._connection, new)
            self._people |= await asyncio.to_thread(_persons, found)

    async def _unwritten(self, decided: InForce) -> frozenset[bytes]:
        """Decisions of stored pairs that are not in force because they are not written yet."""
        made = {pair.decision for pair in self._pairs.values() if pair.decision}
        unsure = made - set(decided.cuts.values()) - decided.merges.keys()
        return frozenset(unsure - await suspects.written(self._connection, unsure)) if unsure else frozenset()

    async def _weights(self) -> Weights:
        return WEIGHTS.among(await suspects.how_many_people(self._connection))

    async def _near(self, living: Sequence[bytes], scene: Scene) -> set[Key]:
        """Every pair of these with those who have a key in common, or from whom a rule keeps them apart."""
        wanted = set(chain.from_iterable(self._people[one].keys for one in living))
        blocks = await suspects.blocks(self._connection, wanted, MOST_IN_BLOCK)
        self._leave_out([key for key, block in blocks.items() if len(block) > MOST_IN_BLOCK], blocks)
        keys = {
            key_of(one, other)
            for one in living
            for key in self._people[one].keys
            for other in blocks.get(key, ())
            if other != one
        }
        return keys | {key for key in scene.refused if not set(living).isdisjoint(key)}

    @staticmethod
    def _leave_out(keys: Sequence[str], blocks: dict[str, list[bytes]]) -> None:
        for key in keys:
            del blocks[key]
        if keys:
            LEFT_OUT.inc(len(keys))
            _log.info("blocks_left_out", blocks=len(keys), sort=sorted({key[0] for key in keys}))

    async def _judge(self, keys: Collection[Key], scene: Scene) -> None:
        """Judge these pairs, but those that were, and write down what has changed."""
        new = sorted(set(keys) - self._judged)
        if not new:
            return
        self._judged.update(new)
        await self._meet(chain.from_iterable(new))
        before = [self._pairs.get(key) for key in new]
        after = await asyncio.to_thread(_judged, new, before, scene)
        changes = [(key, row, pair) for key, row, pair in zip(new, before, after, strict=True) if row != pair]
        await suspects.write(
            self._connection,
            [pair for _, _, pair in changes if pair],
            [key for key, _, pair in changes if pair is None],
        )
