"""What support desks say."""

from __future__ import annotations

from schemas.events.contact import Occurrence
from schemas.identifiers import Shape


class Ticket(Shape):
    """A ticket as the desk holds it; times as the desk writes them."""

    id: str
    subject: str | None = None
    status: str | None = None
    priority: str | None = None
    created_at: str | None = None
    updated_at: str | None = None


class TicketChanged(Occurrence):
    """A ticket was opened, commented, updated or solved. The contact is its requester, whoever wrote."""

    ticket: Ticket | None = None
