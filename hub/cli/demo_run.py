"""A run of the demo: the hub's processes, the tools and the company, until all is done or somebody stops it."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from socket import socket
from typing import NamedTuple

from consumers.monitor import Monitor
from hub import clock
from hub.cli import session
from hub.cli.demo_looks import Looks
from hub.cli.serve import addresses
from hub.demo.company import Plan
from hub.demo.folder import Folder
from hub.demo.mailbox import Mailbox
from hub.demo.posts import INBOX, Post, posts
from hub.demo.posts import run as posts_of_a_run
from hub.demo.screen import Screen
from hub.demo.sender import Sender, until_ready
from hub.demo.tools import Tool, serving
from hub.errors import Retry
from hub.runtime.processes import stop_on_signals
from hub.settings import Settings, environment

UP_SECONDS, STOP_SECONDS = 120.0, 45.0
"""How long the hub has to come up, and to end."""
SETTLE_SECONDS = 180.0
"""How long after the last request something may wait."""
LOOK_SECONDS, FRAME_SECONDS = 0.5, 0.25
TOO_EARLY = "Stopped before the end."
LAST_WORDS = 8
"""Lines of the log that are shown where the hub ends by itself."""


@dataclass(frozen=True)
class Wishes:
    """What the command line asks for."""

    exits: bool
    summary: Path | None
    seed: int
    events: int
    people: int
    rate: float


@dataclass(frozen=True)
class Stage:
    """Everything that stands before the company opens."""

    wishes: Wishes
    plan: Plan
    is_first: bool
    folder: Folder
    settings: Settings
    keys: dict[str, str]
    tools: dict[str, Tool]
    doors: dict[str, socket]
    mailbox: Mailbox
    letter_box: socket
    stop: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def planned(self) -> int | None:
        """How many requests the run has, None where it goes on."""
        return self.wishes.events if self.wishes.exits else None


class End(NamedTuple):
    """How the run ended, in words."""

    is_well: bool
    words: str


async def run(stage: Stage) -> bool:
    """Perform. Says whether it went well; what did not is told. Raises Retry where the hub does not come up."""
    stop_on_signals(stage.stop)
    screen = Screen()
    screen.say("Starting the hub.")
    end = await _perform(stage, screen)
    screen.say("")
    screen.say(end.words)
    screen.say(_farewell(stage))
    return end.is_well


async def _perform(stage: Stage, screen: Screen) -> End:
    """The hub, the tools and the company."""
    listeners = [f"http://{one.listen}" for one in (stage.settings.gateway, stage.settings.console)]
    sender = Sender(listeners[0], stage.settings.sources[INBOX].own["listen"], stage.keys)
    async with session.database(stage.settings) as pool, Monitor(stage.settings, pool) as monitor:
        looks = Looks(pool, monitor, sender, stage.tools, stage.mailbox)
        await looks.begin()
        async with (
            aclosing(sender),
            serving(stage.tools, stage.doors),
            stage.mailbox.serving(stage.letter_box),
            _hub(stage),
        ):
            if not await until_ready(listeners, UP_SECONDS, stage.stop):
                if stage.stop.is_set():
                    return End(not stage.wishes.exits, TOO_EARLY)
                raise Retry(f"the hub did not come up within {UP_SECONDS:.0f} s; its log: {stage.folder.log}")
            screen.say(f"Events in   {listeners[0]}/in/{{source}} and /events, mail at {sender.mail}")
            screen.say(f"Mails out  {stage.mailbox.folder}")
            screen.say(f"Beside it   HUB_CONFIG={stage.folder.settings} hub lag --watch")
            screen.say("")
            return await _company(stage, screen, looks, sender)


@asynccontextmanager
async def _hub(stage: Stage) -> AsyncIterator[None]:
    """`hub serve` as a child; what it says goes to the log. Raises Retry where it ends by itself."""
    around = environment() | addresses(stage.settings) | {"HUB_CONFIG": str(stage.folder.settings)}
    command = [sys.executable, "-m", "hub.cli.tethered", "serve"]
    halt = asyncio.Event()
    with stage.folder.log.open("ab") as log:
        child = await asyncio.create_subprocess_exec(
            *command, stdin=asyncio.subprocess.PIPE, stdout=log, stderr=log, env=around, start_new_session=True
        )
    async with asyncio.TaskGroup() as tasks:
        keeping = tasks.create_task(_keep(child, halt, stage.folder.log))
        try:
            yield
        finally:
            halt.set()
            await asyncio.wait({keeping})


async def _keep(child: asyncio.subprocess.Process, halt: asyncio.Event, log: Path) -> None:
    """Be there until the child is to end, and end it. Raises Retry where it went before."""
    async with asyncio.TaskGroup() as tasks:
        halting = tasks.create_task(halt.wait())
        ending = tasks.create_task(child.wait())
        await asyncio.wait({halting, ending}, return_when=asyncio.FIRST_COMPLETED)
        if ending.done() and not halt.is_set():
            raise Retry(f"the hub has ended by itself; the end of {log}:\n{_last_words(log)}")
        with suppress(ProcessLookupError):
            child.terminate()
        await asyncio.wait({ending}, timeout=STOP_SECONDS)
        if not ending.done():
            child.kill()


def _last_words(log: Path) -> str:
    return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-LAST_WORDS:])


async def _company(stage: Stage, screen: Screen, looks: Looks, sender: Sender) -> End:
    """Send, look and show."""
    looks.start()
    with screen:
        async with asyncio.TaskGroup() as tasks:
            at_work = [
                tasks.create_task(sender.send(_requests(stage))),
                tasks.create_task(_answer(stage.mailbox, sender)),
                tasks.create_task(_paint(stage, looks, screen)),
            ]
            trouble = await _watch(stage, looks)
            for one in at_work:
                one.cancel()
        looks.doing = "Stopped" if trouble or not stage.wishes.exits else "Done"
        screen.show(looks.now(stage.planned), last=True)
    if stage.wishes.summary:
        text = json.dumps(looks.summary(), indent=2)
        stage.wishes.summary.write_text(f"{text}\n", encoding="utf-8")
    if trouble:
        return End(is_well=False, words=trouble)
    rest = f"Stopped. The next start goes on with what waits: {looks.waiting}."
    return End(is_well=True, words=rest if looks.waiting else "All is well: nothing waits.")


def _requests(stage: Stage) -> Iterator[Post]:
    return posts(stage.plan) if stage.planned is None else posts_of_a_run(stage.plan, stage.planned)


async def _answer(mailbox: Mailbox, sender: Sender) -> None:
    """The customers answer their mails."""
    async for post in mailbox.answers():
        await sender.say(post)


async def _watch(stage: Stage, looks: Looks) -> str:
    """Look again and again, until all is done or nothing more is to be hoped for; gives what went wrong, in words."""
    end = stage.plan.offset(stage.wishes.events) + SETTLE_SECONDS
    away = ""
    while not looks.is_over:
        if stage.stop.is_set():
            return TOO_EARLY if stage.wishes.exits else looks.refusals
        if stage.wishes.exits and looks.seconds > end:
            return away or f"After {looks.seconds:.0f} s something still waits: {looks.waiting}."
        try:
            await looks.look()
            away = ""
        except Retry as error:
            away = str(error)
        looks.doing = away or _doing(stage, looks)
        await clock.pause(stage.stop, LOOK_SECONDS)
    return looks.refusals


def _doing(stage: Stage, looks: Looks) -> str:
    if looks.all_sent:
        return "All is sent, the rules go on" if looks.doings.journeys else "All is sent, the rest is on its way"
    if not stage.is_first and not looks.fates.ours:
        return "The same events again: all dropped"
    if looks.sent > stage.wishes.events:
        return "The company goes on, slowly"
    return "The company is at work"


async def _paint(stage: Stage, looks: Looks, screen: Screen) -> None:
    while True:
        screen.show(looks.now(stage.planned))
        await asyncio.sleep(FRAME_SECONDS)


def _farewell(stage: Stage) -> str:
    kept = f"The data stays in {stage.folder.state}: the next start sends the same events, and all are dropped."
    if stage.wishes.exits:
        return kept
    return f"{kept}\nKafka, PostgreSQL and Redis go on; to end them: hub embedded stop --state {stage.folder.state}"
