"""Shopify: orders, refunds, customers and checkouts of a shop."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from decimal import Decimal
from typing import Any

import orjson

from hub.components import Reading, Request, Sample, Source
from hub.errors import Reject
from hub.identity import normalise
from producers.gateway.records import hash_of_bytes
from producers.payload import Part, check_type, read_object, told
from producers.signatures import Signature, Signed

SIGNATURE = Signature(header="X-Shopify-Hmac-SHA256", id="X-Shopify-Webhook-Id")
WITHOUT_X = Signature(header="Shopify-Hmac-SHA256", id="Shopify-Webhook-Id")
BRANDS = ("x-shopify", "shopify")
LONGEST_TOPIC = 256


class Settings(Signed):
    """A shop's table in hub.toml."""


def verify(settings: Settings, request: Request) -> None:
    """Raises BadProof for a body that the shop's secret did not sign, WrongType where it says that it is no JSON."""
    plain = WITHOUT_X.header.lower() in request.headers and SIGNATURE.header.lower() not in request.headers
    (WITHOUT_X if plain else SIGNATURE).verify(settings.secret, request)
    check_type(request)


def read(_settings: Settings, request: Request) -> Sequence[Reading]:
    """One event, by the topic in its header. Raises Unreadable or Reject for a body that is not what its topic says."""
    topic = _header(request, "topic")
    if topic is None:
        raise Reject("a delivery says its topic", "x-shopify-topic")
    identity = _natural_id(request, topic)
    if topic not in TOPICS:
        return [Reading("source.ignored", identity, {"topic": topic[:LONGEST_TOPIC]})]
    event_type, reader = TOPICS[topic]
    body = read_object(request.body)
    return [Reading(event_type, identity, reader(body), _time(body))]


def sign(settings: Settings, body: bytes, _at: str, identity: str) -> Mapping[str, str]:
    """The headers of a delivery; Shopify signs no time."""
    return SIGNATURE.headers(settings.secret[0], body, 0, identity)


def heeds(_settings: Settings) -> Collection[str]:
    """The topic and the ids stand in headers alone."""
    return [f"{brand}-{name}" for brand in BRANDS for name in ("topic", "webhook-id", "event-id")]


def _header(request: Request, name: str) -> str | None:
    return next(filter(None, (request.headers.get(f"{brand}-{name}") for brand in BRANDS)), None)


def _natural_id(request: Request, topic: str) -> str:
    """The delivery's id. One event is told under several topics: its id names a delivery together with the topic."""
    delivery, event = _header(request, "webhook-id"), _header(request, "event-id")
    return delivery or (f"{event} {topic}" if event else hash_of_bytes(request.raw_body))


def _time(body: Part) -> str | None:
    """When the thing was last changed; a refund never is, and has no `updated_at`."""
    return body.first("updated_at", "processed_at", "created_at")


def _order(order: Part) -> dict[str, Any]:
    identity, checkout = order.needed("id"), order.first("checkout_token", "checkout_id")
    told_of = told(
        id=identity,
        number=order.first("name", "order_number"),
        status=_status(order),
        total=order.amount("total_price"),
        currency=order.text("currency"),
        items=_items(order),
    )
    things = [f"order:{identity}", *([f"checkout:{checkout}"] if checkout else [])]
    return {"contact": _buyer(order) | {"objects": things}, "order": told_of}


def _status(order: Part) -> str | None:
    if order.text("cancelled_at"):
        return "cancelled"
    paid, sent = order.text("financial_status"), order.text("fulfillment_status")
    return sent if paid == "paid" and sent else paid


def _items(whole: Part) -> list[dict[str, Any]]:
    return [
        told(
            id=item.text("product_id"),
            name=item.first("name", "title"),
            sku=item.text("sku"),
            quantity=item.count("quantity"),
            price=item.amount("price"),
        )
        for item in whole.parts("line_items")
    ]


def _refund(refund: Part) -> dict[str, Any]:
    order = refund.needed("order_id")
    paid_back = [one for one in refund.parts("transactions") if one.text("kind") in {None, "refund"}]
    paid_back = [one for one in paid_back if one.text("status") in {None, "success", "pending"}]
    amounts = [Decimal(amount) for one in paid_back if (amount := one.amount("amount"))]
    told_of = told(
        id=refund.text("id"),
        total=str(sum(amounts)) if amounts else None,
        currency=next(filter(None, (one.text("currency") for one in paid_back)), None),
        reason=refund.text("note"),
    )
    return told(contact={"objects": [f"order:{order}"]}, order={"id": order}, refund=told_of)


def _customer(customer: Part) -> dict[str, Any]:
    return {"contact": {"id": customer.needed("id")} | _person(customer, customer, ())}


