"""A mail read as a house with a mail server of its own reads it."""

from __future__ import annotations

import orjson

from hub.components import Reading, Request
from producers.mail.reading import ENVELOPE_SENDER, read_mail
from producers.mail.settings import MailSettings
from producers.texts import unclean_path
from schemas.events import shape_of

ARRIVAL = "2026-11-22T08:15:30.123Z"
HOUSE = MailSettings(domains=("example.com",), authserv_id="mx.example.com")


def read(mail: bytes, settings: MailSettings = HOUSE, envelope: str | None = None) -> Reading:
    """What the mail says."""
    headers = {ENVELOPE_SENDER: envelope} if envelope else {}
    return read_mail(settings, Request(mail, headers, {}, ARRIVAL, mail))


def check_read_and_kept(mail: bytes) -> None:
    """The mail can be read and stored, and comes to the same id when it comes again."""
    reading = read(mail)
    kept = orjson.loads(orjson.dumps(reading.data))
    shape_of(reading.type).model_validate(kept)
    assert unclean_path(reading.data) is None
    assert unclean_path(reading.natural_id) is None
    assert reading.natural_id == read(mail).natural_id
