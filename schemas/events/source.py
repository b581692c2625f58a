"""What the edge itself says about a request it accepted but could not turn into an event."""

from __future__ import annotations

from pydantic import Field

from schemas.envelope import Raw
from schemas.identifiers import Shape


class SourceUnreadable(Shape):
    """The proof held, the reading failed: becomes a dead letter with these bytes."""

    reason: str
    field: str | None = None
    headers: dict[str, str] | None = Field(default=None, description="Headers without which it could not be read.")
    raw: Raw


class SourceIgnored(Shape):
    """A verified delivery of a kind that is not mapped: an activity of nobody."""

    raw: Raw | None = None
