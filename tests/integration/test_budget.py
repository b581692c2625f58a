"""How often rules may write to a customer: no more than the budget says, whoever writes at the same time."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from importlib import import_module
from typing import Any

import pytest
import pytest_asyncio

from consumers.ways import Manner
from hub.identity.evidence import Words
from hub.tables import Budget
from tests.support.acting import TEAMS, House, a_rule, explained, happens, hour
from tests.support.line import batch_connections
from tests.support.memory import fact, record

pytestmark = pytest.mark.integration
WRITE = {"send_email": {"template": "hello", "source": "subject: Hello\n---\nDear you.\n"}}
TOLD = "2 mails in 7 days already"


@pytest_asyncio.fixture
async def house(database_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[House]:
    for name, value in {
        "POSTGRES__URL": database_url, "KAFKA__SERVERS": "127.0.0.1:1", "REDIS__URL": "redis://127.0.0.1:1/0"
    }.items():  # fmt: skip
        monkeypatch.setenv(f"HUB_{name}", value)
    async with batch_connections(database_url) as connections:
        yield House(connections, Manner(TEAMS, mails=Budget(2, "7d")))


def orders(who: str, number: int, since: float = 0) -> list[Any]:
    """So many orders of somebody, an hour apart."""
    return [happens("order.placed", who, hour(since + n)) for n in range(number)]


async def states(house: House) -> Counter[str]:
    """How many deeds ended how."""
    rows = await house.pool.fetch("SELECT state FROM ledger")
    return Counter(row[0] for row in rows)


async def mails(house: House) -> dict[str, int]:
    """How many mails each address gets."""
    rows = await house.pool.fetch("SELECT recipient, count(*) FROM mail GROUP BY 1")
    return {row[0]: row[1] for row in rows}


async def test_mails_of_one_batch_count_one_after_the_other_and_the_way_goes_on(house: House) -> None:
    await house.rules(a_rule(steps=[WRITE, {"add_tag": {"tag": "written"}}]))
    several = orders("ann", 4)
    await house.hear(await house.happen(*several, *orders("bob", 1)))
    assert await mails(house) == {"ann@customers.org": 2, "bob@customers.org": 1}
    assert await house.journeys() == ["done"] * 5
    done = [(step, state) for _, event, step, state in await house.done() if event == several[3].id]
    assert done == [("1", "held"), ("2", "done")]
    told = await explained(several[3], record(several[3]))
    assert next((one["state"], one["effect"].get("reason")) for one in told["rules"][0]["done"]) == ("held", TOLD)


async def test_a_later_batch_and_a_journey_that_goes_on_know_what_was_written_before(house: House) -> None:
    await house.rules(a_rule(steps=[WRITE, {"wait": {"for": "1h"}}, WRITE, {"wait": {"for": "1h"}}, WRITE]))
    await house.live(*orders("ann", 1))
    await house.walk()
    assert await states(house) == {"done": 2, "held": 1}
    await house.live(*orders("ann", 1, since=24))
    assert await states(house) == {"done": 2, "held": 2}


async def test_what_was_held_or_given_up_on_or_goes_to_people_of_ours_does_not_count(house: House) -> None:
    marketing = {"send_email": {**WRITE["send_email"], "purpose": "marketing"}}
    await house.rules(a_rule(steps=[marketing, {"notify": {"team": "sales", "text": "Look."}}, WRITE]))
    await house.live(*orders("ann", 1))
    await house.pool.execute("UPDATE mail SET state = 'dead' WHERE audience = 'customer'")
    await house.live(*orders("ann", 3, since=1))
    written = await mails(house)
    assert (written["ann@customers.org"], written[TEAMS["sales"][0]]) == (3, 4)
    assert (await states(house))["held"] == 4 + 1


async def test_what_lies_further_back_than_the_window_is_over_and_the_scale_shortens_it(house: House) -> None:
    await house.rules(a_rule(steps=[WRITE]))
    await house.live(*orders("ann", 3))
    await house.pool.execute("UPDATE mail SET created_at = created_at - interval '167 hours'")
    await house.live(*orders("ann", 1, since=3))
    assert await states(house) == {"done": 2, "held": 2}
    house.manner = Manner(TEAMS, 0.5, mails=Budget(2, "7d"))
    await house.live(*orders("ann", 3, since=4))
    assert await states(house) == {"done": 4, "held": 3}


async def test_all_records_of_a_person_count_together_as_they_are_now(house: House) -> None:
    await house.rules(a_rule(steps=[WRITE]))
    desk = fact("desk", Words("x", "ann@customers.org"), hour(5))._replace(type="order.placed")
    await house.live(*orders("ann", 2), desk)
    assert await mails(house) == {"ann@customers.org": 2}
    assert await states(house) == {"done": 2, "held": 1}


async def test_without_a_budget_nobody_counts(house: House) -> None:
    house.manner = Manner(TEAMS)
    await house.rules(a_rule(steps=[WRITE]))
    await house.live(*orders("ann", 9))
    assert await mails(house) == {"ann@customers.org": 9}


async def test_mails_from_before_are_known_by_their_deed(house: House) -> None:
    await house.rules(a_rule(steps=[WRITE, {"notify": {"team": "sales", "text": "Look."}}]))
    await house.live(*orders("ann", 1))
    audiences = "SELECT recipient, audience FROM mail ORDER BY 1"
    before = await house.pool.fetch(audiences)
    await house.pool.execute("UPDATE mail SET audience = NULL")
    _, derive, *_ = import_module("hub.storage.migrations.versions.0014_guards").STATEMENTS
    await house.pool.execute(derive)
    assert await house.pool.fetch(audiences) == before
    assert {row[1] for row in before} == {"customer", "ours"}


async def test_four_consumers_and_two_workers_at_once_write_no_more_than_that(house: House) -> None:
    """And none waits for another that waits for it, also where another rule locks other people of the same batch."""
    waits = a_rule("waits", when={"event": "call.logged"}, steps=[{"wait": {"for": "1h"}}, WRITE, WRITE])
    other = a_rule("other", again="once", when={"event": "ticket.opened"})
    await house.rules(a_rule(steps=[WRITE]), other, waits)
    people = [f"p{n}" for n in range(12)]
    await house.live(*(happens("call.logged", who, hour(0)) for who in people[::2]))
    several = [one for n in range(8) for who in people for one in orders(who, 1, since=n + 1)]
    tickets = [happens("ticket.opened", who, hour(0.5 + n)) for n in range(8) for who in reversed(people)]
    records = await house.happen(*(one for two in zip(several, tickets, strict=True) for one in two))
    lanes = [records[n * 6 :: 24] + records[n * 6 + 1 :: 24] for n in range(4)]

    async def consume(own: list[Any]) -> None:
        for place in range(0, len(own), 5):
            await house.hear(own[place : place + 5])

    await asyncio.gather(*map(consume, lanes), house.walk(), house.walk())
    await house.hear(records)
    await house.walk()
    assert await mails(house) == {f"{who}@customers.org": 2 for who in people}
    rows = await house.pool.fetch("SELECT count(*) FROM ledger WHERE verb = 'send_email' AND state = 'done'")
    assert rows[0][0] == 2 * len(people)
