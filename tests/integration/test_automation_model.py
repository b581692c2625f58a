"""Whatever rules there are and whatever arrives: what the rooms did is what the plain model says, kills or not.

`pytest -m nightly tests/integration/test_automation_model.py` asks five thousand times; an ordinary run sixty times.
"""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import orjson
import pytest
import pytest_asyncio

from hub.automation.checks import check
from hub.identity.evidence import Fact
from hub.storage import automation, journeys, ledger, outbox
from schemas.actions import ACTIONS
from schemas.rules import Rule
from tests.support.acting import House, a_rule, happens, hour
from tests.support.acting_model import Key
from tests.support.acting_model import ledger as model
from tests.support.line import batch_connections
from tests.support.rule_files import rule

pytestmark = pytest.mark.integration
TRIGGERS = ("order.placed", "ticket.opened")
ENDINGS = ("ticket.solved", "call.logged", "order.placed")
KILLED = [
    (automation, "whose"), (automation, "fired"), (automation, "write_decisions"), (journeys, "begin"),
    (journeys, "take"), (journeys, "load"), (journeys, "heard"), (journeys, "move"), (ledger, "write"), (outbox, "add"),
]  # fmt: skip


@pytest_asyncio.fixture
async def house(database_url: str) -> AsyncIterator[House]:
    async with batch_connections(database_url) as connections:
        yield House(connections)


def asks(chance: random.Random) -> dict[str, Any]:
    """A condition over the event and over counts of what is never told late."""
    return chance.choice([
        {"event": "total", "at_least": chance.randint(0, 3)},
        {"count": "order.placed", "within": chance.choice(["5h", "2d"]), "at_most": chance.randint(0, 2)},
        {"any": [{"count": ["ticket.solved", "call.logged"], "is": 0}, {"event": "type", "is": "order.placed"}]},
    ])  # fmt: skip


def steps(chance: random.Random, *, deep: bool = True) -> list[dict[str, Any]]:
    """Some steps; the first is never an end."""
    found: list[dict[str, Any]] = []
    for number in range(chance.randint(1, 4)):
        kind = chance.randrange(5 if deep else 4)
        if kind == 0:
            found.append({"wait": {"for": chance.choice(["3h", "20h"])}})
        elif kind == 1:
            wait = {"event": chance.choice(ENDINGS), "timeout": chance.choice(["4h", "30h"])}
            found.append({"wait": wait | {"then": chance.choice(["end", "go_on"])}})
        elif kind in {2, 3}:
            found.append(chance.choice([{"add_tag": {"tag": f"t{number}"}}, {"assign_owner": {"team": "sales"}}]))
        else:
            ways = {"then": steps(chance, deep=False), "else": steps(chance, deep=False)}
            found.append({"branch": {"if": asks(chance), **ways}})
    return found


def rules(chance: random.Random) -> list[Rule]:
    """Rules that all heed something while they wait, so that simulated time decides about every wait."""
    found = []
    for number in range(3):
        words: dict[str, Any] = {
            "when": {"event": chance.sample(TRIGGERS, chance.randint(1, 2))},
            "again": chance.choice(["always", "once", "6h"]),
            "max_age": "10h",
            "exits": [{"event": "call.logged"} | ({"if": asks(chance)} if chance.random() < 0.5 else {})],
            "steps": steps(chance),
        }
        if chance.random() < 0.6:
            words["if_"] = asks(chance)
        assert not check([rule(**words)], ACTIONS)
        found.append(a_rule(f"r{number}", **words))
    return found


def arrivals(chance: random.Random) -> list[Fact]:
    """Events of four people in the order of arrival, a ticket now and then told late, one in ten told twice."""
    found: list[Fact] = []
    for number in range(chance.randint(5, 30)):
        kind, who, at = chance.choice((*TRIGGERS, *ENDINGS)), f"p{chance.randrange(4)}", number + chance.random() / 2
        late = chance.choice([0, 0, 3, 15]) if kind == "ticket.opened" else 0
        one = happens(kind, who, hour(at - late), {"total": chance.randrange(5)}, received=hour(at))
        found += [one] * (2 if chance.random() < 0.1 else 1)
    return found


