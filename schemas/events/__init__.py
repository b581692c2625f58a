"""Every event type by name; one file per noun."""

from __future__ import annotations

from schemas.events.contact import CallLogged, ContactUpdated, NoteAdded, Occurrence
from schemas.events.form import FormSubmitted
from schemas.events.source import SourceIgnored, SourceUnreadable
from schemas.identifiers import Shape

EVENTS: dict[str, type[Shape]] = {
    "form.submitted": FormSubmitted,
    "contact.updated": ContactUpdated,
    "note.added": NoteAdded,
    "call.logged": CallLogged,
    "source.unreadable": SourceUnreadable,
    "source.ignored": SourceIgnored,
}
"""Types with fields of their own. Any other inbound type is read as an `Occurrence`."""


def shape_of(event_type: str) -> type[Shape]:
    """The data's shape for an inbound event type."""
    return EVENTS.get(event_type, Occurrence)
