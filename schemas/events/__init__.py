"""Every event type by name; one file per noun."""

from __future__ import annotations

from schemas.events.consent import ConsentStated
from schemas.events.contact import CallLogged, ContactUpdated, NoteAdded, Occurrence
from schemas.events.decision import DecisionWithdrawn, RecordsErased, RecordsMerged, RecordsParted
from schemas.events.email import EmailReceived, EmailReplied
from schemas.events.form import FormSubmitted
from schemas.events.hub import (
    OwnerAssigned,
    StageSet,
    TagChanged,
    TaskAssigned,
    TaskCreated,
    TaskMarked,
    TaskPostponed,
)
from schemas.events.shop import CheckoutUpdated, OrderChanged, OrderRefunded, SubscriptionCancelled
from schemas.events.source import SourceIgnored, SourceUnreadable
from schemas.events.ticket import TicketChanged
from schemas.events.tracking import EventTracked, GroupJoined, PageViewed, ProductViewed, ScreenViewed
from schemas.identifiers import Shape

EVENTS: dict[str, type[Shape]] = {
    "form.submitted": FormSubmitted,
    "contact.updated": ContactUpdated,
    "note.added": NoteAdded,
    "call.logged": CallLogged,
    "consent.given": ConsentStated,
    "consent.withdrawn": ConsentStated,
    "email.received": EmailReceived,
    "email.replied": EmailReplied,
    "ticket.opened": TicketChanged,
    "ticket.commented": TicketChanged,
    "ticket.updated": TicketChanged,
    "ticket.solved": TicketChanged,
    "order.placed": OrderChanged,
    "order.updated": OrderChanged,
    "order.paid": OrderChanged,
    "order.cancelled": OrderChanged,
    "order.refunded": OrderRefunded,
    "checkout.updated": CheckoutUpdated,
    "subscription.cancelled": SubscriptionCancelled,
    "event.tracked": EventTracked,
    "page.viewed": PageViewed,
    "screen.viewed": ScreenViewed,
    "product.viewed": ProductViewed,
    "group.joined": GroupJoined,
    "records.merged": RecordsMerged,
    "records.parted": RecordsParted,
    "decision.withdrawn": DecisionWithdrawn,
    "records.erased": RecordsErased,
    "owner.assigned": OwnerAssigned,
    "stage.set": StageSet,
    "tag.added": TagChanged,
    "tag.removed": TagChanged,
    "task.created": TaskCreated,
    "task.done": TaskMarked,
    "task.waiting": TaskMarked,
    "task.reopened": TaskMarked,
    "task.dropped": TaskMarked,
    "task.assigned": TaskAssigned,
    "task.postponed": TaskPostponed,
    "source.unreadable": SourceUnreadable,
    "source.ignored": SourceIgnored,
}
"""Types with fields of their own. Any other inbound type is read as an `Occurrence`."""


def shape_of(event_type: str) -> type[Shape]:
    """The data's shape for an inbound event type."""
    return EVENTS.get(event_type, Occurrence)