def _checkout(checkout: Part) -> dict[str, Any]:
    identity = checkout.text("token") or checkout.needed("id")
    told_of = told(
        id=identity,
        total=checkout.amount("total_price"),
        currency=checkout.first("currency", "presentment_currency"),
        url=checkout.text("abandoned_checkout_url"),
        completed_at=checkout.text("completed_at"),
        items=_items(checkout),
    )
    return {"contact": _buyer(checkout) | {"objects": [f"checkout:{identity}"]}, "checkout": told_of}


def _buyer(whole: Part) -> dict[str, Any]:
    """Who ordered: the customer, else what the order and its addresses say."""
    addresses = (whole.part("billing_address"), whole.part("shipping_address"))
    return _person(whole.part("customer"), whole, addresses)


def _person(customer: Part, whole: Part, addresses: Sequence[Part]) -> dict[str, Any]:
    """The contact's words, the customer's own first.

    An address under another name is somebody else's (a present, a firm's accounting): it says nothing of this person.
    """
    addresses = (*addresses, customer.part("default_address"))
    words = next(filter(None, map(_name, (customer, *addresses))), {})
    theirs = [one for one in addresses if _folded(one) in {"", _fold(words)}]
    home = next(filter(None, (one.text("country_code") for one in reversed(theirs))), None)
    bought = next(filter(None, (one.text("country_code") for one in theirs)), None)
    phones = [(customer, home), (whole, bought), *((one, one.text("country_code")) for one in theirs)]
    return told(
        id=customer.text("id"),
        email=customer.text("email") or whole.first("email", "contact_email"),
        phone=next((_number(phone, country) for one, country in phones if (phone := one.text("phone"))), None),
        **words,
        **_traits(customer, theirs),
    )


def _traits(customer: Part, theirs: Sequence[Part]) -> dict[str, Any]:
    """What the shop knows beside: where the customer lives, unless that is somebody else's, and what it calls them."""
    home = customer.part("default_address")
    home = home if home in theirs else Part({})
    tags = customer.text("tags")
    return told(
        company=home.text("company"),
        address=told(
            street=" ".join(filter(None, (home.text("address1"), home.text("address2")))),
            postcode=home.text("zip"),
            city=home.text("city"),
            region=home.first("province_code", "province"),
            country=home.first("country_code", "country"),
        ),
        email_verified=customer.flag("verified_email") if customer.text("email") else None,
        tags=[one.strip() for one in tags.split(",") if one.strip()] if tags else None,
    )


def _name(person: Part) -> dict[str, str]:
    parted = told(given_name=person.text("first_name"), family_name=person.text("last_name"))
    return parted or told(name=person.text("name"))


def _folded(person: Part) -> str:
    return _fold(_name(person))


def _fold(words: Mapping[str, str]) -> str:
    return normalise.fold(" ".join(words.values()))


def _number(written: str, country: str | None) -> str:
    """The phone as written; in international form where it is a number of the address's country."""
    if country is None or written.lstrip().startswith("+"):
        return written
    number = normalise.phone(written, country.upper())
    return number.value if number else written


def _sample(_settings: Settings, at: str, identity: str) -> Sample:
    """An order of the hub's own test."""
    customer = {"id": "hub-test", "email": "hub-test@example.com", "first_name": "Hub", "last_name": "Test"}
    order = {"id": f"test-{identity}", "name": "#test", "email": customer["email"], "updated_at": at}
    order |= {"total_price": "19.90", "currency": "EUR", "financial_status": "paid"}
    headers = {"content-type": "application/json", "x-shopify-topic": "orders/create"}
    return Sample(orjson.dumps(order | {"customer": customer}), headers)


TOPICS: Mapping[str, tuple[str, Callable[[Part], dict[str, Any]]]] = {
    "orders/create": ("order.placed", _order),
    "orders/updated": ("order.updated", _order),
    "orders/paid": ("order.paid", _order),
    "orders/cancelled": ("order.cancelled", _order),
    "orders/fulfilled": ("order.updated", _order),
    "refunds/create": ("order.refunded", _refund),
    "customers/create": ("contact.updated", _customer),
    "customers/update": ("contact.updated", _customer),
    "checkouts/create": ("checkout.updated", _checkout),
    "checkouts/update": ("checkout.updated", _checkout),
}
"""What is read, and what it becomes; every other topic is ignored, the three about privacy among them."""

SHOPIFY = Source(
    name="shopify",
    description="Orders, refunds, customers and checkouts of a Shopify shop, signed over the raw body.",
    settings=Settings,
    verify=verify,
    read=read,
    heeds=heeds,
    topic="inbound.shop",
    sign=sign,
    sample=_sample,
)
