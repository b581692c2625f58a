"""Which of the sources in hub.toml take mail."""

from __future__ import annotations

from hub.settings import Settings
from producers.sources import SOURCES


def has_mail(settings: Settings) -> bool:
    """Whether the role has anything to do."""
    doors = {source.name: source.door for source in SOURCES}
    return any(doors.get(table.kind) == "mail" for table in settings.sources.values())