class Killed(Exception):
    """The process ended here."""


class Weather:
    """Kills whoever works, behind one statement in twenty or none; the lease of what they held is over then."""

    def __init__(self, house: House, patch: pytest.MonkeyPatch) -> None:
        self.count, self.often = 0, 0.0
        self._pool, self._chance, self._is_out = house.pool, random.Random(0), False
        for where, name in KILLED:
            patch.setattr(where, name, self._struck(getattr(where, name)))

    def turn(self, seed: int) -> None:
        """Another weather: every second case is calm."""
        self._chance, self.often = random.Random(seed), 0.05 * (seed % 2)

    def _struck(self, statement: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def perhaps(*words: Any) -> Any:
            found = await statement(*words)
            if self._is_out and self._chance.random() < self.often:
                raise Killed
            return found

        return perhaps

    async def through(self, work: Callable[..., Awaitable[Any]], *words: Any) -> None:
        """Do the work, again and again until nobody is killed."""
        while True:
            self._is_out = True
            try:
                await work(*words)
            except Killed:
                self.count += 1
                await self._pool.execute("UPDATE journey SET lease_until = now() WHERE lease_until IS NOT NULL")
            else:
                return
            finally:
                self._is_out = False


async def one_case(house: House, seed: int, weather: Weather) -> set[Key]:
    """A world of its own in an empty house; gives what was done in it."""
    chance = random.Random(seed)
    weather.turn(seed)
    await house.pool.execute(
        "TRUNCATE rule, rule_state, rule_decision, journey, ledger, team_turn, outbox, activity, source_record,"
        " identifier, claim, link_group, profile, identity_op, membership_log"
    )
    house.heard.clear()
    wanted, facts = rules(chance), arrivals(chance)
    await house.rules(*wanted)
    told = {one.id: one for one in facts}
    while facts:
        size = chance.randint(1, 6)
        batch, facts = facts[:size], facts[size:]
        records = await house.happen(*batch)
        await weather.through(house.hear, records)
        if chance.random() < 0.4:
            await weather.through(house.walk, batch[-1].received_at)
        if chance.random() < 0.1:
            await weather.through(house.hear, house.heard)
    await weather.through(house.walk)
    await house.relay()
    heard = dict.fromkeys(dict(one.headers)["ce_id"].decode() for one in house.heard)
    expected = model(wanted, [told[one] for one in heard if one in told])
    done = await house.done()
    assert {key[:3] for key in done} == expected, f"seed {seed}"
    assert sorted(fired(house)) == sorted(":".join(key[:3]) for key in done if key[3] == "done"), f"seed {seed}"
    assert await house.pool.fetchval("SELECT count(*) FROM journey WHERE state <> 'ended'") == 0
    return expected


def fired(house: House) -> list[str]:
    """The keys of the deeds that are told on `activities`."""
    told = [one.value or b"" for one in house.heard if ("ce_type", b"action.fired") in one.headers]
    return [orjson.loads(one)["data"]["action"]["key"] for one in told]


async def cases(house: House, seeds: range, patch: pytest.MonkeyPatch) -> None:
    """Many worlds; together they have seen enough to mean something."""
    weather, deeds, steps_done = Weather(house, patch), 0, set()
    for seed in seeds:
        keys = await one_case(house, seed, weather)
        deeds += len(keys)
        steps_done |= {step for _, _, step in keys}
    assert weather.count > len(seeds) / 10
    assert deeds > 3 * len(seeds)
    assert len(steps_done) > 10


async def test_what_is_done_is_what_the_model_says(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    await cases(house, range(60), monkeypatch)


@pytest.mark.nightly
@pytest.mark.timeout(7200)
async def test_what_is_done_is_what_the_model_says_by_night(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    await cases(house, range(1000, 6000), monkeypatch)
