"""What an event says beside who it is about: an order, a refund, a ticket, a consent. Few types do."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Literal

import msgspec

from hub.errors import Unreadable
from hub.identity import things
from hub.identity.consent import STATES, Consent
from hub.identity.evidence import Who
from hub.identity.things import Thing

LONGEST_HOPS = 3
"""Digits of the number of tools that an event has passed."""


class Order(msgspec.Struct):
    """What the hub reads of `schemas.events.shop.Order`."""

    id: str
    status: str | None = None
    total: str | None = None
    currency: str | None = None


class Refund(msgspec.Struct):
    """What the hub reads of `schemas.events.shop.Refund`."""

    id: str | None = None
    total: str | None = None
    currency: str | None = None


class Bought(msgspec.Struct):
    """The data of `order.*`."""

    order: Order | None = None
    refund: Refund | None = None


class Ticket(msgspec.Struct):
    """What the hub reads of `schemas.events.ticket.Ticket`."""

    id: str


class Asked(msgspec.Struct):
    """The data of `ticket.*`."""

    ticket: Ticket | None = None


class Allowed(msgspec.Struct):
    """The data of `consent.given` and `consent.withdrawn`."""

    purpose: str = "marketing"
    channel: Literal["email", "phone"] | None = None


_PURPOSE = re.compile(r"[a-z0-9_-]{1,64}")
_bought = msgspec.json.Decoder(Bought).decode
_asked = msgspec.json.Decoder(Asked).decode
_allowed = msgspec.json.Decoder(Allowed).decode


def things_of(event_type: str, value: bytes, event: str) -> tuple[Thing, ...]:
    """The things that an event tells of; `event` names a refund that has no id. Raises msgspec.ValidationError."""
    if event_type.startswith("order."):
        return tuple(_orders(event_type, _bought(value), event))
    if event_type.startswith("ticket."):
        ticket = _asked(value).ticket
        return (things.ticket(ticket.id),) if ticket and ticket.id.strip() else ()
    return ()


def _orders(event_type: str, said: Bought, event: str) -> list[Thing]:
    order, refund = said.order, said.refund
    if order is None or not order.id.strip():
        return []
    cancelled = event_type == "order.cancelled"
    found = [
        things.order(order.id, order.total or "", order.currency or "", cancelled=cancelled, status=order.status or "")
    ]
    if refund:
        back = things.refund(refund.id or event, refund.total or "", refund.currency or "", order.id)
        found += [back] if back else []
    return found


def consents_of(event_type: str, value: bytes, who: Who | None) -> tuple[Consent, ...]:
    """What an event says that its contact allows. None is passed over in silence: it might be a withdrawal.

    Raises Unreadable for a purpose that is none and for a contact without the address in question.
    """
    state = STATES.get(event_type)
    if state is None:
        return ()
    said = _allowed(value)
    if not _PURPOSE.fullmatch(said.purpose):
        raise Unreadable("a purpose is small letters, digits, _ and -, 64 at the most", "data.purpose")
    stated = dict(who.fields) if who else {}
    points = [stated[name] for name in ("email", "phone") if name in stated and said.channel in {None, name}]
    if not points:
        raise Unreadable("a consent is about an e-mail address or a phone number", "data.contact")
    return tuple(Consent(f"{said.purpose}.{point}", state) for point in points)


@lru_cache(maxsize=1024)
def hops_of(written: bytes) -> int:
    """How many tools an event has passed; none where nothing is said. Raises Unreadable."""
    if written and not (written.isdigit() and len(written) <= LONGEST_HOPS):
        raise Unreadable(f"hops is a number of {LONGEST_HOPS} digits at the most", "ce_hops")
    return int(written or b"0")
