"""Events per second from the inbound topic to the published update, of the hub and of two floors below it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import perf_counter

import orjson

from bench import copy_floor, relational_floor
from bench.children import Child, Command, children, hub, module
from bench.events import Stock
from bench.figures import Void
from bench.machine import Machine
from bench.stage import Stage, count, ends, preload, settle, stage
from hub.cli.roles import TOGETHER
from hub.embedded import Addresses
from hub.storage.migrate import migrate
from hub.storage.pool import reading

LOOK_SECONDS = 0.02
TURN_SECONDS = 600.0
PUBLISHING = ("profiles", "relay")
"""The roles of the way from an inbound topic to the published update."""
FLOOR = {"lanes": module("relational_floor", "0", "1"), "relay": module("relational_floor", "relay")}


def hub_commands() -> dict[str, Command]:
    """The processes that `hub serve` would give the roles of that way."""
    return serving(PUBLISHING)


def serving(wanted: Sequence[str]) -> dict[str, Command]:
    """The processes that `hub serve` would give these roles."""
    shares = [" ".join(role for role in share if role in wanted) for share in TOGETHER]
    named = {f"{roles} {number}" if roles in shares[:number] else roles: roles for number, roles in enumerate(shares)}
    return {name: hub("serve", "--child", *roles.split()) for name, roles in named.items() if roles}


@dataclass(frozen=True)
class Turn:
    """What one contender did in one round: so many events on its clock, CPU seconds by process, servers among them."""

    events: int
    rate: float
    cpu: dict[str, float]
    wrong: tuple[str, ...] = ()


@dataclass(frozen=True)
class Ring:
    """What every turn needs."""

    state: Path
    addresses: Addresses
    stock: Stock
    hub: dict[str, Command]
    known: Stock = field(default_factory=Stock)
    """What is written before the clock starts."""

    @property
    def events(self) -> int:
        """Records on the inbound topic that the clock counts, repeats among them."""
        return len(self.stock.messages)

    @property
    def truth(self) -> tuple[int, int]:
        """How many distinct events and people there are in the end."""
        return len(self.known.event_ids | self.stock.event_ids), len(self.known.emails | self.stock.emails)


async def copy_turn(ring: Ring) -> Turn:
    """The copy floor; it keeps its own clock, since it stores no offsets."""
    async with stage(ring.state, ring.addresses, copy_floor.TABLES) as here:
        await preload(here.kafka, ring.stock.messages)
        await settle(here)
        async with children({"copy floor": module("copy_floor")}, here.environment, here.log) as found:
            machine = Machine(ring.state, found)
            found[0].go()
            done, seconds = orjson.loads(await found[0].line(TURN_SECONDS))
            cpu = machine.used()
        async with reading(here.pool) as connection:
            rows = await count(connection, "SELECT count(*) FROM copied")
            events = await count(connection, "SELECT count(DISTINCT event_id) FROM copied")
        truth = (("rows", rows, ring.events), ("distinct events", events, len(ring.stock.event_ids)))
        return Turn(done, rate(done, seconds), cpu, differences("copy floor", truth))


async def relational_turn(ring: Ring) -> Turn:
    """The relational floor."""
    async with stage(ring.state, ring.addresses, relational_floor.TABLES) as here:
        await _meet(ring, here, FLOOR)
        await preload(here.kafka, ring.stock.messages)
        await settle(here)
        turn = await _race(ring, here, FLOOR)
        async with reading(here.pool) as connection:
            versions = await count(connection, "SELECT sum(version) FROM profile")
            counted = await count(connection, "SELECT sum(activities) FROM profile")
        published = await ends(here.kafka, relational_floor.OUT)
        truth = (("activities of profiles", counted, ring.truth[0]), ("messages", published, versions))
        return replace(
            turn, wrong=await _counts("relational floor", ring, here) + differences("relational floor", truth)
        )


async def hub_turn(ring: Ring) -> Turn:
    """The hub: its roles `profiles` and `relay`, a process each."""
    async with stage(ring.state, ring.addresses) as here:
        await migrate(here.url)
        await _meet(ring, here, ring.hub)
        await preload(here.kafka, ring.stock.messages)
        await settle(here)
        turn = await _race(ring, here, ring.hub)
        async with reading(here.pool) as connection:
            letters = await count(connection, "SELECT count(*) FROM dead_letter")
        published = await ends(here.kafka, "activities")
        truth = (("dead letters", letters, 0), ("messages on activities", published, ring.truth[0]))
        return replace(turn, wrong=await _counts("hub", ring, here) + differences("hub", truth))


async def _meet(ring: Ring, here: Stage, commands: dict[str, Command]) -> None:
    """Whoever is to be known is met, by the same processes on the same way, which end again."""
    if not ring.known.messages:
        return
    await preload(here.kafka, ring.known.messages)
    async with children(commands, here.environment, here.log) as found:
        for child in found:
            child.go()
        async with asyncio.timeout(TURN_SECONDS):
            await until(here, found, len(ring.known.messages))
            await until_published(here, found)


async def _race(ring: Ring, here: Stage, commands: dict[str, Command]) -> Turn:
    """The clock runs from the first commit until the last message is acknowledged."""
    known = len(ring.known.messages)
    total = known + ring.events
    async with children(commands, here.environment, here.log) as found:
        for child in found:
            child.go()
        async with asyncio.timeout(TURN_SECONDS):
            first = await until(here, found, known + 1)
            began, machine = perf_counter(), Machine(ring.state, found)
            await until(here, found, total)
            await until_published(here, found)
            seconds = perf_counter() - began
        done = total - first
        return Turn(done, rate(done, seconds), machine.used())


def rate(done: int, seconds: float) -> float:
    """Per second. Raises Void where nothing was left for the clock."""
    if not done:
        raise Void("everything was in the first batch, before the clock: take more --events")
    return done / seconds


async def until(here: Stage, found: Sequence[Child], wanted: int) -> int:
    """Wait until so many records are committed; gives how many are."""
    while True:
        async with reading(here.pool) as connection:
            done = await count(connection, "SELECT sum(next_offset) FROM stored_offset")
        if done >= wanted:
            return done
        await pause(found)


async def until_published(here: Stage, found: Sequence[Child]) -> None:
    """Wait until nothing is to be said."""
    while True:
        async with reading(here.pool) as connection:
            if not await count(connection, "SELECT count(*) FROM (SELECT FROM outbox LIMIT 1) x"):
                return
        await pause(found)


async def pause(found: Sequence[Child]) -> None:
    """A moment, in which nobody may have ended. Raises Broken."""
    for child in found:
        child.check()
    await asyncio.sleep(LOOK_SECONDS)


async def _counts(who: str, ring: Ring, here: Stage) -> tuple[str, ...]:
    async with reading(here.pool) as connection:
        activities = await count(connection, "SELECT count(*) FROM activity")
        profiles = await count(connection, "SELECT count(*) FROM profile")
        waiting = await count(connection, "SELECT count(*) FROM outbox")
    truth = (
        ("activities", activities, ring.truth[0]),
        ("profiles", profiles, ring.truth[1]),
        ("outbox rows", waiting, 0),
    )
    return differences(who, truth)


def differences(who: str, truth: Sequence[tuple[str, int, int]]) -> tuple[str, ...]:
    """What is not as it should be, of (what, found, right), in words."""
    return tuple(f"{who}: {found} {what} where {right} are right" for what, found, right in truth if found != right)
