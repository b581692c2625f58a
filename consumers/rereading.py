"""An activity read once more, as the fact that it was written from. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from consumers.reading import Attributes, fact_of
from hub.identity.evidence import Fact
from hub.identity.ids import as_text
from hub.storage.erasure import Written


def reread(one: Written, regions: Mapping[str, str | None]) -> Fact:
    """The fact of an activity; `regions` holds the country of each source's phones."""
    origin = one.source, regions.get(one.source, regions.get(""))
    attributes = Attributes(as_text(one.event), one.source, one.type, one.at, None, one.received_at, one.trusted)
    return fact_of(attributes, one.data, one.event, origin)
