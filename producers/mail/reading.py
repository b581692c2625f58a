"""One mail is one `email.received`, or `email.replied` where a person answers one of the hub's own."""

from __future__ import annotations

from datetime import UTC
from email.message import Message
from email.utils import parsedate_to_datetime
from hashlib import blake2b
from typing import Any

from hub import clock
from hub.components import Reading, Request
from hub.errors import Unreadable
from producers.mail import addresses
from producers.mail.addresses import Sender
from producers.mail.automatic import Automatic, automatic, null_return_path, speaks_for_list
from producers.mail.bodies import LONGEST_TEXT, read_body
from producers.mail.headers import Head
from producers.mail.proof import dkim
from producers.mail.quotes import own_words
from producers.mail.settings import MailSettings
from producers.mail.structure import parsed
from producers.mail.threads import place
from schemas.outgoing import key_of

CONTENT_TYPE = "message/rfc822"
ENVELOPE_SENDER = "x-envelope-from"
"""Header of the Request under which the listener tells who the envelope names: `<>` for nobody."""

LONGEST_SUBJECT = 1000


def read_mail(settings: MailSettings, request: Request) -> Reading:
    """The event that a mail is. Raises Unreadable where the bytes are no mail at all: not one known field."""
    message = parsed(request.body)
    head = Head(message)
    if not any(name in head for name in ("from", "to", "subject", "date", "message-id", "received")):
        raise Unreadable("the bytes hold no header of a mail")
    sender = addresses.sender(head.all("from"))
    result, signed = dkim(head, settings.authserv_id, sender.domain)
    null_sender = request.headers.get(ENVELOPE_SENDER) == "<>" or null_return_path(head)
    said = {
        **_head_data(head, sender),
        "automatic": automatic(head, message, sender.email, null_sender=null_sender),
        "internal": _is_ours(sender.domain, settings.domains) or None,
        "dkim": result,
        **_body_data(message),
    }
    data = {name: value for name, value in said.items() if value}
    if sender.email and not data.get("internal") and not _is_nobodys(head, sender, data.get("automatic")):
        data["contact"] = _contact(sender)
    answers = None if data.keys() & {"automatic", "internal"} else _answered(head)
    if answers:
        data["answers"] = answers
    return Reading(
        type="email.replied" if answers else "email.received",
        natural_id=place(head).message_id or _hash(request.body),
        data=data,
        time=_time(head.raw("date")),
        trusted=settings.trust if settings.trust is not None else signed and sender.alone,
    )


def _answered(head: Head) -> str | None:
    """The key of the hub's own mail that this one answers; the nearest, where the conversation holds several."""
    at = place(head)
    keys = (key_of(written) for written in (at.in_reply_to, *reversed(at.references)))
    return next((str(key) for key in keys if key), None)


def _hash(mail: bytes) -> str:
    return f"bytes {blake2b(mail, digest_size=16).hexdigest()}"


def _head_data(head: Head, sender: Sender) -> dict[str, Any]:
    at = place(head)
    return {
        "subject": head.text("subject")[:LONGEST_SUBJECT],
        "sender": sender.email,
        "to": addresses.listed(head.all("to")),
        "cc": addresses.listed(head.all("cc")),
        "message_id": at.message_id,
        "in_reply_to": at.in_reply_to,
        "references": list(at.references),
        "thread": at.thread,
    }


def _body_data(message: Message) -> dict[str, Any]:
    text, attachments = read_body(message)
    return {"text": own_words(text)[:LONGEST_TEXT], "attachments": attachments}


def _is_nobodys(head: Head, sender: Sender, sort: Automatic | None) -> bool:
    """A bounce is a server's, and some lists write in their own name."""
    return sort == "bounce" or (sort == "list" and speaks_for_list(head, sender.email))


def _contact(sender: Sender) -> dict[str, str]:
    stated = {
        "email": sender.email,
        "name": sender.name,
        "given_name": sender.given_name,
        "family_name": sender.family_name,
    }
    return {name: value for name, value in stated.items() if value}


def _is_ours(domain: str, domains: tuple[str, ...]) -> bool:
    return any(domain == ours or domain.endswith(f".{ours}") for ours in domains)


def _time(written: str) -> str | None:
    """The Date field as RFC 3339, None where it is no time."""
    try:
        at = parsedate_to_datetime(written[:200])
        return clock.text(at if at.tzinfo else at.replace(tzinfo=UTC))
    except (ValueError, TypeError, IndexError, OverflowError, AttributeError):
        return None
