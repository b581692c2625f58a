"""Sync: the topic `profiles` → what each destination should know. It marks and never sends; the dispatcher does."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from consumers.levels import dirty, opened
from consumers.tools import Tool, hears_of_profiles
from hub.components import Hints, Record
from hub.errors import Unreadable
from hub.identity.ids import from_text
from hub.storage.pool import Connection
from hub.storage.told import Want, open_rows, want
from schemas.topics import PROFILES


class _State(msgspec.Struct):
    """What is read of a record's value: the rest of a profile is somebody else's business."""

    version: int
    merged_into: str | None = None


_decode = msgspec.json.Decoder(_State).decode


class Sync:
    """The `hub.components.Work` of one destination. A new one begins at the earliest offset: that is its backfill."""

    topics: tuple[str, ...] = (PROFILES.name,)

    def __init__(self, tool: Tool, hints: Hints) -> None:
        self.group = f"sync.{tool.name}"
        self._destination = tool.name
        self._hints = hints
        self._hears = hears_of_profiles(tool)

    def read(self, record: Record) -> Want:
        """One record, decoded. Raises Unreadable."""
        profile = from_text((record.key or b"").decode("utf-8", "replace"))
        if profile is None:
            raise Unreadable("the key is no profile id", "key")
        if record.value is None:
            return Want(profile, "erased", 0)
        try:
            state = _decode(record.value)
        except msgspec.DecodeError as error:
            raise Unreadable(f"the value is no profile state: {error}", "value") from error
        if state.merged_into is None:
            return Want(profile, "alive", state.version)
        survivor = from_text(state.merged_into)
        if survivor is None:
            raise Unreadable("the survivor is no profile id", "merged_into")
        return Want(profile, "merged", state.version, survivor)

    async def write(self, transaction: Connection, items: Sequence[Want]) -> None:
        """Mark what changed, and open one delivery for each profile of which the destination should hear more.

        Of one that wants nothing of profiles nothing is written down.
        """
        if not items or not self._hears:
            return
        changed = await want(transaction, self._destination, newest(items))
        if openings := [opened(level) for level in changed if dirty(level)]:
            await open_rows(transaction, openings)

    def committed(self) -> None:
        """Wake the dispatcher."""
        self._hints.wake("deliveries")


def newest(items: Sequence[Want]) -> list[Want]:
    """One per profile: the highest version; an erasure is newer than all before it."""
    best: dict[bytes, Want] = {}
    for item in items:
        known = best.get(item.profile_id)
        if known is None or item.kind == "erased":
            best[item.profile_id] = item._replace(version=max(item.version, known.version if known else 0))
        elif item.version > known.version:
            best[item.profile_id] = item
    return list(best.values())
