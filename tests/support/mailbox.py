"""The role `mailbox` as it runs, on topics of its own, and mail servers' ways of handing over."""

from __future__ import annotations

import asyncio
import smtplib
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from hub.embedded.ports import LOOPBACK
from hub.settings import Settings, check
from hub.streams.topics import create_topics
from producers.mailbox.run import run
from tests.support.gateway import Wrote, read_back, told

MAIL = (
    b'From: "Lee, Ann" <ann.lee@example.net>\r\nTo: sales@example.com\r\nSubject: Hello %b\r\n'
    b"Date: Sun, 22 Nov 2026 09:10:00 +0100\r\nMessage-ID: <%b@example.net>\r\n\r\nPlease call me.\r\n"
)


def a_mail(name: str) -> bytes:
    """A mail with an id and a subject of its own."""
    return MAIL % (name.encode(), name.encode())


@dataclass(frozen=True)
class Mailbox:
    """The role at work: its settings, and where its listeners are."""

    settings: Settings
    ports: Mapping[str, int]

    async def wrote(self) -> list[Wrote]:
        """Every mail on the topic, by arrival."""
        return [told(one, self.settings) for one in await read_back(self.settings, ("inbound.email",))]

    async def subjects(self) -> list[str]:
        """What the mails on the topic are about, each as often as it is there."""
        return sorted(record.value.get("subject", "") for record in await self.wrote())

    async def until(self, subjects: list[str]) -> None:
        """Wait until the mails on the topic are these, repeats aside."""
        found: set[str] = set()
        async with asyncio.timeout(30):
            while not found >= set(subjects):
                await asyncio.sleep(0.05)
                found = set(await self.subjects())
        assert found == set(subjects)

    def speak(self, name: str = "inbox", kind: type[smtplib.SMTP] = smtplib.SMTP) -> smtplib.SMTP:
        """A client of a listener."""
        return kind(LOOPBACK, self.ports[name])

    async def hand_over(self, mail: bytes, sender: str = "ann@example.net") -> tuple[int, str]:
        """Send a mail by SMTP; gives the answer to it."""

        def send() -> tuple[int, bytes]:
            with self.speak() as client:
                client.ehlo()
                client.mail(sender)
                client.rcpt("sales@example.com")
                return client.data(mail)

        status, said = await asyncio.to_thread(send)
        return status, said.decode()


def tables(kafka: tuple[str, ...], state: Path, sources: dict[str, Any]) -> Settings:
    """Settings of a hub with these sources, on topics of its own."""
    own = {"servers": list(kafka), "prefix": f"{uuid4().hex[:8]}.", "partitions": 1}
    return check({"state": str(state), "sources": sources, "kafka": own})


@asynccontextmanager
async def at_work(settings: Settings, *, topics: bool = True) -> AsyncIterator[Mailbox]:
    """The role, until the end of the block."""
    if topics:
        await create_topics(settings.kafka)
    stop, ready = asyncio.Event(), asyncio.get_running_loop().create_future()
    open_: Callable[[Mapping[str, int]], None] = ready.set_result
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(run(settings, stop, open_))
        await asyncio.wait({running, ready}, return_when=asyncio.FIRST_COMPLETED)
        if ready.done():
            try:
                yield Mailbox(settings, ready.result())
            finally:
                stop.set()


async def until_taken(one: Mailbox, mail: bytes) -> str:
    """Hand a mail over until it is safe, as mail servers do; gives the answer."""
    async with asyncio.timeout(30):
        while (answer := await one.hand_over(mail))[0] != 250:
            assert answer[0] == 451
    return answer[1]
