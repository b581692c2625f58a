"""Whatever segments there are and whatever arrives: who is in them is who fits, at every moment that is looked at.

`pytest -m nightly tests/integration/test_segments_model.py` asks a thousand times; an ordinary run fifteen times.
"""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Sequence
from typing import Any

import orjson
import pytest
import pytest_asyncio

from hub.automation.conditions import evaluate
from hub.automation.segments import in_order
from hub.automation.view import View
from hub.clock import parse
from hub.identity.evidence import Fact, Words
from schemas.rules import Segment
from tests.support.acting import House, a_rule, a_segment, happens, hour
from tests.support.line import audit, batch_connections
from tests.support.memory import fact

pytestmark = pytest.mark.integration
TYPES = ("order.placed", "ticket.opened")
TABLES = (
    "rule, rule_state, rule_decision, journey, ledger, team_turn, outbox, activity, source_record, identifier, claim,"
    " link_group, profile, identity_op, membership_log, segment_member, segment_check, segment_round"
)


@pytest_asyncio.fixture
async def house(database_url: str) -> AsyncIterator[House]:
    async with batch_connections(database_url) as connections:
        yield House(connections)


def asks(chance: random.Random) -> dict[str, Any]:
    window = {"within": chance.choice(["5h", "12h", "1d"])} if chance.random() < 0.8 else {}
    word = chance.choice(["at_least", "is", "at_most"])
    return {"count": chance.choice([TYPES[0], TYPES[1], list(TYPES)]), **window, word: chance.randrange(4)}


def segments(chance: random.Random) -> list[Segment]:
    """Three, of which the last asks the others."""
    one = a_segment("one", {"all": [asks(chance), {"not": asks(chance)}]})
    two = a_segment("two", {"any": [asks(chance), asks(chance)]})
    both = {"any": [{"segment": "one"}, {"all": [{"segment": "two", "is": chance.random() < 0.5}, asks(chance)]}]}
    return [one, two, a_segment("both", both)]


def arrivals(chance: random.Random) -> list[Fact]:
    """Events of four people in the order of arrival, some told late; now and then two turn out to be one."""
    found: list[Fact] = []
    for number in range(chance.randint(5, 25)):
        at = number * chance.random() * 2
        if chance.random() < 0.1:
            pair = chance.sample(range(4), 2)
            found += [fact("crm", Words(f"k{number}", f"p{one}@customers.org"), hour(at)) for one in pair]
            continue
        late = chance.choice([0, 0, 3, 8])
        found.append(happens(chance.choice(TYPES), f"p{chance.randrange(4)}", hour(at - late), received=hour(at)))
    return sorted(found, key=lambda one: one.received_at)


async def fits(house: House, wanted: Sequence[Segment], facts: Sequence[Fact], at: str) -> set[tuple[bytes, str]]:
    """Who fits at a time, by the plainest reading; whose a record is, is asked of the house."""
    moment = parse(at)
    assert moment
    rows = await house.pool.fetch("SELECT record_id, profile_id FROM source_record")
    whose = {row[0]: row[1] for row in rows}
    found: set[tuple[bytes, str]] = set()
    for profile in set(whose.values()):
        own = [one for one in facts if one.who and whose.get(one.who.record) == profile]

        def counts(types: tuple[str, ...], since: Any, until: Any, own: Sequence[Fact] = own) -> int:
            times = [parse(one.at) for one in own if one.type in types]
            return sum(time is not None and (since is None or time > since) and time <= until for time in times)

        inside: set[str] = set()
        for one in in_order(wanted):
            if evaluate(one.condition, View(moment, counts=counts, segments=frozenset(inside))).holds:
                inside.add(one.name)
        found |= {(profile, name) for name in inside}
    return found


async def members(house: House) -> set[tuple[bytes, str]]:
    return {(row[0], row[1]) for row in await house.pool.fetch("SELECT profile_id, segment FROM segment_member")}


async def one_case(house: House, seed: int) -> int:
    """A world of its own in an empty house; gives how many changes were told."""
    chance = random.Random(seed)
    await house.pool.execute(f"TRUNCATE {TABLES}")
    house.heard.clear()
    house.changed.clear()
    wanted, facts = segments(chance), arrivals(chance)
    await house.rules(*wanted, a_rule("in", when={"enters": "both"}), a_rule("out", when={"leaves": "both"}))
    await house.look()
    came: list[Fact] = []
    while facts:
        batch, facts = facts[: (size := chance.randint(1, 4))], facts[size:]
        came += batch
        await house.hear(await house.happen(*batch))
        if chance.random() < 0.4:
            await house.look(batch[-1].received_at)
        if chance.random() < 0.2:
            await house.hear(house.heard)
    for at in (came[-1].received_at, hour(60), hour(200)):
        await house.look(at)
        assert await members(house) == await fits(house, wanted, came, at), f"seed {seed}"
    told = await house.told()
    await house.look()
    before = await house.untouched(("segment_member", "activity", "ledger", "rule_decision", "outbox"))
    await house.hear(house.heard)
    assert await house.untouched(("segment_member", "activity", "ledger", "rule_decision", "outbox")) == before
    assert len({one["id"] for one in told}) == len(told)
    fired = {key[1] for key in await house.done()}
    assert fired == {
        one["id"] for one in told if one["data"]["segment"] == "both" and one["data"]["because"] in {"event", "time"}
    }, f"seed {seed}"
    await audit(house.pool)
    return len(told)


async def cases(house: House, seeds: range) -> None:
    assert sum([await one_case(house, seed) for seed in seeds]) > 3 * len(seeds)
    assert orjson.loads(await house.pool.fetchval("SELECT to_json(count(*))::text FROM segment_round")) == 3


async def test_who_is_in_is_who_fits(house: House) -> None:
    await cases(house, range(15))


@pytest.mark.nightly
@pytest.mark.timeout(7200)
async def test_who_is_in_is_who_fits_by_night(house: House) -> None:
    await cases(house, range(1000, 2000))
