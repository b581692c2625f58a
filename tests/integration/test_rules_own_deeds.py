"""What a rule did ends no wait and is no exit, as it sets nothing off."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.support.acting import House, a_rule, happens, hour
from tests.support.line import batch_connections

pytestmark = pytest.mark.integration
TAGS = [{"add_tag": {"tag": "a"}}, {"add_tag": {"tag": "b"}}]


@pytest_asyncio.fixture
async def house(database_url: str) -> AsyncIterator[House]:
    async with batch_connections(database_url) as connections:
        yield House(connections)


@pytest.mark.parametrize(
    ("exits", "wait"),
    [([{"event": "tag.added"}], {"for": "2d"}), ([], {"event": "tag.added", "timeout": "2d", "then": "end"})],
    ids=["exit", "wait"],
)
async def test_a_rule_s_own_deeds_end_none_of_its_waits_and_a_person_s_does(
    house: House, exits: list[object], wait: dict[str, str]
) -> None:
    await house.rules(a_rule(exits=exits, steps=[*TAGS, {"wait": wait}, {"add_tag": {"tag": "c"}}]))
    await house.live(happens("order.placed", "ann"), happens("order.placed", "bob", hour(1)))
    await house.relay()
    for message in house.said[:]:
        await house.happen_ours(message)
    by_person = happens("tag.added", "bob", hour(2), {"by": "eve", "tag": "t"})._replace(source="hub")
    await house.live(by_person)
    await house.walk()
    ended = "left at tag.added" if exits else "ended by tag.added"
    assert await house.journeys() == ["done", ended]
