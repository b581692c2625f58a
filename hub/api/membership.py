"""Which segments there are, and who is in them."""

from __future__ import annotations

from typing import Any

import orjson

from hub import clock
from hub.api.problems import NotFound
from hub.api.side_by_side import called
from hub.automation.problems import no_such
from hub.errors import Reject
from hub.identity.ids import as_text, from_text
from hub.storage import membership
from hub.storage.membership import END, Mark, Member
from hub.storage.pool import Pool


async def report(pool: Pool) -> dict[str, Any]:
    """Every segment that counts (`hub.api.segment_shapes.SegmentList`). Raises Retry."""
    return {"segments": [one._asdict() for one in await membership.listing(pool)]}


async def page(pool: Pool, name: str, limit: int, before: str | None = None) -> dict[str, Any]:
    """A page of members (`hub.api.segment_shapes.MemberPage`).

    Raises NotFound where no such segment counts, Reject for a `before` that is none, Retry.
    """
    mark = _mark(before) if before else END
    names = [one.name for one in await membership.listing(pool)]
    if name not in names:
        raise NotFound(no_such("segment", name, names), "name")
    found = await membership.page(pool, name, limit + 1, mark)
    shown = found[:limit]
    return {"members": [_told(one) for one in shown], "next": _cursor(shown[-1]) if len(found) > limit else None}


def _told(one: Member) -> dict[str, Any]:
    line = orjson.loads(one.line)
    email = line["fields"].get("email")
    return {
        "profile_id": as_text(one.profile),
        "name": called(line),
        "email": email and email["value"],
        "since": clock.text(one.since),
    }


def _cursor(one: Member) -> str:
    return f"{one.since:%Y%m%dT%H%M%S.%f}Z_{as_text(one.profile)}"


def _mark(written: str) -> Mark:
    since, profile = clock.parse(written.partition("_")[0]), from_text(written.partition("_")[2])
    if since is None or profile is None:
        raise Reject("`before` is the `next` of a page", "before")
    return Mark(since, profile)
