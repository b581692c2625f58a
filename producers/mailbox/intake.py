"""Taking a mail in: reading, publishing. What returns here is safe on the broker."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from dataclasses import replace

import structlog

from hub import clock
from hub.components import Reading, Request
from hub.errors import HubError, Reject, Retry, Unreadable
from producers.gateway import counters, records
from producers.gateway.instances import Instance
from producers.gateway.intake import Publishes
from producers.gateway.records import Occasion
from producers.mail.reading import CONTENT_TYPE, ENVELOPE_SENDER

MAIL_BYTES = 10 * 1024 * 1024
"""Largest mail that is taken."""

AS_TEXT_BYTES = 2 * 1024 * 1024
"""Larger mails travel as base64: as JSON text one byte may become six, and the topic has its limit."""

ACKNOWLEDGED_WITHIN = 5.0
"""Seconds that the broker has; then the mail server is told to come back."""

_log = structlog.get_logger("hub.mailbox")


async def take_in(line: Publishes, instance: Instance, mail: bytes, envelope_sender: str | None = None) -> str:
    """The event id of this mail, which is safe on the broker.

    `envelope_sender` as SMTP tells it, `<>` for nobody. Raises Retry where the broker does not acknowledge in time,
    TooLarge where it will never take the record.
    """
    outcome = "failed"
    try:
        identity = await _published(line, instance, _request(mail, envelope_sender))
        outcome = "accepted"
    except Retry:
        outcome = "away"
        raise
    except Reject:
        outcome = "refused"
        raise
    finally:
        counters.requests(instance.name, outcome).inc()
    counters.events(instance.name).inc()
    return identity


async def _published(line: Publishes, instance: Instance, request: Request) -> str:
    reading = await asyncio.to_thread(_reading, instance, request)
    raw = _raw(request.body)
    occasion = Occasion(instance.edge, instance.name, request.received_at)
    identity, message = records.kept(occasion, reading, raw, instance.heeded(request))
    await line.send([message], within=ACKNOWLEDGED_WITHIN)
    return identity


def _request(mail: bytes, envelope_sender: str | None) -> Request:
    headers = {"content-type": CONTENT_TYPE}
    if envelope_sender is not None:
        headers[ENVELOPE_SENDER] = envelope_sender
    return Request(mail, headers, {}, clock.text(clock.now()), mail)


def _reading(instance: Instance, request: Request) -> Reading:
    """What the source reads, else one `source.unreadable`: no mail is refused for its content, not even by accident."""
    try:
        return instance.source.read(instance.settings, request)[0]
    except HubError as error:
        wrong = error if isinstance(error, Reject) else Unreadable(str(error))
    except Exception as error:  # noqa: BLE001 - the bytes are kept; raised, it would come again for ever
        _log.exception("mail_not_read", source=instance.name)
        wrong = Unreadable(f"the mail was not read: {type(error).__name__}")
    meant = Reading(type="", natural_id=records.hash_of_bytes(request.body), data={})
    return replace(records.unreadable(meant, wrong, instance.heeded(request)), trusted=False)


def _raw(mail: bytes) -> dict[str, str | None]:
    if len(mail) <= AS_TEXT_BYTES:
        return records.raw(mail, CONTENT_TYPE, "")
    return {"content_type": CONTENT_TYPE, "content_encoding": None, "base64": b64encode(mail).decode()}
