"""What the edge itself says about a request it accepted but could not turn into an event."""

from __future__ import annotations

from schemas.envelope import Raw
from schemas.identifiers import Shape


class SourceUnreadable(Shape):
    """The proof held, the reading failed: becomes a dead letter with these bytes."""

    reason: str
    field: str | None = None
    raw: Raw


class SourceIgnored(Shape):
    """A verified delivery of a kind that is not mapped: an activity of nobody."""

    raw: Raw | None = None
