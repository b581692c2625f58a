"""The topics are read again while something new is on its way: what is new is told as what it is."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from hub.identity.evidence import Words
from tests.support.acting import House, a_rule, a_segment, hour
from tests.support.line import batch_connections
from tests.support.memory import fact

pytestmark = pytest.mark.integration


@pytest_asyncio.fixture
async def house(database_url: str) -> AsyncIterator[House]:
    async with batch_connections(database_url) as connections:
        yield House(connections)


async def test_somebody_who_comes_back_while_the_topics_are_read_again_sets_off_the_rule(house: House) -> None:
    gold = a_segment("gold", {"profile": "fields.company", "is": "Gold"})
    await house.rules(gold, a_rule("welcome", when={"enters": "gold"}))
    await house.look()
    said = [
        fact("shop", Words("ann", "ann@customers.org", company=company), hour(at))
        for at, company in enumerate(("Gold", "Lead", "Gold"))
    ]
    await house.live(*said[:2])
    await house.told()
    assert [change[0] for change in await house.changes()] == ["entered", "left"]
    new = await house.happen(said[2])
    await house.hear(house.heard[:1])
    await house.hear(new)
    await house.told()
    assert [change[0] for change in await house.changes()] == ["entered", "left", "entered"]
    assert (await house.changes())[-1][3] == hour(2)
    assert [verdict for _, _, verdict in await house.verdicts()] == ["fired", "fired"]
