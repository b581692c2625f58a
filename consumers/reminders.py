"""Reminders: a mail to whose they are when they come due, and once, however often somebody looks.

The mail's row and the note that it was told are one transaction. What was done, dropped or put off meanwhile is
nobody's to tell any more.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection

import structlog

from consumers.sights import person
from hub.automation.notices import notice
from hub.automation.view import Person
from hub.components import Hints, Teams
from hub.errors import Retry
from hub.identity.ids import as_text, hash_id
from hub.storage import erasure, mails, tasks
from hub.storage.mails import Mail
from hub.storage.pool import Connection, Pool, reading, transaction
from hub.storage.tasks import LEASES, Reminded, Reminder

LEASE_SECONDS, IDLE_SECONDS = 30.0, 1.0
LATE_SECONDS = 3 * 86_400.0
"""A reminder that was over for longer than this when the hub first heard of it reminds nobody: it was read again."""
_log = structlog.get_logger("consumers.reminders")


class Reminders:
    """Takes reminders that are due and writes their mails."""

    def __init__(self, pool: Pool, teams: Teams) -> None:
        self._pool = pool
        self._teams = teams

    async def turn(self) -> int:
        """One round; says how many were looked at. Raises Retry."""
        async with transaction(self._pool) as connection:
            leases = await tasks.take(connection, LEASE_SECONDS)
        if leases:
            async with transaction(self._pool) as connection:
                await erasure.enter(connection)
                await self._tell(connection, await LEASES.hold(connection, leases))
        return len(leases)

    async def until_due(self) -> float:
        """Seconds until the next look. Raises Retry."""
        async with reading(self._pool) as connection:
            return max(0.005, await tasks.next_due(connection, IDLE_SECONDS))

    async def _tell(self, connection: Connection, held: Collection[bytes]) -> None:
        told = [(one, self._to(one)) for one in await tasks.load(connection, held, LATE_SECONDS)]
        if letters := [_mail(one, to) for one, several in told for to in several]:
            await mails.put(connection, letters)
        if told:
            await tasks.reminded(connection, [Reminded(one.id, one.due, to) for one, to in told])

    def _to(self, one: Reminder) -> list[str]:
        """Who is told; nobody is said in the log."""
        found = recipients(one, person(one.line), self._teams)
        if not found:
            _log.warning("reminder_for_nobody", task=as_text(one.id), late=one.is_late)
        return found


def recipients(one: Reminder, customer: Person, teams: Teams) -> list[str]:
    """Whose it is; else whoever looks after the customer now; else everybody of its team; else nobody."""
    if one.is_late or one.profile is None:
        return []
    if first := one.assignee or customer.owner:
        return [first]
    return list(dict.fromkeys(teams.get(one.team or "", ())))


def _mail(one: Reminder, to: str) -> Mail:
    """The mail; its id is the hash of the task, of the time that it is due at, and of who gets it."""
    letter = notice(to, one.title, person(one.line).fields, as_text(one.profile or b""))
    identity = hash_id("reminder", as_text(one.id), one.due.isoformat(), to)
    return Mail(identity, to, letter.subject, letter.text, one.record)


async def run_reminders(reminders: Reminders, hints: Hints, stop: asyncio.Event) -> None:
    """Look after reminders until `stop`. A database that is away is waited for."""
    while not stop.is_set():
        try:
            if await reminders.turn():
                hints.wake("mails")
                continue
            rest = await reminders.until_due()
        except Retry as error:
            _log.warning("reminders_wait", error=str(error))
            rest = error.after or IDLE_SECONDS
        await hints.wait("reminders", rest)
