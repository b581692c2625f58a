"""Forgetting somebody: whom it means is shown before it is done; then it is done, and waited for.

It is an event on `inbound.hub` that names ids alone, so the topic's retention keeps nothing of the person either.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from typing import Any

from hub import clock
from hub.api.deciding import living, member, waited
from hub.api.erasing_shapes import LONGEST_REQUEST
from hub.api.why import record_told
from hub.errors import Reject
from hub.identity.evidence import DEVICE, LINK, MAILBOX, Known
from hub.identity.explanation import Reason, explain
from hub.identity.ids import as_text
from hub.identity.outcome import Row
from hub.storage import decisions, erasure
from hub.storage.pool import Pool, reading
from producers.deeds import Deed, deed
from schemas.envelope import ERASED

_WEAK = frozenset({"phone", DEVICE})
"""What may have passed through other hands: a record that nothing else ties to the person may be somebody else's."""


MOST_RECORDS = 10_000
"""What one event holds: `schemas.events.decision`."""


@dataclass(frozen=True, slots=True)
class Draft:
    """What is to be erased: the deed, and what it means, as `hub.api.erasing_shapes.Erased` tells it."""

    deed: Deed
    shown: dict[str, Any]


async def draft(pool: Pool, written: str, chosen: Collection[str], by: str, request: str | None = None) -> Draft:
    """Forget the person behind an id, or the `chosen` ones of their records (ids, or source:key).

    It covers all that they said by now. Raises Reject where a record is not of this profile or it is too much for one
    event, NotFound, Retry.
    """
    if request and len(request) > LONGEST_REQUEST:
        raise Reject(
            f"has more than {LONGEST_REQUEST} letters: give the number of the request, not its text", "request"
        )
    identity = await living(pool, written)
    rows = (await decisions.scope(pool, [identity])).rows
    told = explain([row.known for row in rows.values()])
    person = next(one for one in told.people if one.profile == identity)
    members = {known.record: known for known in person.records}
    records = {record for one in chosen for record in member(members, one)} or set(members)
    if len(records) > MOST_RECORDS:
        raise Reject(f"the profile has more than {MOST_RECORDS:,} records: name those that are meant", "records")
    own = await _own(pool, [members[record] for record in records])
    joined, _ = told.of(person)
    shown = [(record in records, _record(rows[record], joined, _sure(identity, joined))) for record in members]
    return Draft(
        _deed([members[record] for record in records], own, by, request),
        {
            "profile_id": as_text(identity),
            "records": [one for goes, one in shown if goes],
            "stay": [one for goes, one in shown if not goes],
            "identifiers": [
                {"type": namespace, "value": value} for namespace, value in sorted(own.values()) if namespace != MAILBOX
            ],
            "state": "dry run",
        },
    )


def _deed(records: Collection[Known], own: Collection[bytes], by: str, request: str | None) -> Deed:
    """At a time after everything that these have said: a source's clock may be ahead of ours."""
    data = {
        "by": by,
        "records": [as_text(one) for one in sorted(known.record for known in records)],
        "identifiers": [as_text(one) for one in sorted(own)],
    } | ({"request": request} if request else {})
    return deed(ERASED, data, max(clock.text(clock.now()), *(known.evidence.last_at for known in records)))


async def done(pool: Pool, drafted: Draft, do: Callable[..., Awaitable[None]]) -> dict[str, Any]:
    """Erase, and wait until it is written, 2 s at the most: what was shown, "done" or "on its way". Raises Retry."""
    await do(drafted.deed)
    return drafted.shown | {"state": await waited(pool, [drafted.deed.event])}


async def _own(pool: Pool, records: Collection[Known]) -> dict[bytes, tuple[str, str]]:
    """The identifiers that lead to these records and to nobody else: a late event that states one is theirs as well."""
    linking = {
        claim.identifier: (claim.namespace, claim.value)
        for known in records
        for claim in known.evidence.claims
        if claim.state == LINK
    }
    async with reading(pool) as connection:
        alone = await erasure.claimed_by_nobody_but(connection, linking, [known.record for known in records])
    return {identifier: linking[identifier] for identifier in alone}


def _sure(founder: bytes, joined: Collection[Reason]) -> set[bytes]:
    """The records that something better than a number or a device ties to the founder, by one step or several."""
    strong = [{one.one, one.other} for one in joined if one.by not in _WEAK]
    sure = {founder}
    while more := {record for ends in strong if ends & sure for record in ends} - sure:
        sure |= more
    return sure


def _record(row: Row, joined: Collection[Reason], sure: Collection[bytes]) -> dict[str, Any]:
    record = row.known.record
    because = [one.sentence for one in joined if record in {one.one, one.other}]
    return record_told(row) | {"sure": record in sure, "because": because}
