"""What people and tools say about a contact by hand. What is written down in the hub itself: `schemas.events.hub`."""

from __future__ import annotations

from schemas.envelope import Raw
from schemas.identifiers import Contact, Shape


class Occurrence(Shape):
    """Any event about a person: who, and a text for people to read; further fields are kept as they are."""

    contact: Contact | None = None
    text: str | None = None
    raw: Raw | None = None


class ContactUpdated(Occurrence):
    """A tool states what it knows of a contact."""


class NoteAdded(Occurrence):
    """Somebody wrote a note about the contact."""


class CallLogged(Occurrence):
    """Somebody spoke with the contact."""
