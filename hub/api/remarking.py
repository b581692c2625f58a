"""What people say of a profile: its owner, its stage, a tag, a note, a call. Done as an event, and waited for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import msgspec
import orjson

from consumers.remarking import decode, remark
from hub import clock
from hub.api.deciding import living, waited
from hub.errors import Reject
from hub.identity.ids import as_text
from hub.identity.normalise import clean
from hub.storage import decisions
from hub.storage.pool import Pool
from producers.deeds import Deed, deed
from schemas.envelope import TAG_ADDED, TAG_REMOVED

NO_MATCH = {
    **dict.fromkeys(("owner", "to"), "this is no address of a colleague, as eve@example.com"),
    **dict.fromkeys(("stage", "tag", "text", "title"), "this may not be empty"),
}
"""What is wrong with a field that does not fit its pattern."""


@dataclass(frozen=True, slots=True)
class Author:
    """Who says it, and the key under which it is said once, however often it is sent."""

    by: str
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """What is to be said, and of whom."""

    profile: bytes
    deed: Deed


def tagged(*, remove: bool) -> str:
    """The type of the event that adds or removes a tag."""
    return TAG_REMOVED if remove else TAG_ADDED


async def draft(pool: Pool, written: str, event_type: str, said: Mapping[str, Any], author: Author) -> Draft:
    """Say something of the person behind an id; `said` is the event's data without `by` and `record`.

    It is said of the profile's founder: should the profile come apart, it stays with that one. Raises Reject with the
    field that is wrong, NotFound, Retry.
    """
    identity = await living(pool, written)
    words = {name: clean(word) if name in {"stage", "tag"} else word for name, word in said.items()}
    data = {"by": author.by, "record": as_text(identity), **words}
    field = checked(event_type, data)
    at = await _at(pool, identity, field) if field else clock.text(clock.now())
    natural_id = f"{event_type} {author.by} {author.key}" if author.key else None
    return Draft(identity, deed(event_type, data, at, natural_id))


def checked(event_type: str, data: Mapping[str, Any]) -> str:
    """What is set by this; the same code reads it back from its topic. Raises Reject with the field that is wrong."""
    try:
        return remark(event_type, decode(orjson.dumps(data))).field
    except msgspec.ValidationError as error:
        reason, _, path = str(error).partition(" - at `$.")
        if "matching regex" in reason and path.rstrip("`") in NO_MATCH:
            reason = NO_MATCH[path.rstrip("`")]
        raise Reject(reason, path.rstrip("`") or None) from error


async def _at(pool: Pool, identity: bytes, field: str) -> str:
    """After whatever was set of it: the newest counts, whichever clock wrote the others."""
    rows = (await decisions.scope(pool, [identity])).rows.values()
    sets = [row.known.evidence.set for row in rows if row.profile == identity]
    newest = max((at for known in sets if field in known and (at := clock.parse(known[field].at))), default=None)
    now = clock.now()
    return clock.text(max(now, newest + timedelta(milliseconds=1)) if newest else now)


async def done(pool: Pool, drafted: Draft, do: Callable[..., Awaitable[None]]) -> dict[str, Any]:
    """Say it, and wait until it is written, 2 s at the most (`hub.api.remarks_shapes.Remarked`). Raises Retry."""
    one = drafted.deed
    await do(one)
    state = await waited(pool, [one.event])
    told = {"id": as_text(one.event), "profile_id": as_text(drafted.profile), "type": one.type, "at": one.at}
    return told | {"data": dict(one.data), "state": state}
