"""What tracking clients say of visitors."""

from __future__ import annotations

from typing import Any

from schemas.events.contact import Occurrence


class EventTracked(Occurrence):
    """Something happened that the client calls `name`."""

    name: str | None = None
    properties: dict[str, Any] | None = None


class ProductViewed(EventTracked):
    """Somebody looked at a product."""


class PageViewed(EventTracked):
    """Somebody looked at a page."""


class ScreenViewed(EventTracked):
    """Somebody looked at a screen of an app."""


class GroupJoined(EventTracked):
    """A person belongs to a group, for instance a company; `name` is the group's id."""
