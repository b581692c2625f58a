"""Sends the hub's own mails: takes what is due, hands it to the relay, writes down what came of it.

As the dispatcher does it: the claim is committed before a mail leaves, the answer is written under the claim's token. A
mail goes out a second time only where a process ends between the relay's 250 and the commit, and then under the same
Message-ID, with the same bytes.
"""

from __future__ import annotations

import asyncio
from email.utils import parseaddr

import structlog

from consumers.mailing import message, verdict
from hub import clock
from hub.components import Hints
from hub.crashpoints import crash_here
from hub.egress.smtp import Place, post
from hub.errors import Retry
from hub.identity.ids import as_text
from hub.settings import Mail, read_secret
from hub.storage import mails
from hub.storage.mails import Taken, Tried
from hub.storage.pool import Pool, reading, transaction

AT_ONCE = 8
LEASE_SECONDS, SEND_SECONDS = 60.0, 30.0
"""A lease outlives the longest try, so nobody sends what is on the wire."""
IDLE_SECONDS = 1.0
GRACE_SECONDS = 5.0
"""When told to stop, mails on the wire get that long to end."""
_log = structlog.get_logger("consumers.mailer")


class Mailer:
    """The relay, who writes, and how long to wait between tries (empty: two days, ever more slowly)."""

    def __init__(self, pool: Pool, place: Place, sender: str, schedule: tuple[float, ...] = ()) -> None:
        self._pool = pool
        self._place = place
        self._sender = sender
        self._schedule = schedule

    async def turn(self) -> int:
        """Send what is due, some at once; gives how many tries there were. Raises Retry."""
        async with transaction(self._pool) as connection:
            taken = await mails.take(connection, AT_ONCE, LEASE_SECONDS)
        if not taken:
            return 0
        tried = await asyncio.gather(*map(self._send, taken))
        async with transaction(self._pool) as connection:
            held = await mails.finish(connection, tried)
        for one in tried:
            if one.lease.id not in held:
                _log.warning("lease_lost", mail_id=as_text(one.lease.id))
        return len(tried)

    async def next_due(self) -> float:
        """In how many seconds there is something to do. Raises Retry."""
        async with reading(self._pool) as connection:
            return await mails.next_due(connection, IDLE_SECONDS)

    async def _send(self, taken: Taken) -> Tried:
        try:
            made = message(taken.mail, self._sender, taken.created_at)
        except ValueError as error:  # a header that cannot be written
            return Tried(taken.lease, "dead", 0.0, taken.step, f"could not be written: {error}"[:500])
        said = await post(self._place, parseaddr(self._sender)[1], taken.mail.recipient, made, SEND_SECONDS)
        if said.code is not None and 200 <= said.code < 300:
            crash_here("after_smtp_250_before_commit")
        found = verdict(said, taken, self._schedule, clock.now())
        if found.state == "dead":
            _log.warning("mail_dead", mail_id=as_text(taken.mail.id), error=found.error)
        state = "sent" if found.state == "delivered" else found.state
        return Tried(taken.lease, state, found.delay, found.step, said.text[:500])


def of(settings: Mail, pool: Pool) -> Mailer | None:
    """The mailer of `[mail]`; None where no relay is named. Raises Misconfigured where a password cannot be read."""
    if settings.relay is None or settings.sender is None:
        return None
    return Mailer(pool, relay(settings, settings.relay), settings.sender, settings.retry_seconds)


def relay(settings: Mail, address: str) -> Place:
    """The relay at host:port, as `[mail]` speaks to it. Raises Misconfigured where a password cannot be read."""
    host, _, port = address.rpartition(":")
    password = read_secret(settings.password_file) if settings.password_file else settings.password
    return Place(host.strip("[]"), int(port), settings.tls, settings.user, password)


async def run(mailer: Mailer, hints: Hints, stop: asyncio.Event) -> None:
    """Send until `stop`; what is on the wire then has a moment to end, else it is tried again by whoever comes next."""
    async with asyncio.TaskGroup() as tasks:
        sending = tasks.create_task(_send_on(mailer, hints, stop))
        await stop.wait()
        await asyncio.wait({sending}, timeout=GRACE_SECONDS)
        sending.cancel()


async def _send_on(mailer: Mailer, hints: Hints, stop: asyncio.Event) -> None:
    while not stop.is_set():
        try:
            if await mailer.turn():
                continue
            rest = await mailer.next_due()
        except Retry as error:
            _log.warning("mails_wait", error=str(error))
            rest = error.after or IDLE_SECONDS
        if rest:
            await hints.wait("mails", min(rest, IDLE_SECONDS))
