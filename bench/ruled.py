"""The hub with the shipped rules on: as in `bench.rate`, and the clock runs on until all that rules did is done too.

Every post is decided about; one in ten sets off a journey, whose deeds are events of the hub's own on the same way.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from time import perf_counter

from bench.automation.verdict import is_quiet
from bench.children import Command, children, hub
from bench.figures import Void
from bench.machine import Machine
from bench.rate import PUBLISHING, TURN_SECONDS, Ring, Turn, differences, pause, rate, serving, until
from bench.stage import ROOT, Stage, count, ends, preload, settle, stage
from hub.storage.migrate import migrate
from hub.storage.pool import Pool, reading
from schemas.topics import HUB_TOPIC

SHIPPED = ROOT / "hub" / "automation" / "shipped"
ROLES = (*PUBLISHING, "automation")
TABLES = {
    "mail": {"relay": "127.0.0.1:9", "from": "hello@example.com"},
    "teams": {name: {"members": [f"{one}@example.com" for one in ("ann", "bob")]} for name in ("sales", "service")},
}
"""Nobody listens there, and nothing is sent: the first mail of a new lead comes after two days."""
ALWAYS = "UPDATE rule_state SET live_since = '2000-01-01T00:00:00Z'"
"""The events of a turn were made before it: rules leave the past alone."""
LOOK_SECONDS = 0.2
"""To ask Kafka where its topics end costs more than to ask PostgreSQL what was read."""


def commands() -> dict[str, Command]:
    """The processes that `hub serve` would give these roles."""
    return serving(ROLES)


async def ruled_turn(ring: Ring) -> Turn:
    """The hub with the roles `profiles`, `relay` and `automation`."""
    async with stage(ring.state, ring.addresses, tables=TABLES) as here:
        await migrate(here.url)
        await take_over(here, here.pool, SHIPPED)
        await preload(here.kafka, ring.stock.messages)
        await settle(here)
        turn = await _race(ring, here)
        return Turn(turn.events, turn.rate, turn.cpu, await _wrong(ring, here))


async def take_over(here: Stage, pool: Pool, path: Path) -> None:
    """`hub rules apply` of a file or a folder, also for what came before. Raises Void where it is refused."""
    with here.log.open("ab") as log:
        arguments = hub("rules", "apply", str(path)).arguments
        child = await asyncio.create_subprocess_exec(*arguments, env=here.environment, stdout=log, stderr=log)
        if await child.wait():
            raise Void(f"the rules of {path.name} were refused: {here.log}")
    async with reading(pool) as connection:
        await connection.execute(ALWAYS)


async def _race(ring: Ring, here: Stage) -> Turn:
    """The clock runs from the first commit until every record was read by both groups, and nothing is to be said."""
    async with children(commands(), here.environment, here.log) as found:
        for child in found:
            child.go()
        async with asyncio.timeout(TURN_SECONDS):
            first = await until(here, found, 1)
            began, machine = perf_counter(), Machine(ring.state, found)
            await until(here, found, 2 * ring.events)
            while not await is_quiet(here.pool, here.kafka):
                await pause(found)
                await asyncio.sleep(LOOK_SECONDS)
            seconds = perf_counter() - began
        done = ring.events - min(first, ring.events)
        return Turn(done, rate(done, seconds), machine.used())


async def _wrong(ring: Ring, here: Stage) -> tuple[str, ...]:
    """Whether everybody of the run was met, decided about, and assigned to somebody once."""
    async with reading(here.pool) as connection:
        [row] = await connection.fetch(
            """
            SELECT (SELECT count(*) FROM profile), (SELECT count(*) FROM dead_letter),
                   (SELECT count(DISTINCT event_id) FROM rule_decision),
                   (SELECT count(*) FROM journey WHERE rule = 'new-lead'),
                   (SELECT count(*) FROM profile WHERE owner IS NULL)
            """
        )
        deeds = await count(connection, "SELECT count(*) FROM ledger WHERE state = 'done' AND verb = 'assign_owner'")
    said = await ends(here.kafka, HUB_TOPIC)
    events, people = ring.truth
    truth = (
        ("profiles", row[0], people),
        ("dead letters", row[1], 0),
        ("events decided about", row[2], events),
        ("new leads", row[3], people),
        ("people without an owner", row[4], 0),
        ("assignments", deeds, people),
        ("events of rules", said, 2 * people),
    )
    return differences("hub, rules on", truth)
