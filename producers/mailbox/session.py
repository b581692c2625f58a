"""A session with an IMAP server: blocking calls, each wait bounded, nothing in the mailbox changed."""

from __future__ import annotations

import imaplib
import socket
import ssl
import threading
from contextlib import suppress
from datetime import timedelta
from typing import Self

from imap_tools.errors import ImapToolsError
from imap_tools.mailbox import BaseMailBox, MailBox, MailBoxUnencrypted
from imap_tools.query import AND

from hub import clock
from producers.mailbox.intake import MAIL_BYTES
from producers.sources.imap import Settings

AWAY = (OSError, imaplib.IMAP4.error, ImapToolsError)
"""What a session raises when the server is away, refuses the login or talks nonsense."""

ANSWER_SECONDS = 20.0
IDLE_SECONDS = 5 * 60.0
"""How long one IDLE lasts: servers may end it after 30 min, and a line that died is noticed only at its end."""

LOOK_SECONDS = 1.0
WITHOUT_IDLE_SECONDS = 20.0
_EMPTY_LOOKS = 3


class Session:
    """For as long as the block lasts. Everything raises one of AWAY; `ended` cuts waiting short within a second."""

    def __init__(self, settings: Settings, ended: threading.Event) -> None:
        self._settings = settings
        self._ended = ended
        self._idles = False
        self.uidvalidity = 0

    def __enter__(self) -> Self:
        settings = self._settings
        self._box = _connected(settings)
        try:
            user, password = settings.user, settings.secret()
            login = self._box.login if (user + password).isascii() else self._box.login_utf8
            login(user, password, None)
            self._box.folder.set(settings.folder, readonly=True)
            self.uidvalidity = self._number("UIDVALIDITY")
            _, found = self._box.client.capability()
            self._idles = b"IDLE" in b" ".join(found).upper().split()
        except BaseException:
            self.cut()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(*AWAY):
            self._box.logout()
        self.cut()

    def cut(self) -> None:
        """End the connection at once, from any thread: whoever waits for the server stops waiting."""
        with suppress(OSError):
            self._box.client.sock.shutdown(socket.SHUT_RDWR)
        with suppress(*AWAY):
            self._box.client.shutdown()

    def newer_than(self, uid: int) -> list[int]:
        """The mails behind this one, oldest first; 0: those of the last days."""
        if uid:
            found = self._box.uids(f"UID {uid + 1}:*", charset=None)
        else:
            since = (clock.now() - timedelta(days=self._settings.days)).date()
            found = self._box.uids(AND(date_gte=since), charset=None)
        return sorted(number for number in map(int, found) if number > uid)  # `7:*` names the last one, be it the third

    def mail(self, uid: int) -> bytes | None:
        """The mail's bytes, the first 10 MiB of a larger one; None where it is gone."""
        status, found = self._box.client.uid("FETCH", str(uid), f"(BODY.PEEK[]<0.{MAIL_BYTES}>)")
        if status != "OK":
            raise imaplib.IMAP4.error(f"FETCH was answered with {status}")
        bodies = [bytes(one[1]) for one in found if isinstance(one, tuple) and b"BODY[]" in one[0]]
        return bodies[0] if bodies else None

    def wait(self) -> None:
        """Return when the server tells of something, when it is time to look again, or at the end."""
        if not self._idles:
            self._ended.wait(WITHOUT_IDLE_SECONDS)
            self._box.client.noop()
            return
        until = clock.monotonic() + IDLE_SECONDS
        with self._box.idle as idle:
            empty = 0
            while not self._ended.is_set() and clock.monotonic() < until:
                began = clock.monotonic()
                if idle.poll(timeout=LOOK_SECONDS):
                    return
                empty = empty + 1 if clock.monotonic() - began < LOOK_SECONDS / 2 else 0
                if empty >= _EMPTY_LOOKS:
                    raise ConnectionResetError("the server closed the connection")

    def _number(self, name: str) -> int:
        """What the server said beside opening the folder; 0 where it did not."""
        _, found = self._box.client.response(name)
        return int(found[-1] or 0) if found else 0


def _connected(settings: Settings) -> BaseMailBox:
    if not settings.tls:
        return MailBoxUnencrypted(settings.host, settings.at_port, timeout=ANSWER_SECONDS)
    trusted = ssl.create_default_context(cafile=str(settings.ca_file) if settings.ca_file else None)
    return MailBox(settings.host, settings.at_port, timeout=ANSWER_SECONDS, ssl_context=trusted)
