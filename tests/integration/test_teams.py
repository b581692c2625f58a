"""Customers are given to people of a team by territory, room and working hours; fairly, whoever decides at once."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import AsyncIterator
from datetime import timedelta

import orjson
import pytest
import pytest_asyncio

from consumers.ways import Manner, manner
from hub.clock import now, text
from hub.identity.evidence import Fact, Words
from hub.identity.ids import as_text, from_text
from hub.identity.remarks import OWNER
from hub.identity.traits import Traits
from hub.settings import check
from schemas.rules import Rule
from tests.support.acting import BEGIN, House, a_rule, happens, hour
from tests.support.line import batch_connections, write
from tests.support.memory import fact, record
from tests.support.remarks import said_of

pytestmark = pytest.mark.integration
ANN, BOB, CY, DEE = (f"{name}@example.com" for name in ("ann", "bob", "cy", "dee"))
HOUSES = {"DE": {ANN, BOB}, "AT": {BOB}, "CH": {CY, DEE}, "": {CY, DEE}}
MEMBERS = [
    {"address": ANN, "territory": "DE"},
    {"address": BOB, "territory": ["DE", "AT"]},
    CY,
    DEE,
]


@pytest_asyncio.fixture
async def house(database_url: str) -> AsyncIterator[House]:
    async with batch_connections(database_url) as connections:
        yield House(connections)


def team(*members: object) -> Manner:
    """A hub.toml with one team of these."""
    return manner(check({"teams": {"sales": {"members": list(members)}}, "rules": {"zone": "Europe/Berlin"}}))


def by(strategy: str) -> Rule:
    """A rule that assigns who orders."""
    return a_rule(steps=[{"assign_owner": {"team": "sales", "strategy": strategy}}])


def customers(number: int, country: str = "", since: int = 0) -> list[Fact]:
    """So many customers, each of that country, who order an hour apart."""
    traits = Traits(address=("", "", "", "", "", country)) if country else None
    return [
        fact(
            "shop", Words(f"{country}{n}", f"p{n}@{country.lower() or 'no'}.example", traits=traits), hour(n)
        )._replace(type="order.placed", payload=orjson.dumps({"contact": {"id": f"{country}{n}"}}))
        for n in range(since, since + number)
    ]


async def given(house: House) -> dict[str, str]:
    """Record → the owner that rules gave it."""
    await house.relay()
    told = [orjson.loads(bytes(one.value)) for one in house.said]
    return {one["record"]: one["owner"] for one in told}


async def hear_at_once(house: House, records: list[object]) -> None:
    """Four consumers share what is heard."""

    async def consume(own: list[object]) -> None:
        for place in range(0, len(own), 3):
            await house.hear(own[place : place + 3])  # type: ignore[arg-type] # records of the topic

    await asyncio.gather(*(consume(records[n::4]) for n in range(4)))


async def test_territories_are_kept_and_shared_fairly_by_four_consumers(house: House) -> None:
    house.manner = team(*MEMBERS)
    await house.rules(by("territory"))
    several = {country: customers(21, country) for country in HOUSES}
    mixed = [one for four in zip(*several.values(), strict=True) for one in four]
    await hear_at_once(house, list(await house.happen(*mixed)))
    owners = await given(house)
    counts: dict[frozenset[str], Counter[str]] = defaultdict(Counter)
    for country, those in several.items():
        theirs = Counter(owners[str_of(one)] for one in those)
        assert set(theirs) <= HOUSES[country]
        counts[frozenset(HOUSES[country])].update(theirs)
    assert len(owners) == 4 * 21
    for shared in counts.values():
        assert max(shared.values()) - min(shared.values()) <= 1
    turns = await house.pool.fetch("SELECT turn FROM team_turn ORDER BY 1")
    assert [row[0] for row in turns] == [21, 21, 42]


def str_of(one: Fact) -> str:
    """The record of a fact as events name it."""
    return as_text(record(one))


async def test_nobody_is_given_more_than_they_look_after_by_four_consumers(house: House) -> None:
    """What rules gave counts at once, and once only when it stands in the profile; what is taken away makes room."""
    house.manner = team({"address": ANN, "capacity": 3}, {"address": BOB, "capacity": 5})
    await house.rules(by("capacity"))
    first = customers(12)
    await hear_at_once(house, list(await house.happen(*first)))
    owners = await given(house)
    assert Counter(owners.values()) == {ANN: 3, BOB: 5}
    held = await house.pool.fetch("SELECT DISTINCT effect->>'reason' FROM ledger WHERE state = 'held'")
    assert [row[0] for row in held] == ["everybody of team sales has as many customers as they look after"]
    await arrive(house)
    assert await house.pool.fetchval("SELECT count(*) FROM profile WHERE owner = $1", BOB) == 5
    await house.live(*customers(1, since=12))
    assert len(await given(house)) == 8
    one = next(customer for customer in first if owners.get(str_of(customer)) == ANN)
    await write(house.pool, [said_of(record(one), OWNER, "", hour(90))])
    await house.live(*customers(1, since=13))
    assert list((await given(house)).values())[8:] == [ANN]


async def arrive(house: House) -> None:
    """What rules said becomes a part of profiles."""
    for message in house.said:
        said = orjson.loads(bytes(message.value))
        about, event = from_text(said["record"]), from_text(message.id)
        assert about
        assert event
        one = said_of(about, OWNER, said["owner"], message.at or "", by=said["by"])
        await write(house.pool, [one._replace(event=event, id=message.id)])


async def test_who_is_at_work_when_it_happens_is_given_it_and_at_night_everybody_in_turn(house: House) -> None:
    """The rule's time is one in the afternoon in Berlin, of a Friday; twelve hours later nobody is there."""
    early = {"address": ANN, "hours": "06:00-12:00"}
    late = {"address": BOB, "hours": "12:00-20:00", "days": "mon-fri"}
    other = {"address": CY, "hours": "12:00-20:00", "zone": "America/New_York"}
    house.manner = team(early, late, other)
    assert BEGIN.isoformat() == "2024-03-01T12:00:00+00:00"
    await house.rules(by("round_robin"))
    await house.live(*customers(3))
    assert set((await given(house)).values()) == {BOB}
    await house.live(*(happens("order.placed", f"n{n}", hour(12 + n / 60)) for n in range(3)))
    assert list((await given(house)).values())[3:] == [CY] * 3
    await house.live(*(happens("order.placed", f"m{n}", hour(14 + n / 60)) for n in range(6)))
    assert Counter(list((await given(house)).values())[6:]) == {ANN: 2, BOB: 2, CY: 2}


async def test_a_deed_that_never_arrived_counts_no_more_after_an_hour(house: House) -> None:
    house.manner = team({"address": ANN, "capacity": 1})
    await house.rules(by("capacity"))
    await house.live(*customers(2))
    assert len(await given(house)) == 1
    await house.pool.execute("UPDATE ledger SET at = at - interval '61 minutes'")
    await house.live(happens("order.placed", "late", text(now() - timedelta(minutes=1))))
    assert len(await given(house)) == 2
