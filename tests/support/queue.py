"""The queue of suspected duplicates without Kafka: what its worker hears, and decisions as they come back."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import count
from typing import Any

import orjson

from consumers.duplicates import Duplicates
from consumers.profiles import Profiles
from hub.api import duplicates
from hub.api.deciding import Author, Draft
from hub.cache import LocalHints
from hub.components import Record
from hub.identity.evidence import Fact, Words
from hub.identity.ids import as_text
from hub.storage.offsets import PostgresStore
from hub.storage.pool import Pool, transaction
from hub.storage.suspects import Key, key_of
from producers.deeds import Deed
from tests.support.line import write
from tests.support.memory import day, fact, record

SAM = Author("sam", "looked at both")
PHONE = "+4930901820"
OFFSETS = count(1)
TABLES = ("block_key", "suspect_pair")


async def never(*_: Deed) -> None:
    """Where nothing is to be sent."""
    raise AssertionError("this is not to be sent")


def told(profile: bytes) -> Record:
    """A message of the topic `profiles`; what it says of the profile is of no account."""
    return Record("profiles", 0, 0, 0, as_text(profile).encode(), b"{}", [])


async def look(pool: Pool, records: Iterable[Record]) -> None:
    """One batch of the worker."""
    room = Duplicates()
    items = [room.read(one) for one in records]
    async with transaction(pool) as connection:
        await room.write(connection, items)


async def hear(pool: Pool, *facts: Fact) -> None:
    """These facts become profiles, and the worker hears of everybody whom they touch."""
    before = await living(pool)
    await write(pool, facts)
    touched = {one.who.record for one in facts if one.who} | (before ^ await living(pool))
    await look(pool, map(told, sorted(touched)))


def events(deeds: Iterable[Deed]) -> list[Record]:
    """Deeds as their events stand on `inbound.hub`."""
    found = []
    for one in deeds:
        headers = {
            "ce_specversion": b"1.0", "ce_id": as_text(one.event).encode(), "ce_source": b"hub", "ce_edge": b"hub",
            "ce_type": one.type.encode(), "ce_time": one.at.encode(), "ce_receivedtime": one.at.encode(),
        }  # fmt: skip
        body = orjson.dumps(one.data)
        found.append(Record("inbound.hub", 0, next(OFFSETS), 1_795_305_600_000, None, body, [*headers.items()]))
    return found


async def living(pool: Pool) -> set[bytes]:
    """The ids of all profiles."""
    return {row[0] for row in await pool.fetch("SELECT profile_id FROM profile")}


async def do(pool: Pool, deeds: Iterable[Deed]) -> None:
    """Decisions become part of the records, as the room `profiles` does it."""
    room = Profiles(LocalHints(), {})
    await write(pool, [room.read(one) for one in events(deeds)])
    await past(pool)


async def past(pool: Pool) -> None:
    """The room `profiles` has read everything that was there so far, and more."""
    store, place = PostgresStore(pool), ("inbound.hub", 0)
    async with store.begin() as connection:
        await store.fence(connection, "profiles", [place])
        await store.advance(connection, "profiles", {place: 2 * next(OFFSETS)})


async def made(pool: Pool, draft: Draft) -> None:
    """A decision that was made elsewhere, and that the worker hears of: its event, and whoever moved by it."""
    before = await living(pool)
    await do(pool, draft.deeds)
    await look(pool, [*events(draft.deeds), *map(told, sorted(before ^ await living(pool)))])


async def decide(pool: Pool, pair: Key, verdict: str, author: Author = SAM) -> tuple[str, list[Record]]:
    """Decide about a pair; gives the decision's id, and what the worker will hear."""
    before = await living(pool)
    sent: list[Deed] = []

    async def send(*deeds: Deed) -> None:
        sent.extend(deeds)
        await do(pool, deeds)

    shown = await duplicates.decide(pool, pair, verdict, author, send)
    assert shown["state"] == "done"
    return shown["decisions"][0]["id"], [*events(sent), *map(told, sorted(before ^ await living(pool)))]


async def pairs(pool: Pool, state: str | None = None) -> list[dict[str, Any]]:
    """The rows of the queue, of one state or of all."""
    rows = await pool.fetch("SELECT * FROM suspect_pair WHERE $1::text IS NULL OR state = $1 ORDER BY 1, 2", state)
    return [dict(row) for row in rows]


async def untouched(pool: Pool) -> list[tuple[str, str]]:
    """Where every row of the worker's lies and who wrote it."""
    return [
        tuple(row)
        for table in TABLES
        for row in await pool.fetch(f"SELECT ctid::text, xmin::text FROM {table} ORDER BY ctid")
    ]


def anna() -> Fact:
    """An account of the shop."""
    return fact("shop", Words("a", "petrova@firm.org", PHONE, given_name="Anna", family_name="Petrova"), day(1))


def ana(number: int = 2, *, family: str = "Petrova", given: str = "Ana", phone: str = PHONE) -> Fact:
    """The same woman, most likely: another address, a letter less."""
    return fact("desk", Words("b", "petrova@other.org", phone, given_name=given, family_name=family), day(number))


async def two(pool: Pool) -> Key:
    """Two look-alikes in the queue."""
    one, other = anna(), ana()
    await hear(pool, one, other)
    (pair,) = await pairs(pool)
    assert pair["state"] == "open"
    return key_of(record(one), record(other))


async def state(pool: Pool, pair: Key) -> str:
    """The state of a pair."""
    (found,) = [one for one in await pairs(pool) if (one["rec_a"], one["rec_b"]) == pair]
    return str(found["state"])
