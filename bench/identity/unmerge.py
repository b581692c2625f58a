"""`python -m bench.identity.unmerge`: how long a merge takes, and its undoing, where the profile has many records.

In a real PostgreSQL, by the code of the role `profiles`: from the decision as it comes off its topic to the commit.
What the way through Kafka adds is what it adds to every event (`make bench`). Exit status 1: the target is missed.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from statistics import median
from time import perf_counter
from typing import NamedTuple

import orjson
import uvloop

from bench.stage import servers, stage, state_folder
from consumers.profiles import Profiles
from hub.api import deciding
from hub.api.deciding import Author, Draft
from hub.api.why import why
from hub.cache import LocalHints
from hub.components import Record
from hub.embedded import Addresses, terminal
from hub.identity.evidence import Fact, Words, recognise
from hub.identity.ids import as_text, event_id
from hub.storage.migrate import migrate
from hub.storage.pool import Pool, open_pool, transaction

TARGET_MS = 100.0
AT = "2026-01-05T08:00:00.000Z"
AROUND_ONE_ADDRESS = 6
"""Accounts that state the same address: few enough for it to stay a person's own."""
_AUTHOR = Author("bench")


class Times(NamedTuple):
    """Milliseconds of every merge and of every undoing."""

    merges: list[float]
    undoings: list[float]


def person(name: str, records: int) -> list[Fact]:
    """One person as that many accounts, each of a source of its own; the addresses hang together like a chain."""
    facts = []
    for number in range(records):
        facts.append(_account(name, number, number // AROUND_ONE_ADDRESS))
        if number and number % AROUND_ONE_ADDRESS == 0:
            facts.append(_account(name, number, number // AROUND_ONE_ADDRESS - 1))
    return facts


def _account(name: str, number: int, address: int) -> Fact:
    source = f"tool-{name[:1]}{number}"
    event = event_id(source, f"{name} {address}")
    who = recognise(source, Words(name, f"{name}.{address}@example.com"), None)
    return Fact(
        event, as_text(event), "contact.updated", source, AT, AT, trusted=True, spam=False, payload=b"{}", who=who
    )


async def measure(pool: Pool, records: int, times: int) -> Times:
    """Two people with so many records together, merged and parted again; each time others."""
    found = Times([], [])
    room = Profiles(LocalHints(), {})
    for turn in range(times):
        sides = [person(f"{side}{turn}", records // 2) for side in "ab"]
        for facts in sides:
            await _written(pool, room, facts)
        one, other = [as_text(facts[0].who.record) for facts in sides if facts[0].who]
        merging = await deciding.merge(pool, one, other, _AUTHOR)
        found.merges.append(await _written(pool, room, _read(room, merging)))
        operations = (await why(pool, one))["operations"]
        number = next(told["operation"] for told in operations if told["cause_type"] == "records.merged")
        parting = await deciding.part_operation(pool, number, _AUTHOR)
        found.undoings.append(await _written(pool, room, _read(room, parting)))
    return found


async def _written(pool: Pool, room: Profiles, facts: Sequence[Fact]) -> float:
    began = perf_counter()
    async with transaction(pool) as connection:
        await room.write(connection, facts)
    return (perf_counter() - began) * 1000


def _read(room: Profiles, draft: Draft) -> list[Fact]:
    """The facts of a draft, as they come off their topic."""
    return [
        room.read(
            Record(
                "inbound.hub",
                0,
                0,
                0,
                None,
                orjson.dumps(one.data),
                [
                    ("ce_specversion", b"1.0"),
                    ("ce_id", as_text(one.event).encode()),
                    ("ce_source", b"hub"),
                    ("ce_edge", b"hub"),
                    ("ce_type", one.type.encode()),
                    ("ce_time", one.at.encode()),
                    ("ce_receivedtime", one.at.encode()),
                ],
            )
        )
        for one in draft.deeds
    ]


async def run(addresses: Addresses, records: int, times: int) -> Times:
    """On a database of its own."""
    async with stage(state_folder(), addresses) as here:
        await migrate(here.url)
        pool = await open_pool(here.url, 2, name="bench", point_lookups=True)
        try:
            return await measure(pool, records, times)
        finally:
            pool.terminate()


def main(words: Sequence[str]) -> int:
    """Measure and tell. Gives the exit status."""
    parser = argparse.ArgumentParser(prog="python -m bench.identity.unmerge", description=__doc__)
    parser.add_argument("--records", type=int, default=50, help="records of the merged profile")
    parser.add_argument("--times", type=int, default=20, help="how often")
    chosen = parser.parse_args(words)
    with terminal() as report, servers(state_folder(), report) as addresses:
        found = uvloop.run(run(addresses, chosen.records, chosen.times))
    for what, took in (("merge", found.merges), ("undoing", found.undoings)):
        print(f"{what} of {chosen.records} records: median {median(took):.1f} ms, longest {max(took):.1f} ms")
    return int(median(found.undoings) > TARGET_MS)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
