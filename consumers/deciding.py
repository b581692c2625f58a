"""What a person did, as its event on `inbound.hub` says it: names of records into ids. Pure.

What people and rules say of one record is in `consumers.remarking`.
"""

from __future__ import annotations

from typing import Annotated, NamedTuple

import msgspec

from consumers.remarking import Remarked, remark
from hub.errors import Unreadable
from hub.identity.decisions import APART, SAME, Decision, Erasure
from hub.identity.decisions import WITHDRAWN as TAKEN_BACK
from hub.identity.evidence import Fact
from hub.identity.ids import as_text, from_text
from schemas.envelope import ERASED, HUB, MERGED, PARTED, WITHDRAWN
from schemas.topics import HUB_TOPIC

Text = Annotated[str, msgspec.Meta(max_length=4096)]
Records = Annotated[list[Text], msgspec.Meta(min_length=1, max_length=10_000)]
Pair = msgspec.Meta(min_length=2, max_length=2)


class Said(msgspec.Struct):
    """`schemas.events.decision`, all three together; a test proves that they agree."""

    by: Text
    reason: Text | None = None
    withdraws: list[Text] | None = None
    records: Records | None = None
    sides: Annotated[list[Records], Pair] | None = None
    keeps: Annotated[list[list[Text]], Pair] | None = None


class Forget(msgspec.Struct):
    """`schemas.events.decision.RecordsErased`."""

    by: Text
    records: Records
    request: Text | None = None
    identifiers: Annotated[list[Text], msgspec.Meta(max_length=100_000)] | None = None


_said = msgspec.json.Decoder(Said).decode
_forget = msgspec.json.Decoder(Forget).decode


class Occasion(NamedTuple):
    """The attributes of an event that a person made: its id, as bytes and text, its type, when it was and arrived."""

    event: bytes
    id: str
    type: str
    at: str
    received_at: str


def remarked(occasion: Occasion, said: Remarked, value: bytes) -> Fact:
    """What a person or a rule said of a record; `value` is what is kept of it. Raises Unreadable."""
    return _ours(occasion, value)._replace(remark=remark(occasion.type, said))


def decided(occasion: Occasion, value: bytes) -> Fact:
    """What a person did: about the records that it names, on nobody's timeline. Raises as `decision` does."""
    if occasion.type == ERASED:
        return _ours(occasion, value)._replace(erasure=erasure(value))
    return _ours(occasion, value)._replace(decision=decision(occasion.type, value))


def _ours(occasion: Occasion, value: bytes) -> Fact:
    """A fact that was said in the hub itself. Raises UnicodeDecodeError for what cannot be kept."""
    value.decode()
    event, name, event_type, at, received_at = occasion
    return Fact(event, name, event_type, HUB, at, received_at, trusted=True, spam=False, payload=value, who=None)


def erasure(value: bytes) -> Erasure:
    """Whom the data of an event tells us to forget. Raises as `decision` does."""
    said = _forget(value)
    return Erasure(
        tuple(_id(one, "data.records") for one in said.records),
        tuple(_id(one, "data.identifiers") for one in said.identifiers or ()),
    )


def decision(event_type: str, value: bytes) -> Decision:
    """The decision of an event. Raises Unreadable with the field, msgspec.ValidationError for another shape."""
    said = _said(value)
    withdraws = tuple(as_text(_id(one, "data.withdraws")) for one in said.withdraws or ())
    if event_type == PARTED:
        if said.sides is None:
            raise Unreadable("missing", "data.sides")
        near, far = (tuple(_id(one, "data.sides") for one in side) for side in said.sides)
        if set(near) & set(far):
            raise Unreadable("a record stands on both sides", "data.sides")
        mine, theirs = said.keeps or ([], [])
        return Decision(APART, (near, far), withdraws, (tuple(mine), tuple(theirs)))
    if said.records is None:
        raise Unreadable("missing", "data.records")
    first, *others = (_id(one, "data.records") for one in said.records)
    return Decision({MERGED: SAME, WITHDRAWN: TAKEN_BACK}[event_type], ((first,), tuple(others)), withdraws)


def is_ours(topic: str, edge: str | None, hub: str) -> bool:
    """Whether this comes from where people decide: the hub's own topic, through the hub's own deeds."""
    return edge == hub and topic.endswith(HUB_TOPIC)


def _id(written: str, field: str) -> bytes:
    identity = from_text(written)
    if identity is None:
        raise Unreadable(f"{written[:64]!r} is no id", field)
    return identity
