"""A touch as the tools of the departments say it: a mail, a ticket of the support desk, an order of the shop."""

from __future__ import annotations

from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP

import orjson

from hub import clock
from hub.demo.company import Touch
from hub.demo.people import Person

COMPANY = "the-company.example"
ADDRESS = f"hello@{COMPANY}"
COMPLAINTS = (
    "Complaint: the parcel came, but one chair is missing.",
    "The lamp flickers since Tuesday.",
    "How do I change the delivery address?",
    "The invoice names the wrong company.",
)
LETTERS = (
    "Thank you for the quick answer. Could you send me the catalogue as well?",
    "I was in your shop on Friday and have one more question about the table.",
    "Please call me when the next delivery has arrived.",
)
GOODS = ("lamp", "oak table", "two chairs", "tool case", "coffee machine", "desk")
QUOTED = "\n\n--\n{name}\n\nOn Monday, The Company <{inbox}> wrote:\n> Dear customer,\n> thank you for your message.\n"

Wire = tuple[str, dict[str, str], bytes]


def mail(_: str, natural: str, touch: Touch) -> Wire:
    """A mail as its writer's program sends it, with a signature and a quotation below."""
    who, how = touch.person, touch.spelling
    address = who.email(0, moved=touch.moved)
    letter = EmailMessage(policy=SMTP)
    letter["From"] = Address(f"{who.given} {who.family}", addr_spec=address)
    letter["To"] = ADDRESS
    letter["Subject"] = ("A question", "Re: Your message", "Catalogue", "Réponse à votre message")[how % 4]
    letter["Date"] = touch.at
    letter["Message-ID"] = f"<{natural}@{address.rpartition('@')[2]}>"
    letter.set_content(LETTERS[how % len(LETTERS)] + QUOTED.format(name=who.given, inbox=ADDRESS))
    return ADDRESS, {"from": address}, bytes(letter)


def ticket(source: str, natural: str, touch: Touch) -> Wire:
    """What the trigger of a Zendesk desk posts: its requester is known by address and by number."""
    who, at = touch.person, clock.text(touch.at)
    complaint = COMPLAINTS[touch.spelling % len(COMPLAINTS)]
    requester = {
        "id": who.desk,
        "name": f"{who.given} {who.family}",
        "email": who.email(0, moved=touch.moved),
        "phone": who.phone(touch.spelling, moved=touch.moved),
    }
    is_solved = touch.kind == "solve"
    said = {
        "id": str(40_000 + touch.about),
        "subject": complaint,
        "description": complaint,
        "status": "solved" if is_solved else "new",
        "priority": ("normal", "high", "urgent")[touch.spelling % 3],
        "created_at": at,
        "updated_at": at,
        "requester": requester,
    }
    headers = {"content-type": "application/json", "x-zendesk-webhook-invocation-id": natural}
    event = "ticket.solved" if is_solved else "ticket.opened"
    return f"/in/{source}", headers, orjson.dumps({"event": event, "ticket": said})


def order(source: str, natural: str, touch: Touch) -> Wire:
    """What a Shopify shop posts when somebody has bought, or paid."""
    who = touch.person
    topic = "orders/paid" if touch.kind == "paid" else "orders/create"
    total = f"{19 + touch.spelling * 7}.90"
    said = {
        "id": 820_000_000 + touch.first,
        "name": f"#{1000 + touch.first}",
        "email": who.email(0, moved=touch.moved),
        "updated_at": clock.text(touch.at),
        "currency": "EUR",
        "total_price": total,
        "financial_status": "paid" if touch.kind == "paid" else "pending",
        "customer": _customer(who, touch),
        "line_items": [
            {"id": 7, "title": GOODS[touch.spelling % len(GOODS)], "quantity": 1 + touch.spelling % 3, "price": total}
        ],
    }
    headers = {"content-type": "application/json", "x-shopify-topic": topic, "x-shopify-webhook-id": natural}
    return f"/in/{source}", headers, orjson.dumps(said)


def cart(source: str, natural: str, touch: Touch) -> Wire:
    """What a Shopify shop posts of a checkout that nobody has finished."""
    said = {
        "token": natural,
        "email": touch.person.email(0, moved=touch.moved),
        "updated_at": clock.text(touch.at),
        "currency": "EUR",
        "total_price": f"{29 + touch.spelling * 5}.90",
        "completed_at": None,
        "customer": _customer(touch.person, touch),
        "line_items": [{"id": 9, "title": GOODS[touch.spelling % len(GOODS)], "quantity": 1}],
    }
    headers = {
        "content-type": "application/json",
        "x-shopify-topic": "checkouts/update",
        "x-shopify-webhook-id": natural,
    }
    return f"/in/{source}", headers, orjson.dumps(said)


def _customer(who: Person, touch: Touch) -> dict[str, object]:
    return {
        "id": int(who.shop),
        "email": who.email(0, moved=touch.moved),
        "first_name": who.given,
        "last_name": who.family,
        "phone": who.phone(0, moved=touch.moved) if touch.spelling % 2 else None,
    }
