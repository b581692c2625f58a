"""A listener for SMTP or LMTP: what is answered with 250 is safe, while Kafka is away the answer is 451."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, AnyStr

import structlog
from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP, Envelope, Session

from hub.errors import Misconfigured, Reject, Retry
from hub.settings import Listener as Address
from producers.gateway.instances import Instance
from producers.gateway.intake import Publishes
from producers.mailbox.intake import MAIL_BYTES, take_in

MOST_SESSIONS = 100
"""Connections at a time: each may hold one mail in memory."""

IDLE_SECONDS = 120.0
"""How long a session may take for a command, or for the whole of a mail."""

GOODBYE_SECONDS = 2.0
"""How long mails that are on their way to Kafka are waited for at the end."""

BACKLOG = 128
TOO_MUCH = "552 5.3.4 a mail may have 10 MiB"
AWAY = "451 4.3.0 the hub cannot keep this mail now, come back later"
_log = structlog.get_logger("hub.mailbox")


class Listener:
    """One source instance's port, bound when it is made. Raises Misconfigured where it cannot be."""

    def __init__(self, instance: Instance, line: Publishes) -> None:
        self._instance = instance
        self._line = line
        self._sessions: set[Any] = set()
        self._mails = 0
        self._quiet = asyncio.Event()
        self._quiet.set()
        self._socket = _bound(instance)

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._socket.getsockname()[1])

    def close(self) -> None:
        """Give the port back."""
        self._socket.close()

    async def run(self, stop: asyncio.Event) -> None:
        """Take mail until `stop` is set, then finish what is in hand."""
        protocol = _Lmtp if self._instance.settings.protocol == "lmtp" else _Smtp
        server = await asyncio.get_running_loop().create_server(lambda: protocol(self), sock=self._socket)
        try:
            await stop.wait()
        finally:
            server.close()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._quiet.wait(), GOODBYE_SECONDS)
            for session in tuple(self._sessions):
                session.hang_up()

    def enter(self, session: Any) -> bool:
        """A connection begins; says whether there is room for it."""
        self._sessions.add(session)
        return len(self._sessions) <= MOST_SESSIONS

    def leave(self, session: Any) -> None:
        """And ends."""
        self._sessions.discard(session)

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        """A whole mail; the answer, for LMTP one line per recipient."""
        self._mails += 1
        self._quiet.clear()
        try:
            answer = await self._answer(envelope)
        finally:
            self._mails -= 1
            if not self._mails:
                self._quiet.set()
        return for_each(answer, envelope.rcpt_tos) if isinstance(server, LMTP) else answer

    async def handle_exception(self, error: Exception) -> str:
        """What nobody thought of: the mail server keeps its mail and tries again."""
        _log.error("mail_session_failed", source=self._instance.name, error=repr(error), exc_info=error)
        return AWAY

    async def _answer(self, envelope: Envelope) -> str:
        mail = envelope.original_content or b""
        sender = f"<{(envelope.mail_from or '').strip('<>')}>"
        try:
            identity = await take_in(self._line, self._instance, mail, sender)
        except Retry as away:
            _log.warning("mail_put_off", source=self._instance.name, error=str(away))
            return AWAY
        except Reject as wrong:
            _log.warning("mail_refused", source=self._instance.name, error=str(wrong))
            return TOO_MUCH
        return f"250 2.0.0 safe id={identity}"


def for_each(answer: str, recipients: Sequence[str]) -> str:
    """LMTP's answer to a mail: a line for each recipient, in their order."""
    return "\r\n".join([answer] * max(1, len(recipients)))


class _Smtp(SMTP):
    """A session: a bound on connections, and none on the length of lines, which real mail does not keep to."""

    line_length_limit = MAIL_BYTES + 4096

    def __init__(self, listener: Listener) -> None:
        super().__init__(
            listener,
            data_size_limit=MAIL_BYTES,
            enable_SMTPUTF8=True,
            hostname=_HOSTNAME,
            ident="hub",
            timeout=IDLE_SECONDS,
            loop=asyncio.get_running_loop(),
        )
        self._listener = listener

    def connection_lost(self, error: Exception | None) -> None:
        """Make room for another."""
        self._listener.leave(self)
        super().connection_lost(error)

    def hang_up(self) -> None:
        """End the session, wherever it is: a mail server that got no answer comes again."""
        if self.transport is not None:
            self.transport.close()

    async def push(self, status: AnyStr) -> None:
        """Say something; a mail that is too long is refused in one wording, and for LMTP to each recipient."""
        said: str | bytes = status
        if isinstance(said, bytes) or not said.startswith("552 "):
            await super().push(status)
            return
        recipients = self.envelope.rcpt_tos if self.envelope and isinstance(self, LMTP) else ()
        await super().push(for_each(TOO_MUCH, recipients))

    async def _handle_client(self) -> None:
        if not self._listener.enter(self):
            await self.push("421 4.3.2 too many connections, come back later")
            self.hang_up()
            return
        await super()._handle_client()


class _Lmtp(_Smtp, LMTP):
    """The same for LMTP."""


_HOSTNAME = socket.gethostname()


def _bound(instance: Instance) -> socket.socket:
    address = Address(listen=instance.settings.listen)
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    try:
        return socket.create_server((address.host, address.port), family=family, backlog=BACKLOG, reuse_port=True)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise Misconfigured(f"sources.{instance.name}.listen: {address.listen}: {reason}") from error
