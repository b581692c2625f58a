"""Zendesk: tickets and users, as event subscriptions tell them and as triggers do.

The requester alone gives identifiers: neither the agent nor whoever wrote a comment is the contact.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import orjson
from pydantic import Field

from hub.components import Reading, Request, Sample, Source
from producers.gateway.records import hash_of_bytes
from producers.payload import Part, check_type, read_object, told
from producers.signatures import Signature, Signed

SIGNATURE = Signature(
    header="X-Zendesk-Webhook-Signature",
    signs="{timestamp}{body}",
    timestamp="X-Zendesk-Webhook-Signature-Timestamp",
)
TIMESTAMP = "x-zendesk-webhook-signature-timestamp"
INVOCATION = "x-zendesk-webhook-invocation-id"
EVENT_TYPE = "zen:event-type"
LONGEST_NOTE = 256

TRIGGERED = frozenset({"ticket.opened", "ticket.commented", "ticket.updated", "ticket.solved"})
SOLVED = frozenset({"solved", "closed"})
TELLS_OF_CONTACT = frozenset(
    {"created", "updated", "name_changed", "identity_created", "identity_changed", "identity_deleted"}
    | {"email_changed", "phone_changed"}
)
"""What happens to users and concerns who they are."""

STAFF = frozenset({"agent", "admin"})


class Settings(Signed):
    """A support desk's table in hub.toml."""

    tolerance_seconds: int = Field(
        default=300, gt=0, description="How old, or how early, the time of a signature may be."
    )


def verify(settings: Settings, request: Request) -> None:
    """Raises BadProof for a wrong signature or an old one, WrongType where the body says that it is no JSON."""
    _signature(settings.tolerance_seconds).verify(settings.secret, request)
    check_type(request)


@lru_cache(maxsize=16)
def _signature(tolerance_seconds: int) -> Signature:
    return SIGNATURE.model_copy(update={"tolerance_seconds": tolerance_seconds})


def read(_settings: Settings, request: Request) -> Sequence[Reading]:
    """One event. Raises Unreadable or Reject for a body that is neither a subscription's event nor the template."""
    body = read_object(request.body)
    event = body.text("type") or ""
    if event.startswith(EVENT_TYPE):
        return [_subscribed(event, body, _natural_id(body.text("id"), request))]
    return [_triggered(body, _natural_id(None, request))]


def sign(settings: Settings, body: bytes, at: str, identity: str) -> Mapping[str, str]:
    """The headers of a delivery at that time."""
    signature = SIGNATURE.sign(settings.secret[0], at.encode() + body)
    return {SIGNATURE.header.lower(): signature, TIMESTAMP: at, INVOCATION: identity}


def _natural_id(stated: str | None, request: Request) -> str:
    return stated or request.headers.get(INVOCATION) or hash_of_bytes(request.raw_body)


def _subscribed(event: str, body: Part, identity: str) -> Reading:
    noun, _, verb = event.removeprefix(EVENT_TYPE).lstrip(":/").partition(".")
    detail = body.part("detail")
    time = detail.text("updated_at") or body.text("time")
    if noun == "ticket":
        event_type, text = _happened(verb, detail, body.part("event"))
        contact = told(id=detail.text("requester_id"))
        return Reading(event_type, identity, _ticket(detail, contact, text), time)
    if noun == "user" and verb in TELLS_OF_CONTACT and detail.text("role") not in STAFF:
        return Reading("contact.updated", identity, {"contact": _user(verb, detail, body.part("event"))}, time)
    return Reading("source.ignored", identity, {"type": event[:LONGEST_NOTE]}, time)


def _happened(verb: str, detail: Part, event: Part) -> tuple[str, str | None]:
    """The event's type, and what was written."""
    if verb == "created":
        return "ticket.opened", detail.prose("description")
    if verb == "comment_added":
        return "ticket.commented", event.part("comment").prose("body")
    solved = verb == "status_changed" and (event.text("current") or "").lower() in SOLVED
    return "ticket.solved" if solved else "ticket.updated", None


def _ticket(ticket: Part, contact: Mapping[str, str], text: str | None) -> dict[str, Any]:
    identity, status, priority = ticket.needed("id"), ticket.text("status"), ticket.text("priority")
    told_of = told(
        id=identity,
        subject=ticket.prose("subject"),
        status=status and status.lower(),
        priority=priority and priority.lower(),
        created_at=ticket.text("created_at"),
        updated_at=ticket.text("updated_at"),
    )
    return told(contact={**contact, "objects": [f"ticket:{identity}"]}, ticket=told_of, text=text)


def _user(verb: str, detail: Part, event: Part) -> dict[str, str]:
    """The user as the event leaves it; a new name, or a first address, stands in the event alone."""
    identity = event.part("identity") if verb in {"identity_created", "identity_changed"} else Part({})
    new = {identity.text("type"): identity.text("value")}
    return {"id": detail.needed("id")} | told(
        email=detail.text("email") or new.get("email"),
        phone=detail.text("phone") or new.get("phone_number"),
        name=event.text("current") if verb == "name_changed" else detail.text("name"),
    )


def _triggered(body: Part, identity: str) -> Reading:
    event = body.text("event")
    if event is None or event not in TRIGGERED:
        return Reading("source.ignored", identity, told(event=event and event[:LONGEST_NOTE]))
    ticket = body.part("ticket")
    requester = ticket.part("requester")
    contact = told(**{name: requester.text(name) for name in ("id", "email", "phone", "name", "language")})
    new = event in {"ticket.opened", "ticket.commented"}
    text = ticket.prose("comment") or (ticket.prose("description") if new else None)
    return Reading(event, identity, _ticket(ticket, contact, text), ticket.text("updated_at"))


def _sample(_settings: Settings, at: str, identity: str) -> Sample:
    """A ticket of the hub's own test."""
    requester = {"id": "hub-test", "name": "Hub Test", "email": "hub-test@example.com", "phone": ""}
    ticket = {"id": f"test-{identity}", "subject": "A test event.", "status": "New", "updated_at": at}
    body = {"event": "ticket.opened", "ticket": ticket | {"requester": requester}}
    return Sample(orjson.dumps(body), {"content-type": "application/json"})


ZENDESK = Source(
    name="zendesk",
    description="Tickets and users of a Zendesk desk: event subscriptions and triggers, signed with their time.",
    settings=Settings,
    verify=verify,
    read=read,
    heeds=lambda _: (INVOCATION,),
    topic="inbound.support",
    sign=sign,
    sample=_sample,
)
