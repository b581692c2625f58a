"""One person or two: what a person decides, shown before it is done, done, and waited for."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import orjson

from consumers.deciding import Occasion, decided
from hub import clock
from hub.api import people
from hub.api.people import Moved
from hub.api.problems import NotFound
from hub.errors import Reject
from hub.identity.decisions import standing
from hub.identity.evidence import Fact, Known
from hub.identity.ids import as_text, from_text
from hub.identity.outcome import Changes, outcome
from hub.storage import decisions
from hub.storage.decisions import Scope
from hub.storage.pool import Pool
from producers.deeds import Deed, deed
from schemas.envelope import MERGED, PARTED, WITHDRAWN

WAIT_SECONDS, LOOK_SECONDS = 2.0, 0.02


@dataclass(frozen=True, slots=True)
class Author:
    """Who decides, why, and under which natural id: the same one again is the same decision."""

    by: str
    reason: str | None = None
    natural_id: str | None = None

    def signed(self, data: Mapping[str, Any], number: int = 0) -> tuple[dict[str, Any], str | None]:
        """A decision's data with its author, and the natural id of the `number`-th decision of one deed."""
        whole = {"by": self.by, **data} | ({"reason": self.reason} if self.reason else {})
        return whole, f"{self.natural_id} {number}" if self.natural_id else None


@dataclass(frozen=True, slots=True)
class Draft:
    """Decisions that are to be made, and everybody whom they may touch."""

    deeds: tuple[Deed, ...]
    scope: Scope

    @property
    def events(self) -> list[bytes]:
        """The ids of the decisions, 16 bytes each."""
        return [one.event for one in self.deeds]


async def merge(pool: Pool, one: str, other: str, author: Author) -> Draft:
    """Two profiles are one person. Cuts between the two are taken back with it.

    Raises Reject where they are one already, NotFound, Retry.
    """
    first, second = await living(pool, one), await living(pool, other)
    if first == second:
        raise Reject(f"both ids lead to {as_text(first)}: they are one person already", "with")
    scope = await decisions.scope(pool, [first, second])
    between = _cuts_between(scope, first, second)
    data = {"records": [as_text(first), as_text(second)]} | ({"withdraws": between} if between else {})
    return _draft(scope, author, [(MERGED, data)])


async def part(pool: Pool, one: str, other: str, author: Author) -> Draft:
    """Two profiles are two people: all records of the one, and all of the other. Raises Reject, NotFound, Retry."""
    homes = [await living(pool, one), await living(pool, other)]
    scope = await decisions.scope(pool, homes)
    sides = [_texts([record for record, row in scope.rows.items() if row.profile == home]) for home in homes]
    if homes[0] == homes[1] or not all(sides):
        raise Reject("both ids lead to one person", "other")
    return _draft(scope, author, [(PARTED, {"sides": sides})])


async def part_operation(pool: Pool, number: int, author: Author) -> Draft:
    """Undo what an operation joined: who was there before is one person, who came with it another.

    Raises NotFound where no operation of this number joined anybody, Retry.
    """
    joined = await decisions.joined(pool, number)
    if joined is None:
        raise NotFound(f"no operation {number} joined profiles; `hub profiles explain ID` lists them", "operation")
    sides = {joined.profile: joined.stayed, **joined.came}
    parted = []
    for profile, side in joined.came.items():
        rest = [record for other, records in sides.items() if other != profile for record in records]
        parted.append((PARTED, {"sides": [_texts(rest), _texts(side)]}))
    scope = await decisions.scope(pool, [record for side in sides.values() for record in side])
    return _draft(scope, author, parted)


async def extract(
    pool: Pool, profile: str, records: Collection[str], author: Author, keeps: Collection[str] = ()
) -> Draft:
    """Some records of a profile are somebody else; `keeps` names identifiers (`email:…`) that go with them.

    A record is named by its id, or as {source}:{key}. Raises Reject where one is not of this profile or all are,
    NotFound, Retry.
    """
    identity = await living(pool, profile)
    scope = await decisions.scope(pool, [identity])
    members = {record: row.known for record, row in scope.rows.items() if row.profile == identity}
    out = {record for written in records for record in member(members, written)}
    if len(out) == len(members):
        raise Reject("these are all records of the profile: there is nobody left to part them from", "records")
    data: dict[str, Any] = {"sides": [_texts(members.keys() - out), _texts(out)]}
    return _draft(scope, author, [(PARTED, data | ({"keeps": [[], sorted(keeps)]} if keeps else {}))])


