"""What the room `automation` hears on the topic `activities`. Pure: one record, decoded."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from hub import clock
from hub.automation.decisions import Occasion
from hub.automation.segments import MERGE, SPLIT, occasion
from hub.components import Record
from hub.errors import Unreadable
from hub.identity.ids import from_text
from schemas.envelope import HUB, SEGMENT_CHANGES

_NOBODYS = (b"profile.", b"action.", b"source.", b"records.", b"decision.")
"""Types that the hub makes about itself begin so: they set nothing off."""
_BECAME = {b"profile.merged": MERGE, b"profile.split": SPLIT}


class _Activity(msgspec.Struct):
    """A record of the topic `activities`: `schemas.profile.Activity`."""

    id: str
    profile_id: str
    type: str
    source: str
    at: str
    received_at: str
    data: msgspec.Raw
    hops: int = 0
    origin: str = ""


class _Among(msgspec.Struct):
    """`schemas.profile.Merged` or `schemas.profile.Split`."""

    profile_id: str = ""
    parts: list[str] = []


_decode = msgspec.json.Decoder(_Activity).decode
_among = msgspec.json.Decoder(_Among).decode
_data = msgspec.json.Decoder(dict[str, Any]).decode


class Heard(NamedTuple):
    """Something that happened to somebody; its data is read where a rule looks at it.

    `subject` is the segment where it tells of one, and None where it tells of the past. `hops` says how many tools it
    has passed, and how many rules led to it through segments; `origin` which tools. What a rule did (`by_rule`) sets
    nothing off, but may bring somebody into a segment.
    """

    event: bytes
    profile: bytes
    type: str
    source: str
    data: msgspec.Raw
    at: datetime
    received_at: datetime
    hops: int = 0
    origin: str = ""
    subject: str | None = None
    by_rule: bool = False

    @property
    def occasion(self) -> Occasion:
        """As it sets rules off."""
        return Occasion(self.type, self.at, self.received_at, self.subject, self.hops)

    @property
    def told(self) -> dict[str, Any]:
        """Its data."""
        return _data(self.data)


class Became(NamedTuple):
    """Ids that somebody bears from now on, because of a merge or a split."""

    profiles: tuple[bytes, ...]
    because: str


def hear(record: Record) -> Heard | Became | None:
    """What a record tells; None where it is nothing to rules or segments. Raises Unreadable."""
    event_type = dict(record.headers).get("ce_type") or b""
    try:
        if event_type in _BECAME:
            return _became(_among(record.value or b""), _BECAME[event_type])
        if event_type.startswith(_NOBODYS):
            return None
        one = _decode(record.value or b"")
    except msgspec.DecodeError as error:
        raise Unreadable(f"the value is no activity: {error}", "value") from error
    event, profile = from_text(one.id), from_text(one.profile_id)
    at, received_at = clock.parse(one.at), clock.parse(one.received_at)
    if event is None or profile is None or at is None or received_at is None:
        raise Unreadable("the value is no activity: its ids are UUIDs, its times RFC 3339", "value")
    heard = Heard(event, profile, one.type, one.source, one.data, at, received_at, one.hops, one.origin)
    return heard if one.source != HUB else _ours(heard)


def _ours(heard: Heard) -> Heard | None:
    """What the hub itself says. That somebody was in a segment all along sets nothing off."""
    told = heard.told
    if heard.type not in SEGMENT_CHANGES:
        return heard._replace(by_rule="rule" in told, hops=int(told.get("hops") or 0))
    found = occasion(heard.type, heard.at, heard.received_at, told)
    return heard._replace(subject=found.subject, hops=found.hops) if found.subject else None


def _became(among: _Among, because: str) -> Became | None:
    ids = [found for one in (among.profile_id, *among.parts) if (found := from_text(one))]
    return Became(tuple(ids), because) if ids else None
