"""An activity read once more, as the fact that it was written from. Pure."""

from __future__ import annotations

from collections.abc import Mapping

import orjson

from consumers.deciding import Occasion, remarked
from consumers.reading import Attributes, fact_of
from consumers.remarking import REMARKS
from consumers.remarking import decode as decode_remark
from hub.identity.evidence import Fact, unheard
from hub.identity.ids import as_text
from hub.storage.erasure import Written
from schemas.envelope import HUB


def reread(one: Written, regions: Mapping[str, str | None]) -> Fact:
    """The fact of an activity; `regions` holds the country of each source's phones.

    Whose it is was settled when it was written: under other regions a number might make another record of it today.
    """
    if is_remark(one):
        occasion = Occasion(one.event, as_text(one.event), one.type, one.at, one.received_at)
        return remarked(occasion, decode_remark(one.data), one.data)
    origin = one.source, regions.get(one.source, regions.get(""))
    attributes = Attributes(as_text(one.event), one.source, one.type, one.at, None, one.received_at, one.trusted)
    fact = fact_of(attributes, one.data, one.event, origin)
    who = (fact.who or unheard(one.record))._replace(
        record=one.record, source=one.source, kind=one.kind, key_namespace=one.key_namespace, key=one.key
    )
    return fact._replace(who=who)


def is_remark(one: Written) -> bool:
    """Whether the hub itself said it: such a one names its record, what others say under a record names a contact."""
    return one.type in REMARKS and one.source == HUB and "contact" not in orjson.loads(one.data)