async def withdraw(pool: Pool, written: str, author: Author) -> Draft:
    """Take a decision back, as if it had never been made. Raises Reject, NotFound, Retry."""
    identity = people.id_of(written)
    named = await decisions.named(pool, identity)
    if not named:
        raise NotFound(f"there is no decision {written}", "decision")
    scope = await decisions.scope(pool, named)
    return _draft(scope, author, [(WITHDRAWN, {"records": _texts(named), "withdraws": [as_text(identity)]})])


def preview(draft: Draft) -> dict[str, Any]:
    """What would become of whom, by the same code (`hub.api.deciding_shapes.Decided`). Uses `draft.scope` up."""
    changes = outcome(draft.scope.rows, draft.scope.versions, {}, [_fact(one) for one in draft.deeds])
    said = [_said(one) for one in draft.deeds]
    return {"decisions": said, "merges": _merges(changes), "splits": _splits(changes), "state": "dry run"}


def _fact(one: Deed) -> Fact:
    """The fact that a deed will be once it is read."""
    occasion = Occasion(one.event, as_text(one.event), one.type, one.at, one.at)
    return decided(occasion, orjson.dumps(one.data))


def _said(one: Deed) -> dict[str, Any]:
    return {"id": as_text(one.event), "type": one.type, "at": one.at, **one.data}


def _merges(changes: Changes) -> list[dict[str, Any]]:
    return [
        {"profile_id": as_text(told.person.profile), "absorbed": [as_text(one) for one in told.absorbed]}
        for told in changes.profiles
        if told.absorbed
    ]


def _splits(changes: Changes) -> list[dict[str, Any]]:
    return [
        {"profile_id": as_text(told.person.profile), "parts": [as_text(one) for one in told.parts]}
        for told in changes.profiles
        if told.parts
    ]


async def done(pool: Pool, draft: Draft, do: Callable[..., Awaitable[None]]) -> str:
    """Make the decisions and wait until they are written, 2 s at the most: "done" or "on its way". Raises Retry."""
    await do(*draft.deeds)
    return await waited(pool, draft.events)


async def waited(pool: Pool, events: Collection[bytes]) -> str:
    """Wait until these deeds are written, 2 s at the most: "done" or "on its way". Raises Retry."""
    until = clock.monotonic() + WAIT_SECONDS
    while not await decisions.are_written(pool, events):
        if clock.monotonic() > until:
            return "on its way"
        await asyncio.sleep(LOOK_SECONDS)
    return "done"


async def living(pool: Pool, written: str) -> bytes:
    """The id of the profile that an id leads to. Raises Reject, NotFound, Retry."""
    try:
        return (await people.profile(pool, written)).profile
    except Moved as moved:
        return moved.heir


def _draft(scope: Scope, author: Author, said: Sequence[tuple[str, Mapping[str, Any]]]) -> Draft:
    """At a time after every decision about the same people: the newest counts, whichever clock wrote the others."""
    made = [ruling.at for row in scope.rows.values() for ruling in row.known.evidence.rulings]
    newest = max(filter(None, map(clock.parse, made)), default=None)
    now = clock.now()
    at = clock.text(max(now, newest + timedelta(milliseconds=1)) if newest else now)
    deeds = []
    for number, (event_type, data) in enumerate(said):
        whole, natural_id = author.signed(data, number)
        deeds.append(deed(event_type, whole, at, natural_id))
    return Draft(tuple(deeds), scope)


def _cuts_between(scope: Scope, one: bytes, other: bytes) -> list[str]:
    """Cuts in force that keep a record of the one from a record of the other."""
    home = {record: row.profile for record, row in scope.rows.items()}
    cuts = standing((record, row.known.evidence.rulings) for record, row in scope.rows.items()).cuts
    return [
        cut.decision for cut in cuts if {one, other} <= {home.get(record) for record in cut.sides[0] | cut.sides[1]}
    ]


def member(members: Mapping[bytes, Known], written: str) -> list[bytes]:
    """The records that are meant: one by its id, or those of source:key. Raises Reject where there is none."""
    identity = from_text(written)
    found = [r for r, known in members.items() if r == identity or f"{known.source}:{known.key[1]}" == written]
    if not found:
        raise Reject(f"{written!r} is no record of this profile; name it by its id or as source:key", "records")
    return found


def _texts(records: Collection[bytes]) -> list[str]:
    return [as_text(record) for record in sorted(records)]
