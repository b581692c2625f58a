"""A rule writes to customers: each mail once; an answer ends the wait, silence brings the second mail."""

from __future__ import annotations

import asyncio
import os
import smtplib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path

import asyncpg
import pytest
import pytest_asyncio

from hub.embedded import Addresses
from hub.embedded.ports import LOOPBACK, keep_or_choose
from tests.support.databases import named, order
from tests.support.hub import Hub, caller
from tests.support.line import until
from tests.support.relay import Relay

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]
RULE = b"""
rule: follow-up
version: 1
about: Who writes a form hears from us, and once more where they do not answer.
when: {event: form.submitted}
again: once
steps:
  - send_email: {template: thanks}
  - wait: {event: email.replied, timeout: 1d, then: end}
  - send_email: {template: still-there}
  - send_email: {template: offer, purpose: marketing}
"""
TEMPLATES = {
    "thanks": "subject: Thank you, {{ profile.name | default: 'and hello' }}\n---\nYou wrote: {{ event.message }}\n",
    "still-there": "subject: Are you still there?\n---\nWe wrote, {{ profile.name }}.\n",
    "offer": "subject: An offer\n---\nBuy.\n",
}
ANN, BOB = "ann@customers.org", "bob@customers.org"


@dataclass
class World:
    """A hub that writes mails, the relay that takes them, and the door that answers come through."""

    hub: Hub
    relay: Relay
    connection: asyncpg.Connection
    inbox: int

    def told(self, to: str) -> list[str]:
        """What somebody got, in order."""
        return [str(mail["Subject"]) for mail in self.relay.took if mail["To"] == to]

    async def writes(self, email: str, name: str) -> None:
        """A form of the web site."""
        async with caller() as client:
            form = {"email": email, "name": name, "message": "Please call."}
            answer = await client.post(f"{self.hub.gateway}/in/web-eu?key=pk_web_eu", json=form)
        assert answer.status_code == 202, answer.text

    def answers(self, email: str, mail: EmailMessage) -> None:
        """Somebody answers a mail, by a real client."""
        reply = EmailMessage()
        reply["From"], reply["To"], reply["Message-ID"] = email, "hello@example.com", f"<reply-{email}>"
        reply["Subject"], reply["In-Reply-To"] = f"Re: {mail['Subject']}", mail["Message-ID"]
        reply["Date"] = "Sun, 22 Nov 2026 09:10:00 +0100"
        reply.set_content("Yes, please.")
        with smtplib.SMTP(LOOPBACK, self.inbox) as client:
            client.send_message(reply)


@pytest_asyncio.fixture
async def world(tmp_path: Path, servers: Addresses) -> AsyncIterator[World]:
    database, inbox = f"rules_mail_{os.getpid()}", int(keep_or_choose(None))
    await order(servers.postgres, f"CREATE DATABASE {database}")
    listener = f'kind = "smtp"\nlisten = "{LOOPBACK}:{inbox}"\ndomains = ["example.com"]'
    async with Relay().serving() as relay:
        hub = Hub(tmp_path, servers, named(servers.postgres, database), sources={"inbox": listener})
        with (tmp_path / "hub.toml").open("a") as file:
            file.write(
                f'[mail]\nrelay = "{LOOPBACK}:{relay.place.port}"\n'
                'from = "Example <hello@example.com>"\ntls = "never"\n'
                "[rules]\ntime_scale = 0.00006\n"
            )
        (tmp_path / "rules" / "templates").mkdir(parents=True)
        (tmp_path / "rules" / "follow-up.yaml").write_bytes(RULE)
        for name, text in TEMPLATES.items():
            (tmp_path / "rules" / "templates" / f"{name}.liquid").write_text(text)
        await hub.start()
        connection = await asyncpg.connect(named(servers.postgres, database))
        yield World(hub, relay, connection, inbox)
        await connection.close()
        assert await hub.stop() == 0, hub.log
    await order(servers.postgres, f"DROP DATABASE {database} WITH (FORCE)")


async def test_an_answer_ends_the_wait_and_silence_brings_the_second_mail(world: World) -> None:
    await asyncio.gather(world.writes(ANN, "Ann Lee"), world.writes(BOB, "Bob Fox"))
    await until(lambda: len(world.relay.took) >= 2, "both are thanked", within=60)
    (first,) = [mail for mail in world.relay.took if mail["To"] == ANN]
    assert first.get_content().strip() == "You wrote: Please call."
    world.answers(ANN, first)

    async def nobody_waits() -> bool:
        return not await world.connection.fetchval(
            """
            SELECT EXISTS (SELECT FROM journey WHERE state <> 'ended')
                OR EXISTS (SELECT FROM mail WHERE state <> 'sent')
            """
        )

    await until(nobody_waits, "nobody waits, nothing is to be sent", within=90)
    assert world.told(ANN) == ["Thank you, Ann Lee"]
    assert world.told(BOB) == ["Thank you, Bob Fox", "Are you still there?"]
    outcomes = await world.connection.fetch("SELECT outcome FROM journey ORDER BY 1")
    assert [row[0] for row in outcomes] == ["done", "ended by email.replied"]
    held = await world.connection.fetchval("SELECT effect->>'reason' FROM ledger WHERE step = '4' AND state = 'held'")
    assert held == "no consent to marketing: never asked"
    await asyncio.gather(world.writes(ANN, "Ann Lee"), world.writes(BOB, "Bob Fox"))
    await world.hub.until_quiet()
    assert len(world.relay.took) == 3, "a repeat writes to nobody"
    assert len({str(mail["Message-ID"]) for mail in world.relay.took}) == 3
