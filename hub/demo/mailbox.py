"""The mailbox of the demo: every mail that the hub sends ends here, as a file that a person can open.

Some of the customers answer. What they answer is a function of the mail, so a second start says it in the same words.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import parsedate_to_datetime
from pathlib import Path
from socket import socket
from typing import Any, cast

from aiosmtpd.smtp import SMTP, Envelope, Session

from hub.demo.departments import ADDRESS, COMPANY
from hub.demo.posts import INBOX, Post

ANSWERS = ("Yes, please call me tomorrow.", "Thank you, that helps.", "I have one more question: is it in stock?")
ONE_IN = 3
"""One customer in so many answers the mails that they get."""
THOUGHT = timedelta(seconds=1)
KEPT_NEWS = 40


class Mailbox:
    """A mail server that takes everything, and keeps it in a folder. What was there before is there still."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.news: deque[str] = deque(maxlen=KEPT_NEWS)
        self.unanswered = 0
        self._answers: asyncio.Queue[Post] = asyncio.Queue()
        self._known: set[str] = set()

    def open(self) -> None:
        """Read what is there already: whoever answered it answers it once more."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for file in sorted(self.folder.glob("*.eml")):
            self._take(file.read_bytes())

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        """One mail."""
        content = cast("bytes", envelope.content)
        if letter := self._take(content):
            name = f"{len(self._known):04} {letter['To']}.eml".replace("/", "_")
            (self.folder / name).write_bytes(content)
            self.news.append(f"{letter['To']}: {letter['Subject']}")
        return "250 taken"

    async def answers(self) -> AsyncIterator[Post]:
        """What customers answer, as it comes; without an end."""
        while True:
            yield await self._answers.get()
            self.unanswered -= 1

    def _take(self, content: bytes) -> EmailMessage | None:
        """The mail; None where it was here before."""
        letter = message_from_bytes(content, policy=policy.default)
        if letter["Message-ID"] in self._known:
            return None
        self._known.add(letter["Message-ID"])
        if post := answer(letter):
            self.unanswered += 1
            self._answers.put_nowait(post)
        return letter

    @asynccontextmanager
    async def serving(self, door: socket) -> AsyncIterator[None]:
        """It listens at its door for as long as the block lasts."""
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: cast("Any", SMTP)(self, hostname=COMPANY, loop=loop), sock=door)
        try:
            yield
        finally:
            server.close()
            await server.wait_closed()


def answer(letter: EmailMessage) -> Post | None:
    """What the receiver of a mail answers; None where they do not, as nobody of the company does."""
    address = str(letter["To"])
    drawn = hashlib.sha256(address.encode()).digest()
    if address.endswith(f"@{COMPANY}") or drawn[0] % ONE_IN:
        return None
    told = EmailMessage(policy=policy.SMTP)
    told["From"] = address
    told["To"] = ADDRESS
    told["Subject"] = f"Re: {letter['Subject']}"
    told["Date"] = parsedate_to_datetime(letter["Date"]) + THOUGHT
    told["In-Reply-To"] = letter["Message-ID"]
    told["Message-ID"] = f"<{drawn.hex()[:16]}.{letter['Message-ID'].strip('<>')}.customer>"
    told.set_content(ANSWERS[drawn[1] % len(ANSWERS)])
    return Post(0, 0.0, INBOX, is_repeat=False, path=ADDRESS, headers={"from": address}, body=bytes(told))
