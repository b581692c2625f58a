"""Who is in which segment, as soon as it is known: profiles that something was heard of are looked at.

A look has a moment: when the newest of what was heard arrived, or the due time of a timer, and never one before the
last look. So a topic that is read again moves nobody. A change is an activity of the profile and a message on
`activities`, each once: its id is the hash of segment, profile and cause.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

import msgspec
import orjson

from consumers.book import Book, Followed
from consumers.hearing import Became, Heard
from consumers.sights import person
from hub import clock
from hub.automation.segments import APPLIED, EVENT, MERGE, SPLIT, Counted, differences, look, touched, windows
from hub.identity.ids import as_text, hash_id
from hub.storage import automation, outbox, segment_checks, segments
from hub.storage.automation import Whose
from hub.storage.outbox import Message
from hub.storage.pool import Connection
from hub.storage.segment_checks import Round
from hub.storage.segments import Change, Known, Looked, Newest, Question, Tallied
from schemas.envelope import HUB, SEGMENT_CHANGES, SEGMENT_LEFT
from schemas.topics import ACTIVITIES

_raw = msgspec.Raw


class Cause(NamedTuple):
    """Why a profile is looked at, and when; of an event its id and its times. No moment: that of the last look, or of
    the last that was heard.
    """

    because: str
    moment: datetime | None = None
    event: bytes | None = None
    at: datetime | None = None
    hops: int = 0


@dataclass(frozen=True, slots=True)
class _Look:
    """A profile at its moment."""

    known: Known
    cause: Cause
    moment: datetime


async def follow(connection: Connection, book: Book, heard: Sequence[Heard | Became]) -> Mapping[bytes, Whose]:
    """Look at everybody that something was heard of; gives whom the events are about. The caller keeps erasures out.

    Nobody else looks at them, or decides about them, until the transaction ends: also at those of whom rules alone are
    told. The segments are read behind these locks: whoever waited for them may have been looked at by newer ones.
    """
    events = {one.event: one for one in heard if isinstance(one, Heard)}
    heirs = {because: await _heirs(connection, heard, because) for because in (MERGE, SPLIT)}
    whose = await automation.alone_with(connection, events, {one for each in heirs.values() for one in each})
    await book.refresh(connection)
    causes: dict[bytes, Cause] = {}
    asking = (events[event] for event in whose if events[event].type not in SEGMENT_CHANGES)
    for one in sorted(asking, key=lambda one: (one.received_at, one.event)):
        causes[whose[one.event].profile] = Cause(EVENT, one.received_at, one.event, one.at, one.hops)
    for because, profiles in heirs.items():
        for profile in sorted(profiles):
            causes[profile] = causes.get(profile, Cause(because))._replace(because=because)
    if causes:
        await look_at(connection, book.segments, causes)
    return whose


async def _heirs(connection: Connection, heard: Sequence[Heard | Became], because: str) -> set[bytes]:
    """Whom merges or splits made."""
    ids = [one for told in heard if isinstance(told, Became) and told.because == because for one in told.profiles]
    return await segments.heirs(connection, ids) if ids else set()


async def look_at(connection: Connection, followed: Sequence[Followed], causes: Mapping[bytes, Cause]) -> None:
    """Look at these profiles and tell what changed. Nobody but the caller decides about them meanwhile.

    What comes of a merge, of a split, or of a segment that was taken over is told as that, whatever else happened.
    """
    merged = await segments.merged(connection, causes)
    parted = await segments.parted(connection, causes)
    looks = await _looks(connection, causes, merged, parted)
    if not looks:
        return
    before = await segments.memberships(connection, [one.known.profile for one in looks])
    tallied = await _tallied(connection, followed, looks)
    rounds = await segment_checks.rounds(connection)
    versions = {one.name: one.version for one in followed}
    looked, changes = [], []
    for one in looks:
        profile = one.known.profile
        found, until = _found(one, followed, tallied)
        looked.append(Looked(profile, one.moment, until))
        was, new = before.get(profile, frozenset()) & versions.keys(), _new(followed, rounds, profile)
        changes += [_change(one, kind, (name, versions[name]), new) for kind, name in differences(was, found)]
    fresh = await segments.write(connection, looked, changes)
    await tell(connection, [one for one in changes if one.event in fresh])


async def tell(connection: Connection, changes: Sequence[Change]) -> None:
    """Put changes on the topic `activities`."""
    if changes:
        await outbox.add(connection, [(one.profile, _message(one)) for one in changes])


def _message(one: Change) -> Message:
    event, profile = as_text(one.event), as_text(one.profile)
    value = orjson.dumps(
        {"id": event, "profile_id": profile, "type": one.type, "source": HUB, "at": clock.text(one.at),
         "received_at": clock.text(one.received_at), "data": orjson.loads(one.data)}
    )  # fmt: skip
    return Message(ACTIVITIES.name, profile, one.type, event, _raw(value))


async def _looks(
    connection: Connection, causes: Mapping[bytes, Cause], merged: set[bytes], parted: set[bytes]
) -> list[_Look]:
    """Everybody who lives, each at a moment that is not before the last one."""
    known = await segments.load(connection, causes)
    asking = [one.profile for one in known if _is_behind(causes[one.profile], one.looked_at)]
    newest = await segments.newest(connection, asking) if asking else {}
    found = []
    for one in known:
        cause = causes[one.profile]
        last = newest.get(one.profile)
        if last and cause.event:
            cause = _later(cause, last)
        moments = [at for at in (cause.moment, one.looked_at, last and last.received_at) if at]
        if one.profile in merged | parted and cause.because not in {MERGE, SPLIT}:
            cause = cause._replace(because=MERGE if one.profile in merged else SPLIT)
        if moments:
            found.append(_Look(one, cause, max(moments)))
    return found


def _is_behind(cause: Cause, looked_at: datetime | None) -> bool:
    """Whether a look is not taken at what arrived last, as far as is known: it has no time, or what is heard is older
    than the last look.
    """
    if cause.moment is None:
        return looked_at is None
    return cause.event is not None and looked_at is not None and cause.moment < looked_at


def _later(cause: Cause, last: Newest) -> Cause:
    """What is found at an event that is heard late, or again, comes of whatever arrived last: that is seen already."""
    if cause.moment is None or last.received_at <= cause.moment:
        return cause
    at = max(cause.at or last.at, last.at)
    return cause._replace(moment=last.received_at, event=last.event, at=at, hops=max(cause.hops, last.hops))


async def _tallied(
    connection: Connection, followed: Sequence[Followed], looks: Sequence[_Look]
) -> dict[Question, Tallied]:
    values = [one.value for one in followed]
    questions = [
        Question(one.known.profile, types, since, one.moment)
        for one in looks
        for types, since in sorted(windows(values, one.moment), key=repr)
    ]
    return await segments.tallied(connection, questions) if questions else {}


def _found(
    one: _Look, followed: Sequence[Followed], tallied: Mapping[Question, Tallied]
) -> tuple[frozenset[str], datetime | None]:
    def counted(types: tuple[str, ...], since: datetime | None) -> Counted:
        return Counted(*tallied[Question(one.known.profile, types, since, one.moment)])

    found = look([each.value for each in followed], one.moment, person(one.known.line), counted)
    return found.segments, found.until


def _new(followed: Sequence[Followed], rounds: Mapping[str, Round], profile: bytes) -> frozenset[str]:
    """The segments whose first look at this profile it is, since they were taken over; and what asks them."""
    unseen = {
        one.name
        for one in followed
        if (at := rounds.get(one.name)) is None or at.since != one.since or not at.has_seen(profile)
    }
    return touched([one.value for one in followed], unseen) if unseen else frozenset()


def _change(one: _Look, event_type: str, segment: tuple[str, int], new: frozenset[str]) -> Change:
    name, version = segment
    known, cause = one.known, one.cause
    because = APPLIED if name in new else cause.because
    by = as_text(cause.event) if cause.event else None
    told = {"segment": name, "version": version, "because": because, "by_event": by, "hops": cause.hops}
    key = by or f"{because} {version} {clock.text(one.moment)}"
    event = hash_id("segment", name, event_type, as_text(known.profile), key)
    at, arrived = (cause.at or one.moment, cause.moment or one.moment) if cause.event else (one.moment, one.moment)
    return Change(event, known.profile, name, known.record, event_type, at, arrived, orjson.dumps(told).decode())


async def leave(connection: Connection, segment: tuple[str, int], profiles: Sequence[bytes], at: datetime) -> None:
    """A segment counts no more: these go, and it is told of those who live."""
    await automation.one_by_one(connection, profiles)
    cause = Cause(APPLIED, at)
    known = await segments.load(connection, profiles)
    changes = [_change(_Look(one, cause, at), SEGMENT_LEFT, segment, frozenset()) for one in known]
    fresh = await segments.change(connection, changes) if changes else set()
    await segments.forget(connection, segment[0], profiles)
    await tell(connection, [one for one in changes if one.event in fresh])
