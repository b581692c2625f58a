"""A mail as it goes out, and what a relay's answer means. Pure: the same row gives the same bytes at every try."""

from __future__ import annotations

from datetime import datetime
from email.headerregistry import BaseHeader, HeaderRegistry, UnstructuredHeader
from email.message import EmailMessage
from email.policy import SMTP, Policy
from email.utils import format_datetime
from uuid import UUID

from consumers.retries import Heard, Trouble, Verdict, judge
from hub.egress.smtp import Said
from hub.storage.mails import Mail, Taken
from schemas.outgoing import message_id

SCHEDULE = (30.0, 120.0, 600.0, 1800.0, 3600.0, 3 * 3600.0, 6 * 3600.0, 12 * 3600.0, 24 * 3600.0)
"""Waits between tries, in seconds: two days in all, as mail servers do it."""
MOST_KEPT = 500


class _Plain(UnstructuredHeader, BaseHeader):
    """A header on one line, as it is: the library would make encoded words of a link that is longer than a line."""

    def fold(self, *, policy: Policy) -> str:
        return f"{self.name}: {self}{policy.linesep}"


_HEADERS = HeaderRegistry()
for _name in ("list-unsubscribe", "list-unsubscribe-post"):
    _HEADERS.map_to_type(_name, _Plain)
_POLICY = SMTP.clone(header_factory=_HEADERS)


def message(mail: Mail, sender: str, at: datetime) -> EmailMessage:
    """The mail for the relay; `sender` is `[mail] from`, `at` when its row was made.

    A line break in a header cannot be written: the policy refuses it. `Auto-Submitted` keeps other machines from
    answering (RFC 3834).
    """
    made = EmailMessage(policy=_POLICY)
    made["From"] = sender
    made["To"] = mail.recipient
    made["Subject"] = mail.subject
    made["Date"] = format_datetime(at)
    made["Message-ID"] = message_id(UUID(bytes=mail.id), sender.rpartition("@")[2].rstrip(">"))
    made["Auto-Submitted"] = "auto-generated"
    for name, value in sorted(mail.headers.items()):
        made[name] = value
    made.set_content(mail.body, cte="quoted-printable")
    return made


def verdict(said: Said, taken: Taken, schedule: tuple[float, ...], now: datetime) -> Verdict:
    """Sent, again later, or given up: a 5xx is for good, everything else passes (RFC 5321 §4.2.1)."""
    trouble = Trouble(taken.mail.id, taken.attempts, taken.step, taken.failing)
    if said.code is not None and 500 <= said.code < 600:
        return Verdict("dead", 0.0, taken.step, said.text[:MOST_KEPT])
    sent = said.code is not None and 200 <= said.code < 300
    heard = Heard(200, None) if sent else Heard(None, said.text[:MOST_KEPT])
    return judge(heard, trouble, schedule or SCHEDULE, now)
