"""What shops and payment say. Amounts are decimal texts, as `19.90`, in the currency beside them."""

from __future__ import annotations

from pydantic import Field

from schemas.events.contact import Occurrence
from schemas.identifiers import Shape


class Item(Shape):
    """A line of an order."""

    id: str | None = Field(default=None, description="The product's id in the shop.")
    name: str | None = None
    sku: str | None = None
    quantity: int | None = None
    price: str | None = None


class Order(Shape):
    """An order as the shop holds it."""

    id: str
    number: str | None = None
    status: str | None = None
    total: str | None = None
    currency: str | None = None
    items: list[Item] | None = None


class OrderChanged(Occurrence):
    """An order was placed, updated, paid or cancelled."""

    order: Order | None = None


class Refund(Shape):
    """Money that went back."""

    id: str | None = None
    total: str | None = None
    currency: str | None = None
    reason: str | None = None


class OrderRefunded(Occurrence):
    """Money of an order went back, all of it or a part."""

    order: Order | None = None
    refund: Refund | None = None


class Checkout(Shape):
    """A cart on its way to the till."""

    id: str
    total: str | None = None
    currency: str | None = None
    url: str | None = None
    completed_at: str | None = None
    items: list[Item] | None = None


class CheckoutUpdated(Occurrence):
    """A checkout was begun, changed or completed."""

    checkout: Checkout | None = None


class Subscription(Shape):
    """Something that is paid for again and again."""

    id: str
    status: str | None = None
    reason: str | None = None
    items: list[Item] | None = None


class SubscriptionCancelled(Occurrence):
    """A subscription ended, or will not go on."""

    subscription: Subscription | None = None
