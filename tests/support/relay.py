"""A mail relay that does what it is told, and keeps what it took."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any, cast

from aiosmtpd.smtp import SMTP, Envelope, Session

from hub import clock
from hub.egress.smtp import Place
from hub.embedded.ports import LOOPBACK

OK = "250 taken"
NOWHERE = Place(LOOPBACK, 0)


@dataclass
class Relay:
    """`answer` says what each mail is told, by its recipient; `took` holds the mails that were told 250, in order."""

    answer: Callable[[str], str] = lambda _: OK
    took: list[EmailMessage] = field(default_factory=list)
    offered: list[bytes] = field(default_factory=list)
    senders: list[str] = field(default_factory=list)
    place: Place = NOWHERE

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        """One mail."""
        content = cast("bytes", envelope.content)
        said = self.answer(envelope.rcpt_tos[0])
        self.offered.append(content)
        if said.startswith("250"):
            self.took.append(message_from_bytes(content, policy=policy.default))
            self.senders.append(str(envelope.mail_from))
        return said

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[Relay]:
        """It listens for as long as the block lasts."""
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: cast("Any", SMTP)(self, hostname="relay", loop=loop), LOOPBACK, 0)
        self.place = Place(LOOPBACK, server.sockets[0].getsockname()[1], "never")
        try:
            yield self
        finally:
            server.close()
            await server.wait_closed()


@asynccontextmanager
async def dripping(seconds: float) -> AsyncIterator[tuple[Place, asyncio.Event]]:
    """A relay that thinks for so long before each of its words; the event is set when somebody speaks to it."""
    spoken_to, closing = asyncio.Event(), asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        spoken_to.set()
        word = b"220 relay"
        with suppress(ConnectionError):
            while not closing.is_set():
                await clock.pause(closing, seconds)
                writer.write(word + b"\r\n")
                await writer.drain()
                word = b"250 fine"
                if not await reader.readline():
                    break
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
        left.set()

    left = asyncio.Event()
    server = await asyncio.start_server(answer, LOOPBACK, 0)
    try:
        yield Place(LOOPBACK, server.sockets[0].getsockname()[1], "never"), spoken_to
    finally:
        closing.set()
        server.close()
        if spoken_to.is_set():
            await left.wait()
