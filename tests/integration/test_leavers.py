"""A click takes the consent of an address back for everybody who states it, also where it joins nobody."""

from __future__ import annotations

from collections.abc import AsyncIterator

import orjson
import pytest
import pytest_asyncio

from hub.identity.consent import Consent
from hub.identity.evidence import Fact, Words
from tests.support.acting import House, a_rule, hour
from tests.support.line import batch_connections
from tests.support.memory import fact

pytestmark = pytest.mark.integration
SHARED = "lee@customers.org"
OFFER = {"send_email": {"template": "hello", "source": "subject: Hello\n---\nBuy.\n", "purpose": "marketing"}}


@pytest_asyncio.fixture
async def house(database_url: str) -> AsyncIterator[House]:
    async with batch_connections(database_url) as connections:
        yield House(connections)


def says(what: str, source: str, words: Words, at: float, *, trusted: bool = True) -> Fact:
    """What is said of somebody; a consent is one to marketing."""
    one = fact(source, words, hour(at), trusted=trusted)._replace(type=what, received_at=hour(at))
    state = what.rpartition(".")[2]
    told = (Consent(f"marketing.{words.email}", state),) if what.startswith("consent.") else ()
    return one._replace(consents=told, payload=orjson.dumps({}))


async def test_of_two_who_share_an_address_neither_gets_an_offer_behind_a_click(house: House) -> None:
    await house.rules(a_rule(steps=[OFFER]))
    people = [Words(name, SHARED, given_name=name, family_name="Lee") for name in ("Ann", "Robert")]
    other = Words("Cy", "cy@customers.org")
    for words in (*people, other):
        await house.live(says("consent.given", "shop", words, 0), says("order.placed", "shop", words, 1))
    await house.live(says("consent.withdrawn", "hub", Words(email=SHARED), 2, trusted=False))
    assert await house.pool.fetchval("SELECT count(*) FROM profile") == 3
    await house.live(*(says("order.placed", "shop", words, 3) for words in (*people, other)))
    rows = await house.pool.fetch(
        "SELECT l.state, l.effect->>'reason' FROM ledger l JOIN activity a USING (event_id) WHERE a.at > $1 ORDER BY 1",
        await house.pool.fetchval("SELECT $1::text::timestamptz", hour(2)),
    )
    assert [tuple(row) for row in rows] == [("done", None), *[("held", "no consent to marketing: withdrawn")] * 2]
    assert await house.pool.fetchval("SELECT count(*) FROM mail") == 3 + 1


async def test_a_click_stands_whatever_a_trusted_source_says_later(house: House) -> None:
    await house.rules(a_rule(steps=[OFFER]))
    cy = Words("Cy", "cy@customers.org")
    await house.live(says("consent.withdrawn", "hub", Words(email=cy.email), 0, trusted=False))
    await house.live(says("consent.given", "shop", cy, 1), says("order.placed", "shop", cy, 2))
    assert [row[0] for row in await house.pool.fetch("SELECT state FROM ledger")] == ["held"]
