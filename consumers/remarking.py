"""What people and rules of the hub say of a record, as its event on `inbound.hub` says it. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import msgspec

from hub.errors import Unreadable
from hub.identity.decisions import Remark
from hub.identity.ids import from_text
from hub.identity.remarks import ADDED, OWNER, REMOVED, STAGE, TAG
from schemas.envelope import NOTES, OWNER_ASSIGNED, SETTINGS, STAGE_SET, TAG_ADDED, TAG_REMOVED
from schemas.events.hub import LONGEST_NOTE

BY_RULE = "rule:"
"""How `by` begins where a rule did it."""
REMARKS = SETTINGS | NOTES
Text = Annotated[str, msgspec.Meta(max_length=4096)]
Label = Annotated[str, msgspec.Meta(max_length=100, pattern=r"\S")]


class Remarked(msgspec.Struct):
    """`schemas.events.hub`, all of them together; a test proves that they agree."""

    by: Text
    record: Text
    rule: Text | None = None
    hops: Annotated[int, msgspec.Meta(ge=0)] | None = None
    owner: Annotated[str, msgspec.Meta(max_length=320, pattern=r"^[^@\s]+@[^@\s]+$")] | msgspec.UnsetType | None = (
        msgspec.UNSET
    )
    stage: Label | msgspec.UnsetType = msgspec.UNSET
    tag: Label | msgspec.UnsetType = msgspec.UNSET
    text: Annotated[str, msgspec.Meta(max_length=LONGEST_NOTE)] | msgspec.UnsetType = msgspec.UNSET
    outcome: Text | None = None
    duration_seconds: Annotated[int, msgspec.Meta(ge=0)] | None = None


decode = msgspec.json.Decoder(Remarked).decode
_WORDS: dict[str, tuple[str, Callable[[str], tuple[str, str]]]] = {
    OWNER_ASSIGNED: ("owner", lambda owner: (OWNER, owner.lower())),
    STAGE_SET: ("stage", lambda stage: (STAGE, stage)),
    TAG_ADDED: ("tag", lambda tag: (TAG + tag, ADDED)),
    TAG_REMOVED: ("tag", lambda tag: (TAG + tag, REMOVED)),
}
"""Type → the field of its data, and what is set by it."""


def remark(event_type: str, said: Remarked) -> Remark:
    """What an event of `REMARKS` says. Raises Unreadable with the field that is missing or no id."""
    record = from_text(said.record)
    if record is None:
        raise Unreadable(f"{said.record[:64]!r} is no id", "data.record")
    field, told = _WORDS.get(event_type, ("text", None))
    value = getattr(said, field)
    if value is msgspec.UNSET:
        raise Unreadable("missing", f"data.{field}")
    by_person = said.rule is None and not said.by.startswith(BY_RULE)
    if told is not None:
        return Remark(record, *told(value or ""), by_person=by_person)
    if not by_person:
        raise Unreadable("a rule writes no notes and makes no calls", "data.by")
    return Remark(record)
