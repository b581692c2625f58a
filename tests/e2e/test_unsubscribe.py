"""An offer goes out with a link; one click on it takes the consent back, and the next offer is held."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import orjson
import pytest
import pytest_asyncio

from hub.embedded import Addresses
from hub.embedded.ports import LOOPBACK
from tests.support.databases import named, order
from tests.support.hub import KEY, Hub, caller
from tests.support.line import until
from tests.support.relay import Relay

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]
RULE = b"""
rule: offers
version: 1
about: Whoever calls gets an offer.
when: {event: call.logged}
steps:
  - send_email: {template: offer, purpose: marketing}
"""
OFFER = "subject: An offer\n---\nBuy. Or never again: {{ unsubscribe_url }}\n"
ANN = f"ann.{'a' * 50}@customers.org"
CONSENT = f"consent.marketing.{ANN}"


@dataclass
class World:
    """A hub that writes offers, and the relay that takes them."""

    hub: Hub
    relay: Relay
    connection: asyncpg.Connection

    async def says(self, what: str, number: int, **data: str) -> None:
        """A tool says something of Ann."""
        event = {
            "specversion": "1.0", "id": f"{what} {number}", "source": "/crm", "type": what,
            "data": {"contact": {"id": "c1", "email": ANN, "name": "Ann Lee"}, **data},
        }  # fmt: skip
        async with caller(headers={"authorization": f"Bearer {KEY}"}) as client:
            headers = {"content-type": "application/cloudevents+json"}
            answer = await client.post(f"{self.hub.gateway}/events", content=orjson.dumps(event), headers=headers)
        assert answer.status_code == 202, answer.text

    async def consent(self) -> list[str | None]:
        """What the profiles say of the consent of that address."""
        rows = await self.connection.fetch("SELECT line FROM profile")
        return [orjson.loads(row[0])["fields"].get(CONSENT, {}).get("value") for row in rows]


@pytest_asyncio.fixture
async def world(tmp_path: Path, servers: Addresses) -> AsyncIterator[World]:
    database = f"unsubscribe_{os.getpid()}"
    await order(servers.postgres, f"CREATE DATABASE {database}")
    async with Relay().serving() as relay:
        hub = Hub(tmp_path, servers, named(servers.postgres, database))
        with (tmp_path / "hub.toml").open("a") as file:
            file.write(
                f'[mail]\nrelay = "{LOOPBACK}:{relay.place.port}"\nfrom = "Example <hello@example.com>"\n'
                'tls = "never"\nunsubscribe = "https://hub.example.com"\n'
            )
        (tmp_path / "rules" / "templates").mkdir(parents=True)
        (tmp_path / "rules" / "offers.yaml").write_bytes(RULE)
        (tmp_path / "rules" / "templates" / "offer.liquid").write_text(OFFER)
        await hub.start()
        connection = await asyncpg.connect(named(servers.postgres, database))
        yield World(hub, relay, connection)
        await connection.close()
        assert await hub.stop() == 0, hub.log
    await order(servers.postgres, f"DROP DATABASE {database} WITH (FORCE)")


async def test_one_click_takes_the_consent_back_and_the_next_offer_is_held(world: World) -> None:
    await world.says("consent.given", 1, purpose="marketing", channel="email")

    async def is_known() -> bool:
        return await world.consent() == ["given"]

    await until(is_known, "the consent stands in the profile", within=60)
    await world.says("call.logged", 1, text="hello")
    await until(lambda: len(world.relay.took) == 1, "the offer is there", within=60)
    (offer,) = world.relay.took
    assert b"List-Unsubscribe: <https://hub.example.com/unsubscribe/" in world.relay.offered[0], "as it is, on one line"
    link = str(offer["List-Unsubscribe"]).strip("<>")
    assert link in offer.get_content()
    assert offer["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    at_home = f"{world.hub.gateway}{urlsplit(link).path}"
    async with caller() as client:
        page = await client.get(at_home)
        assert (page.status_code, await world.consent()) == (200, ["given"])
        for _ in range(2):
            assert (await client.post(at_home, data={"List-Unsubscribe": "One-Click"})).status_code == 200

    async def is_over() -> bool:
        return await world.consent() == ["withdrawn"]

    await until(is_over, "the consent is taken back, in the same profile", within=60)
    await world.says("call.logged", 2, text="hello again")
    await world.hub.until_quiet()
    rows = await world.connection.fetch("SELECT state, effect->>'reason' FROM ledger ORDER BY at")
    assert [tuple(row) for row in rows] == [("done", None), ("held", "no consent to marketing: withdrawn")]
    assert len(world.relay.took) == 1
    said = await world.connection.fetchval("SELECT count(*) FROM activity WHERE type = 'consent.withdrawn'")
    assert said == 1, "a click that is repeated says nothing more"
    assert link.rpartition("/")[2] not in world.hub.log
