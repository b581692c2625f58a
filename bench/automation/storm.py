"""`python -m bench.automation.storm`: rules do each thing once, whoever is killed meanwhile.

See bench/README.md. Exit status 1: something was done twice, or not, or otherwise; each difference is told.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import sys
from collections.abc import Awaitable, Callable, Iterable
from datetime import timedelta
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any, NamedTuple

import uvloop
from rich.console import Console
from rich.table import Table

from bench.automation import verdict
from bench.automation.plan import FIRST, SECOND, THANKS, Pair, Plan, chunks, mails
from bench.automation.troop import Troop
from bench.figures import Void
from bench.report import Steps, steps
from bench.ruled import SHIPPED, TABLES, take_over
from bench.stage import Stage, servers, stage, state_folder
from hub import clock
from hub.api import deciding
from hub.api.deciding import Author
from hub.embedded import Addresses
from hub.errors import HubError, Retry
from hub.identity.ids import as_text
from hub.storage.migrate import migrate
from hub.storage.pool import Pool, open_pool
from hub.streams.publish import Message, open_publisher
from hub.streams.topics import create_topics
from producers.deeds import open_deeds
from tests.support.relay import Relay

CHUNK = 500
PHASE_SECONDS = 900.0
LOOK_SECONDS = 0.3


class Figures(NamedTuple):
    """What a run came to; `wrong` tells every difference in words."""

    seconds: float
    told: dict[str, Any]
    wrong: list[str]


class Storm:
    """One run: its plan, its stage, and who is killed in it."""

    def __init__(self, plan: Plan, here: Stage, pool: Pool, troop: Troop, told: Steps) -> None:
        self.plan = plan
        self.pool = pool
        self.before: dict[str, int] = {}
        self.after: dict[str, int] = {}
        self.here = here
        self._troop = troop
        self._told = told

    async def run(self, kills: int, outages: int) -> None:
        """Everybody asks and waits; some are one, some call; the waits end. Somebody is killed all the while."""
        async with asyncio.TaskGroup() as tasks:
            hunting = tasks.create_task(self._troop.hunt(kills))
            await self._step("everybody asks", self._all_ask())
            await self._step("some are one person, some are two again", self._double())
            await self._step("some call, the rule is changed, others ask", self._call())
            self._too_early()
            striking = tasks.create_task(self._strike(outages))
            await self._step("the waits end", self._until(verdict.nobody_waits))
            await self._step("every mail is out", self._until(verdict.all_mails_out))
            await striking
            await hunting
        await self._step("nothing is left to be said", self._until(self._is_quiet))

    async def replay(self) -> None:
        """Every event once more, and every topic read from its begin."""
        again = [*self.plan.asked(), *self.plan.called(), *self.plan.doubles_call()]
        await self._step("every event comes again", self._publish(again))
        await self._step("it is read", self._until(self._is_quiet))

    async def backfill(self) -> None:
        """Orders of last year."""
        await self._step("old orders come", self._publish(self.plan.ordered_long_ago(clock.now())))
        await self._step("they are decided about", self._until(lambda pool: verdict.too_old(pool, self.plan.old)))
        await self._step("nothing is left to be said", self._until(self._is_quiet))

    async def apply(self, text: str) -> None:
        """Take a rule over, also for what came before. Raises Void where it is refused."""
        name = text.split("rule: ", 1)[1].split("\n", 1)[0]
        path = self.here.log.parent / f"{name}.yaml"
        path.write_text(text, encoding="utf-8")
        await take_over(self.here, self.pool, path)

    async def _step(self, what: str, work: Awaitable[None]) -> None:
        self._told.begin(what)
        began = perf_counter()
        async with asyncio.timeout(PHASE_SECONDS):
            await work
        self._told.end(f"{what}: {perf_counter() - began:.1f} s")

    async def _all_ask(self) -> None:
        await self._publish(self.plan.asked())
        await self._troop.strike()
        await self._until(lambda pool: verdict.all_wait(pool, self.plan.people))

    async def _double(self) -> None:
        pairs = self.plan.pairs
        for pair in pairs:
            await self._decide(pair, part=False)
        await self._until(lambda pool: verdict.ones(pool, self.plan, {p.second for p in pairs}))
        for pair in pairs:
            if pair.parted:
                await self._decide(pair, part=True)
        await self._until(lambda pool: verdict.ones(pool, self.plan, {p.second for p in pairs if not p.parted}))

    async def _decide(self, pair: Pair, *, part: bool) -> None:
        """Somebody takes two for one, or takes that back."""
        author = Author("somebody", natural_id=f"{'part' if part else 'merge'} {pair.first}")
        one, other = [await verdict.profile_of(self.pool, self.plan.asks(number)) for number in pair[:2]]
        if part:
            number = await verdict.operation_of(self.pool, one)
            draft = await deciding.part_operation(self.pool, number, author)
        else:
            draft = await deciding.merge(self.pool, as_text(one), as_text(other), author)
        async with open_deeds(self.here.kafka) as deeds:
            await deeds.do(*draft.deeds)

    async def _call(self) -> None:
        await self._publish([*self.plan.called(), *self.plan.doubles_call()])
        await self.apply(SECOND)
        await self._publish(self.plan.asked_later(clock.now()))
        await self._until(self._is_quiet)

    def _too_early(self) -> None:
        if clock.now() > self.plan.end - timedelta(seconds=5):
            raise Void("the first waits ended before everything was said: take more --lead")

    async def _strike(self, outages: int) -> None:
        """PostgreSQL goes away when parts of the waits are over."""
        for number in range(1, outages):
            await self._until(partial(verdict.over, plan=self.plan, share=number / outages))
            await self._troop.strike()

    async def _publish(self, messages: list[Message]) -> None:
        async with open_publisher(self.here.kafka) as publisher:
            for some in chunks(messages, CHUNK):
                await publisher.send_bulk(some, within=60)

    async def _is_quiet(self, pool: Pool) -> bool:
        return await verdict.is_quiet(pool, self.here.kafka)

    async def _until(self, holds: Callable[[Pool], Awaitable[bool]]) -> None:
        """Wait; while PostgreSQL is away nothing holds."""
        while True:
            try:
                if await holds(self.pool):
                    return
            except Retry:
                pass
            await asyncio.sleep(LOOK_SECONDS)


async def storm(asked: argparse.Namespace, addresses: Addresses, told: Steps) -> Figures:
    """A whole run on a database of its own."""
    began, relay = perf_counter(), Relay()
    async with relay.serving(), stage(asked.state, addresses, tables={**TABLES, "mail": _mail(relay)}) as here:
        await migrate(here.url)
        await create_topics(here.kafka)
        pool = await open_pool(here.url, 2, name="storm")
        try:
            troop = Troop(here, asked.seed, asked.state)
            end = clock.now() + timedelta(seconds=asked.lead)
            run = Storm(Plan(asked.seed, asked.people, asked.later, asked.old, end), here, pool, troop, told)
            wrong = await _weathered(run, troop, asked, relay)
            return Figures(perf_counter() - began, await _figures(run, troop, relay), wrong)
        finally:
            pool.terminate()


def _mail(relay: Relay) -> dict[str, Any]:
    retries = [0.2, 0.5, 1, 1, 2, 2, 5, 5, 5]
    place = f"127.0.0.1:{relay.place.port}"
    return {"relay": place, "from": "hello@example.com", "tls": "never", "retry_seconds": retries}


async def _weathered(run: Storm, troop: Troop, asked: argparse.Namespace, relay: Relay) -> list[str]:
    await run.apply(FIRST)
    async with troop.at_work():
        await run.run(asked.kills, asked.outages)
    wrong = await verdict.differences(run.plan, run.pool, relay)
    before = await verdict.everything_done(run.pool)
    for _ in range(2):
        await verdict.read_again(run.pool)
        async with troop.at_work():
            await run.replay()
    await take_over(run.here, run.pool, SHIPPED)
    await run.apply(THANKS)
    async with troop.at_work():
        await run.backfill()
    run.after = await verdict.everything_done(run.pool)
    run.before = before
    wrong += [f"replay and backfill: {before} became {run.after}"] if run.after != before else []
    return wrong


async def _figures(run: Storm, troop: Troop, relay: Relay) -> dict[str, Any]:
    ids = [letter["Message-ID"] for letter in relay.took]
    return {
        "people who waited": run.plan.people,
        "who asked under the next version": run.plan.later,
        "merged": len(run.plan.pairs),
        "and parted": sum(pair.parted for pair in run.plan.pairs),
        "deeds": len(run.plan.deeds()),
        "mails": len(mails(run.plan.deeds())),
        "mails that went out twice": len(ids) - len(set(ids)),
        "kills of processes": troop.kills.total(),
        "of which": ", ".join(f"{role} {count}" for role, count in sorted(troop.kills.items())),
        "kills of PostgreSQL": troop.outages,
        "owners": await verdict.owners(run.pool),
        "old orders": run.plan.old,
        "deeds of two replays and the backfill": run.after["deeds"] - run.before["deeds"],
    }


def main(words: Iterable[str] | None = None) -> int:
    """Exit status 1: not everything was done once."""
    asked = _asked(words)
    for away in ("aiokafka", "asyncpg"):  # what is killed is missed by its clients, loudly
        logging.getLogger(away).setLevel(logging.CRITICAL)
    try:
        with steps(14) as told, servers(asked.state, told.report) as addresses:
            found = uvloop.run(storm(asked, addresses, told))
    except (Void, HubError, TimeoutError) as error:
        print(f"void: {str(error) or type(error).__name__}", file=sys.stderr)
        return 1
    table = Table(box=None, show_header=False, pad_edge=False)
    for name, value in found.told.items():
        table.add_row(name, f"{value:,}" if isinstance(value, int) else str(value))
    Console().print(table)
    for difference in found.wrong:
        print(difference, file=sys.stderr)
    print(f"{'as the model' if not found.wrong else 'NOT as the model'}, {found.seconds:.0f} s")
    if asked.json:
        asked.json.write_text(json.dumps({**found.told, "wrong": found.wrong}, indent=2) + "\n", encoding="utf-8")
    return 1 if found.wrong else 0


def _asked(given: Iterable[str] | None) -> argparse.Namespace:
    words = argparse.ArgumentParser("python -m bench.automation.storm", description=__doc__)
    words.add_argument("--people", type=int, default=10_000, help="who wait (default: %(default)s)")
    words.add_argument("--later", type=int, default=1000, help="who ask when the rule is changed")
    words.add_argument("--old", type=int, default=10_000, help="old orders that are filled in (default: %(default)s)")
    words.add_argument("--kills", type=int, default=24, help="of processes (default: %(default)s)")
    words.add_argument("--outages", type=int, default=4, help="kills of PostgreSQL (default: %(default)s)")
    words.add_argument("--lead", type=float, default=180.0, help="seconds until waits end (default: %(default)s)")
    words.add_argument("--seed", type=int, default=1, help="default: %(default)s")
    words.add_argument("--json", type=Path, metavar="FILE", help="write the figures there")
    asked = words.parse_args(None if given is None else [*given])
    asked.state = state_folder()
    return asked


if __name__ == "__main__":
    sys.exit(main())
