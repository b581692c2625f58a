"""A test event for a source: what its tool would send now, the command that sends it, and what becomes of it."""

from __future__ import annotations

import asyncio
import shlex
import smtplib
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import parseaddr
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode
from uuid import uuid4

import httpx

from hub import clock
from hub.cli import session
from hub.components import Request, Sample
from hub.errors import Misconfigured, Reject, Retry
from hub.identity.ids import as_text, event_id

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hub.settings import Settings
    from hub.storage.pool import Pool

WRITTEN_WITHIN = 15.0
LOOK_SECONDS = 0.1
LONGEST_ANSWER = 500


@dataclass(frozen=True)
class Trial:
    """A test event of a source: where it goes, how, its bytes, and the id (16 bytes) that it will have."""

    door: str
    address: str
    headers: Mapping[str, str]
    body: bytes
    event: bytes

    def command(self) -> str:
        """What sends it from a shell."""
        if self.door == "mail":
            return self._mail()
        words = ["curl", "-i", self.address]
        lines = [" ".join(map(shlex.quote, words))]
        lines += [f"-H {shlex.quote(f'{name}: {value}')}" for name, value in self.headers.items()]
        lines.append(f"--data-binary {shlex.quote(self.body.decode())}")
        return " \\\n  ".join(lines)

    def _mail(self) -> str:
        text = self.body.decode().replace("\r\n", "\n")
        file = f"cat > hub-test.eml <<'MAIL'\n{text.rstrip(chr(10))}\nMAIL\n"
        sender, recipient = self.people()
        scheme, _, place = self.address.partition("://")
        if scheme == "lmtp":
            words = ["swaks", "--protocol", "LMTP", "--server", place, "--from", sender, "--to", recipient]
            return f"{file}{shlex.join(words)} --data @hub-test.eml"
        words = ["--mail-from", sender, "--mail-rcpt", recipient, "--crlf"] if scheme == "smtp" else ["-u", "USER"]
        return f"{file}{shlex.join(['curl', self.address, *words])} --upload-file hub-test.eml"

    def people(self) -> tuple[str, str]:
        """A mail's sender and recipient."""
        mail = message_from_bytes(self.body)
        return parseaddr(str(mail["from"]))[1], parseaddr(str(mail["to"]))[1]

    def told(self) -> dict[str, Any]:
        """For programs."""
        return {
            "address": self.address,
            "headers": dict(self.headers),
            "body": self.body.decode(),
            "event_id": as_text(self.event),
            "command": self.command(),
        }


def trial(settings: Settings, name: str, url: str | None = None) -> Trial:
    """An event of now. Raises Misconfigured where there is no such source, or its kind brings no sample."""
    from hub.api.sources import address, gateway
    from producers.gateway.instances import instances

    found = instances(settings).get(name)
    if found is None:
        known = ", ".join(settings.sources) or "none"
        raise Misconfigured(f"hub.toml has no source {name!r}; there are: {known}")
    source = found.source
    at, identity = clock.text(clock.now()), f"hub-test-{uuid4()}"
    if source.sample is not None:
        sample = source.sample(found.settings, at, identity)
    elif source.door == "mail":
        sample = Sample(_mail(found.settings, identity), {})
    else:
        raise Misconfigured(f"the kind {source.name!r} brings no test event; its page in docs/sources/ shows one")
    signed = source.sign(found.settings, sample.body, at, identity) if source.sign else {}
    headers = {**sample.headers, **signed}
    request = Request(sample.body, headers, sample.query, at, sample.body)
    (reading,) = source.read(found.settings, request)
    where = address(name, settings.sources[name], settings)
    if source.door == "http":
        path = sample.path or source.path.format(source=name)
        query = f"?{urlencode(sample.query)}" if sample.query else ""
        where = f"{(url or gateway(settings)).rstrip('/')}{path}{query}"
    return Trial(source.door, where, headers, sample.body, event_id(name, reading.natural_id))


def _mail(settings: Any, identity: str) -> bytes:
    """A mail of now, from outside the house."""
    house = next(iter(getattr(settings, "domains", ())), "localhost")
    mail = EmailMessage(policy=policy.SMTP)
    mail["From"], mail["To"] = "Hub Test <hub-test@customer.example>", f"hub@{house}"
    mail["Subject"], mail["Message-ID"] = "A test event", f"<{identity}@customer.example>"
    mail["Date"] = clock.now()
    mail.set_content("A test event.\n")
    return mail.as_bytes()


async def send(settings: Settings, one: Trial) -> dict[str, Any]:
    """Send it, and wait until it is written down. Raises Retry where nobody answers."""
    status, answer = await _mailed(one) if one.door == "mail" else await _posted(one)
    found: dict[str, Any] = {"status": status, "answer": answer, "event_id": as_text(one.event)}
    found |= {"activity_id": None, "profile_id": None, "dead_letter": None}
    if status >= 400:
        return found
    chosen = session.resolved(settings, start=False)
    async with session.database(chosen) as pool:
        return found | await _became(pool, one.event)


async def _posted(one: Trial) -> tuple[int, str]:
    try:
        async with httpx.AsyncClient(timeout=10, trust_env=False) as client:
            answer = await client.post(one.address, content=one.body, headers=dict(one.headers))
    except httpx.HTTPError as error:
        raise Retry(f"{one.address}: {str(error) or type(error).__name__}") from error
    return answer.status_code, answer.text[:LONGEST_ANSWER]


async def _mailed(one: Trial) -> tuple[int, str]:
    if not one.address.startswith(("smtp://", "lmtp://")):
        raise Reject("a mailbox gets its test mail by the printed command, which asks for its password")
    try:
        return await asyncio.to_thread(_handed_over, one)
    except (smtplib.SMTPException, OSError) as error:
        raise Retry(f"{one.address}: {error}") from error


def _handed_over(one: Trial) -> tuple[int, str]:
    scheme, _, place = one.address.partition("://")
    host, _, port = place.rpartition(":")
    if scheme == "lmtp":
        client: smtplib.SMTP = smtplib.LMTP(host.strip("[]"), int(port))
    else:
        client = smtplib.SMTP(host.strip("[]"), int(port), timeout=10)
    with client:
        sender, recipient = one.people()
        client.ehlo_or_helo_if_needed()
        for status, said in (client.mail(sender), client.rcpt(recipient)):
            if status >= 400:
                return status, said.decode(errors="replace")
        status, said = client.data(one.body)
    return status, said.decode(errors="replace")[:LONGEST_ANSWER]


async def _became(pool: Pool, event: bytes) -> dict[str, Any]:
    """Which activity of which profile, or which letter; nothing after so long."""
    from hub.storage import sources

    until = clock.monotonic() + WRITTEN_WITHIN
    while (found := await sources.became(pool, event)) is None and clock.monotonic() < until:
        await asyncio.sleep(LOOK_SECONDS)
    if found is None:
        return {}
    if found.letter is not None:
        return {"dead_letter": found.letter}
    return {"activity_id": as_text(event), "profile_id": as_text(found.profile) if found.profile else None}
