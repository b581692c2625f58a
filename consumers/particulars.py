"""What an event says beside who it is about: the order, the refund, the ticket. Only types that have such are read."""

from __future__ import annotations

import msgspec

from hub.identity import things
from hub.identity.things import Thing


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


_bought = msgspec.json.Decoder(Bought).decode
_asked = msgspec.json.Decoder(Asked).decode


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
