"""Mail that no person wrote: absence notices, reports of non-delivery; and mail that went through a list."""

from __future__ import annotations

import re
from email.message import Message
from typing import Literal

from producers.mail.addresses import listed
from producers.mail.headers import Head
from producers.mail.structure import within

Automatic = Literal["auto_reply", "bounce", "list"]
_SERVERS = frozenset(("mailer-daemon", "mail-daemon", "postmaster", "maildaemon"))
_AUTO_REPLIES = (
    "x-autoreply",
    "x-autorespond",
    "x-autoresponder",
    "x-mail-autoreply",
    "x-ms-exchange-generated-message-source",
)
_LISTS = ("list-id", "list-post", "list-unsubscribe", "x-mailing-list", "mailing-list")
_ABSENT = re.compile(
    r"(?i)^\W*(auto(matic|matische|mated)?[ -]?(reply|response|antwort)\b|out of( the)? office\b|abwesen(d|heit)"
    r"|automatische antwort\b|r[ée]ponse automatique\b|absence du bureau\b|respuesta autom[aá]tica\b"
    r"|risposta automatica\b|resposta autom[aá]tica\b|automatisch antwoord\b|autosvar\b|automaattinen vastaus\b)"
)
_UNDELIVERED = re.compile(
    r"(?i)^\W*(undeliver(ed|able)|mail delivery (failed|failure|subsystem)|delivery (status notification|failure)"
    r"|returned mail|failure notice|unzustellbar|mail delivery system|non remis)"
)


def automatic(head: Head, message: Message, email: str, *, null_sender: bool) -> Automatic | None:
    """Which sort it is, None for a person's own; `email` is the one in From.

    `null_sender`: the envelope named nobody to answer to, as reports and most absence notices have it.
    """
    if _is_certainly_bounced(head, message, email):
        return "bounce"
    if _is_replied(head, message):
        return "auto_reply"
    subject = head.text("subject")
    if null_sender:
        return "bounce" if _UNDELIVERED.match(subject) or _local(email) in _SERVERS else "auto_reply"
    if _ABSENT.match(subject):
        return "auto_reply"
    through_list = any(name in head for name in _LISTS)
    return "list" if through_list or head.raw("precedence").lower() in {"list", "bulk", "junk"} else None


def speaks_for_list(head: Head, email: str) -> bool:
    """Whether From is the list's own address: then it is nobody's."""
    address = email.lower()
    return address in head.raw("list-post").lower() or address in {one.lower() for one in listed(head.all("to"))}


def null_return_path(head: Head) -> bool:
    """Whether the server that put the mail into its box says so."""
    return head.raw("return-path").replace(" ", "") == "<>"


def _is_certainly_bounced(head: Head, message: Message, email: str) -> bool:
    if _is_report(message, "delivery-status") or "x-failed-recipients" in head:
        return True
    return _local(email) in _SERVERS - {"postmaster"}  # a person may answer as postmaster


def _is_replied(head: Head, message: Message) -> bool:
    if _is_report(message, "disposition-notification") or any(name in head for name in _AUTO_REPLIES):
        return True
    if head.raw("auto-submitted").lower().partition(";")[0].strip() not in {"", "no"}:
        return True
    precedence = head.raw("precedence").lower()
    return precedence == "auto_reply" or (precedence in {"bulk", "junk"} and "in-reply-to" in head)


def _local(email: str) -> str:
    return email.partition("@")[0].lower()


def _is_report(message: Message, sort: str) -> bool:
    if message.get_content_type() != "multipart/report":
        return False
    try:
        told = str(message.get_param("report-type") or "").lower()
    except (ValueError, LookupError, TypeError):
        told = ""
    return told == sort or (not told and any(one.get_content_type() == f"message/{sort}" for one in within(message)))
