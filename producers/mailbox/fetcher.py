"""Looking into a mailbox: what is there, then what arrives, in order, each mail once it is safe; for ever.

One thread per mailbox does everything that blocks. Kafka away: the same mail is tried again, and nothing after it.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import structlog

from hub.errors import Reject, Retry
from producers.gateway.instances import Instance
from producers.gateway.intake import Publishes
from producers.mailbox.intake import ACKNOWLEDGED_WITHIN, take_in
from producers.mailbox.place import Place
from producers.mailbox.session import AWAY, Session

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 60.0
KEEP_EVERY = 50
GOODBYE_SECONDS = 1.5
_log = structlog.get_logger("hub.mailbox")


class Fetcher:
    """One mailbox. `folder` is where it remembers how far it was."""

    def __init__(self, instance: Instance, line: Publishes, folder: Path) -> None:
        self._instance = instance
        self._line = line
        self._file = folder / f"{instance.name}.json"
        self._ended = threading.Event()
        self._session: Session | None = None

    async def run(self, stop: asyncio.Event) -> None:
        """Fetch until `stop` is set; a server that is away is waited for."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[None] = loop.create_future()
        thread = threading.Thread(target=self._work, args=(loop, done), name=f"imap {self._instance.name}", daemon=True)
        thread.start()
        stopping = loop.create_task(stop.wait())
        try:
            both: set[asyncio.Future[Any]] = {done, stopping}
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopping.cancel()
            self._ended.set()
        if not done.done():
            await asyncio.wait({done}, timeout=GOODBYE_SECONDS)
        if not done.done() and self._session is not None:
            self._session.cut()
            await asyncio.wait({done}, timeout=GOODBYE_SECONDS)
        if done.done():
            done.result()

    def _work(self, loop: asyncio.AbstractEventLoop, done: asyncio.Future[None]) -> None:
        """The thread: tells the loop how it ended, if there is a loop still."""
        failure: BaseException | None = None
        try:
            self._watch(lambda mail: self._take_in(mail, loop))
        except BaseException as error:  # noqa: BLE001 - handed to whoever waits
            failure = error

        def tell() -> None:
            if not done.done():
                done.set_exception(failure) if failure else done.set_result(None)

        with suppress(RuntimeError):
            loop.call_soon_threadsafe(tell)

    def _take_in(self, mail: bytes, loop: asyncio.AbstractEventLoop) -> None:
        """Hand a mail to the loop and wait until it is safe. Raises Retry; what will never work is left out."""
        taking = asyncio.run_coroutine_threadsafe(take_in(self._line, self._instance, mail), loop)
        try:
            taking.result(ACKNOWLEDGED_WITHIN * 2)
        except Reject as wrong:
            _log.error("mail_refused", source=self._instance.name, error=str(wrong))
        except TimeoutError as error:
            taking.cancel()
            raise Retry("Kafka did not acknowledge") from error

    def _watch(self, take: Callable[[bytes], None]) -> None:
        place = Place(self._file, self._instance.settings)
        pause = FIRST_PAUSE
        while not self._ended.is_set():
            try:
                with Session(self._instance.settings, self._ended) as self._session:
                    place.enter(self._session.uidvalidity)
                    while not self._ended.is_set():
                        self._look(self._session, place, take)
                        pause = FIRST_PAUSE
                        self._session.wait()
            except (*AWAY, Retry) as error:
                if not self._ended.is_set():
                    _log.warning("mailbox_away", source=self._instance.name, error=str(error), seconds=pause)
                self._ended.wait(pause)
                pause = min(pause * 2, LONGEST_PAUSE)

    def _look(self, session: Session, place: Place, take: Callable[[bytes], None]) -> None:
        try:
            for number, uid in enumerate(session.newer_than(place.uid), 1):
                if self._ended.is_set():
                    return
                mail = session.mail(uid)
                if mail is not None:
                    take(mail)
                place.uid = uid
                if number % KEEP_EVERY == 0:
                    place.keep()
        finally:
            place.keep()
