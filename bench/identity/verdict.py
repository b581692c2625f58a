"""The end of a concurrent run held against the model: one look at the whole set, in memory."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import Any

import orjson

from hub.identity.erasure import living
from hub.identity.evidence import Fact
from hub.identity.ids import as_text
from hub.identity.survivorship import versioned
from hub.storage.pool import Pool
from schemas.topics import ACTIVITIES, PROFILES
from tests.support.line import lines, unkept
from tests.support.memory import Shown, until_of, whole

MOST_LETTERS = 500
HUBS_OWN = {"profile.merged", "profile.split"}
Messages = Sequence[tuple[str, str, str, str, Any, str]]
"""Topic, key, type, id, value and time (or nothing) of what is to be put on Kafka, in order."""


async def differences(pool: Pool, facts: Sequence[Fact]) -> list[str]:
    """What is not as it should be, in words; `facts` are the distinct events. Empty: the run is good."""
    model = whole(facts)
    messages = await _messages(pool)
    return [
        *_unlike("profile", await lines(pool), model.lines),
        *_unlike("facts of profile", await lines(pool, facts=True), model.facts),
        *_unlike("shared identifier", await _shared(pool), _texts(model)),
        *(f"audit: not so: {promise}" for promise in await unkept(pool)),
        *_unlike("activity", await _activities(pool), sorted(fact.id for fact in facts)),
        *_unlike("event of a person on `activities`", *_heard(messages, facts)),
        *_falling(messages),
        *_unlike("profile of who keeps the newest version", _newest(messages), await _states(pool)),
        *await _letters(pool),
    ]


def _unlike(what: str, found: Iterable[Any], wanted: Iterable[Any]) -> Iterator[str]:
    """The first difference of two lists."""
    for number, (one, other) in enumerate(zip_longest(found, wanted)):
        if one != other:
            yield f"{what} {number}: {_short(one)} instead of {_short(other)}"
            return


def _short(value: Any) -> str:
    return repr(value)[:MOST_LETTERS]


async def _messages(pool: Pool) -> Messages:
    rows = await pool.fetch("SELECT body FROM outbox ORDER BY seq")
    return [tuple(message) for row in rows for message in orjson.loads(row["body"])]


async def _shared(pool: Pool) -> list[str]:
    rows = await pool.fetch("SELECT identifier_id FROM identifier WHERE state = 'shared' ORDER BY identifier_id")
    return [as_text(row[0]) for row in rows]


def _texts(model: Shown) -> list[str]:
    return [as_text(identifier) for identifier in sorted(model.shared)]


async def _activities(pool: Pool) -> list[str]:
    return sorted(as_text(row[0]) for row in await pool.fetch("SELECT event_id FROM activity"))


def _heard(messages: Messages, facts: Sequence[Fact]) -> tuple[list[str], list[str]]:
    """Ids of people's events that were told and that should have been: each once. What is erased may have been told,
    and a remark is where its record was heard of by then.
    """
    told = [ident for topic, _, kind, ident, *_ in messages if topic == ACTIVITIES.name and kind not in HUBS_OWN]
    until = until_of(facts)
    lost = {one.id for one in facts if one.remark or (one.who and living(one, until).who is None)}
    counted = sorted(ident for ident in told if ident not in lost)
    twice = [ident for ident, times in Counter(told).items() if times > 1]
    return sorted([*counted, *twice]), sorted(one.id for one in facts if one.who and one.id not in lost)


def _falling(messages: Messages) -> Iterator[str]:
    """Versions under one id that do not rise."""
    told: Mapping[str, list[int]] = defaultdict(list)
    for topic, key, _, _, value, _ in messages:
        if topic == PROFILES.name and value is not None:
            told[key].append(value["version"])
    for key, versions in told.items():
        if versions != sorted(set(versions)):
            yield f"versions of {key}: {versions}"


def _newest(messages: Messages) -> list[bytes]:
    """The profiles of a reader that keeps the highest version under each id, whatever comes when."""
    newest: dict[str, Any] = {}
    for topic, key, _, _, value, _ in messages:
        if topic != PROFILES.name:
            continue
        if value is None:
            newest.pop(key, None)
        elif value["version"] > newest.get(key, {"version": 0})["version"]:
            newest[key] = value
    return [orjson.dumps(value) for _, value in sorted(newest.items()) if "merged_into" not in value]


async def _states(pool: Pool) -> list[bytes]:
    rows = await pool.fetch("SELECT line, version FROM profile ORDER BY profile_id")
    return [versioned(line.encode(), version) for line, version in rows]


async def _letters(pool: Pool) -> list[str]:
    reasons = Counter([row[0] for row in await pool.fetch("SELECT reason FROM dead_letter")])
    return [f"{count} dead letters: {reason}" for reason, count in reasons.items()]
