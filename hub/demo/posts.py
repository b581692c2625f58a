"""A touch as the request that carries it: a form's post, a mail, a desk's or a shop's webhook, or a CloudEvent."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta, timezone
from urllib.parse import urlencode

import orjson

from hub import clock
from hub.demo import company, departments
from hub.demo.company import Kind, Plan, Touch, touches

FORM_KEY = "pk_demo"
FORMS = ("contact-form", "offer-form")
KEYS = ("crm", "phone")
SIGNED = ("desk", "shop")
INBOX = "inbox"
SOURCES = (*FORMS, INBOX, *SIGNED, *KEYS)
DEPARTMENTS: Mapping[str, tuple[str, ...]] = {
    "web forms": FORMS,
    "e-mail": (INBOX,),
    "support desk": ("desk",),
    "shop": ("shop",),
    "sales, phone": KEYS,
}
"""Whose sources they are."""
HOME = timezone(timedelta(hours=1))
"""Where the web site's clock hangs."""
BOUNDARY = "----the-simulated-company"

QUESTIONS = (
    "Do you deliver on Saturdays?",
    "My order has not arrived yet, could you look into it?",
    "Is the blue one still to be had?",
    "I should like to change my address.",
    "Please call me back in the afternoon.",
)
WISHES = ("Twenty of them, by the end of the month.", "An offer for our office, please.", "The same as last year.")
TALKS = ("Asked for the invoice again.", "Wants a date next week.", "Very pleased, will order more.", "Left a message.")
NOTES = ("Prefers e-mail.", "Birthday in May.", "Asked for a discount of five per cent.", "Met at the fair.")


@dataclass(frozen=True, slots=True)
class Post:
    """One request: from which source, when it is to be sent (in seconds after the start), and its bytes.

    It carries a form's key already, for that is public; key or signature of any other source come with the sender. Of a
    mail, `path` is the receiver and the headers hold the sender; its body is the whole mail.
    """

    number: int
    offset: float
    source: str
    is_repeat: bool
    path: str
    headers: Mapping[str, str]
    body: bytes


def posts(plan: Plan) -> Iterator[Post]:
    """What the company sends, in order, without an end."""
    return (post(plan, touch) for touch in touches(plan))


def run(plan: Plan, planned: int) -> Iterator[Post]:
    """So many of them, and what the desk has to solve then."""
    return (post(plan, touch) for touch in company.run(plan, planned))


def post(plan: Plan, touch: Touch) -> Post:
    """The request of a touch. A repeat has the bytes and the id of the request that it repeats."""
    source, make = WAYS[touch.kind]
    natural = f"{plan.seed}-{plan.people}-{touch.first}"
    path, headers, body = make(source, natural, touch)
    return Post(touch.number, touch.offset, source, touch.is_repeat, path, headers, body)


Wire = tuple[str, dict[str, str], bytes]
Said = Mapping[str, object]
Make = Callable[[str, str, Touch], Wire]


def _form(say: Callable[[Touch], Said]) -> Make:
    return lambda source, natural, touch: _submitted(source, natural, touch, say(touch))


def _event(say: Callable[[Touch], Said]) -> Make:
    return lambda source, natural, touch: _told(source, natural, touch, say(touch))


def _submitted(source: str, natural: str, touch: Touch, said: Said) -> Wire:
    at = touch.at.astimezone(HOME).isoformat(timespec="milliseconds")
    fields = {**said, "submitted_at": at}
    content_type, body = ENCODINGS[touch.spelling % 3](fields)
    return f"/in/{source}?key={FORM_KEY}", {"idempotency-key": natural, "content-type": content_type}, body


def _urlencoded(fields: Said) -> tuple[str, bytes]:
    return "application/x-www-form-urlencoded", urlencode(fields).encode()


def _json(fields: Said) -> tuple[str, bytes]:
    return "application/json", orjson.dumps(fields)


def _multipart(fields: Said) -> tuple[str, bytes]:
    parts = (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    )
    return f"multipart/form-data; boundary={BOUNDARY}", f"{''.join(parts)}--{BOUNDARY}--\r\n".encode()


ENCODINGS = (_urlencoded, _json, _multipart)


def _told(source: str, natural: str, touch: Touch, said: Said) -> Wire:
    attributes = {
        "specversion": "1.0",
        "id": natural,
        "source": f"https://{source}.example/",
        "type": TYPES[touch.kind],
        "time": clock.text(touch.at),
    }
    if touch.spelling % 2:
        body = orjson.dumps({**attributes, "datacontenttype": "application/json", "data": said})
        return "/events", {"content-type": "application/cloudevents+json"}, body
    headers = {f"ce-{name}": value for name, value in attributes.items()}
    return "/events", {**headers, "content-type": "application/json"}, orjson.dumps(said)


def _asked(touch: Touch) -> Said:
    who, how = touch.person, touch.spelling
    said = {"name": who.name(how), "email": who.email(how // 2, moved=touch.moved), "message": _one_of(QUESTIONS, how)}
    return said | {"newsletter": "yes" if how % 4 else "no"}


def _wanted(touch: Touch) -> Said:
    who, how = touch.person, touch.spelling
    said = {"name": who.name(how), "email": who.email(how // 2, moved=touch.moved), "message": _one_of(WISHES, how)}
    company = {"company": who.firm} if who.firm else {}
    return said | company | {"phone": who.phone(how, moved=touch.moved)}


def _called(touch: Touch) -> Said:
    who, how = touch.person, touch.spelling
    contact = {"name": who.name(how), "phone": who.phone(how // 3, moved=touch.moved)}
    return {"contact": contact, "text": _one_of(TALKS, how), "minutes": 1 + how % 14}


def _met(touch: Touch) -> Said:
    who, how, moved = touch.person, touch.spelling, touch.moved
    contact = {
        "id": who.crm,
        "given_name": who.given,
        "family_name": who.family,
        "email": who.email(0, moved=moved),
        "phone": who.phone(how, moved=moved),
    }
    return {"contact": contact, "text": "Moved." if touch.kind == "move" else "Checked with the customer."}


def _noted(touch: Touch) -> Said:
    return {"contact": {"id": touch.person.crm}, "text": _one_of(NOTES, touch.spelling)}


def _agreed(touch: Touch) -> Said:
    contact = {"id": touch.person.crm, "email": touch.person.email(0, moved=touch.moved)}
    return {"contact": contact, "purpose": "marketing", "channel": "email"}


def _one_of(texts: tuple[str, ...], spelling: int) -> str:
    return texts[spelling % len(texts)]


WAYS: dict[Kind, tuple[str, Make]] = {
    "ask": ("contact-form", _form(_asked)),
    "offer": ("offer-form", _form(_wanted)),
    "mail": (INBOX, departments.mail),
    "ticket": ("desk", departments.ticket),
    "solve": ("desk", departments.ticket),
    "call": ("phone", _event(_called)),
    "meet": ("crm", _event(_met)),
    "move": ("crm", _event(_met)),
    "stale": ("crm", _event(_met)),
    "note": ("crm", _event(_noted)),
    "agree": ("crm", _event(_agreed)),
    "cart": ("shop", departments.cart),
    "order": ("shop", departments.order),
    "paid": ("shop", departments.order),
}
"""Through which source each kind of touch comes, and what makes its request."""

TYPES: dict[Kind, str] = {
    "call": "call.logged",
    "meet": "contact.updated",
    "move": "contact.updated",
    "stale": "contact.updated",
    "note": "note.added",
    "agree": "consent.given",
}
