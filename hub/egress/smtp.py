"""Mail, out: one relay that somebody configured, and what it answered."""

from __future__ import annotations

import asyncio
from email.message import EmailMessage
from typing import Literal, NamedTuple

import aiosmtplib

Tls = Literal["never", "if_offered", "always"]


class Place(NamedTuple):
    """The relay: where it is, how its line is kept private, and who we are to it (no user: nobody asks)."""

    host: str
    port: int
    tls: Tls = "if_offered"
    user: str | None = None
    password: str | None = None


class Said(NamedTuple):
    """The relay's answer; `code` is None where there was none, `text` says why."""

    code: int | None
    text: str


async def greet(place: Place, seconds: float) -> Said:
    """Speak to the relay as for a mail, and send none: its greeting, TLS and the password, within so many seconds."""
    starttls = {"never": False, "if_offered": None, "always": True}[place.tls]
    client = aiosmtplib.SMTP(
        hostname=place.host,
        port=place.port,
        username=place.user,
        password=place.password,
        start_tls=starttls,
        timeout=seconds,
    )
    try:
        async with asyncio.timeout(seconds), client:
            said = await client.noop()
    except aiosmtplib.SMTPResponseException as error:
        return Said(error.code, f"{error.code} {error.message}")
    except (aiosmtplib.SMTPException, OSError, TimeoutError, ValueError) as error:
        return Said(None, f"{type(error).__name__}: {error}")
    return Said(said.code, f"{said.code} {said.message}")


async def post(place: Place, sender: str, recipient: str, message: EmailMessage, seconds: float) -> Said:
    """Hand one mail over, within so many seconds in all. Never raises for what a relay or the way to it may do."""
    starttls = {"never": False, "if_offered": None, "always": True}[place.tls]
    try:
        async with asyncio.timeout(seconds):  # the library's own bound is one for each word of the relay
            _, text = await aiosmtplib.send(
                message,
                sender=sender,
                recipients=[recipient],
                hostname=place.host,
                port=place.port,
                username=place.user,
                password=place.password,
                start_tls=starttls,
                timeout=seconds,
            )
    except aiosmtplib.SMTPRecipientsRefused as error:
        first = error.recipients[0]
        return Said(first.code, f"{first.code} {first.message}")
    except aiosmtplib.SMTPResponseException as error:
        refused = error.code if error.code >= 400 else None  # a yes where none was asked for is no answer
        return Said(refused, f"{error.code} {error.message}")
    except (aiosmtplib.SMTPException, OSError, TimeoutError, ValueError) as error:
        return Said(None, f"{type(error).__name__}: {error}")
    return Said(250, f"250 {text}")
