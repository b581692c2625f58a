"""`hub rules explain`: for each rule what it decided about an event, the values it saw, and what was done."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from typer.testing import CliRunner

from hub.cli.rules import app
from hub.identity.ids import as_text
from tests.support.acting import House, a_rule, explained, happens, hour
from tests.support.line import batch_connections
from tests.support.memory import record

pytestmark = pytest.mark.integration


@pytest_asyncio.fixture
async def house(database_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[House]:
    for name, value in {
        "POSTGRES__URL": database_url, "KAFKA__SERVERS": "127.0.0.1:1", "REDIS__URL": "redis://127.0.0.1:1/0"
    }.items():  # fmt: skip
        monkeypatch.setenv(f"HUB_{name}", value)
    async with batch_connections(database_url) as connections:
        yield House(connections)


async def hub(*words: str) -> tuple[int, str]:
    """`hub rules …` as a person sees it."""
    result = await asyncio.to_thread(CliRunner().invoke, app, list(words))
    return result.exit_code, result.output


async def test_each_rule_is_told_with_its_verdict_the_values_seen_and_what_was_done(house: House) -> None:
    waits = [{"assign_owner": {"team": "sales"}}, {"wait": {"for": "9999w"}}, {"add_tag": {"tag": "x"}}]
    await house.rules(
        a_rule("fires", if_={"event": "total", "at_least": 5}, steps=waits),
        a_rule("no", if_={"event": "total", "more_than": 7}),
        a_rule("tried", mode="trial"),
    )
    event = happens("order.placed", data={"total": 7})
    await house.live(event)
    await house.rules(a_rule("later"))
    await house.pool.execute("UPDATE rule_state SET live_since = clock_timestamp() WHERE name = 'later'")
    told = await explained(event, record(event))
    assert [(one["rule"], one["verdict"]) for one in told["rules"]] == [
        ("fires", "fired"), ("no", "no"), ("tried", "trial"), ("later", "not asked"),
    ]  # fmt: skip
    fires, no, _, later = told["rules"]
    assert (told["type"], told["at"]) == ("order.placed", hour(0))
    assert no["seen"] == [{"place": "if", "asked": "event total more_than 7", "value": 7, "truth": "false"}]
    assert later["reason"].startswith("it looks at what arrives after 20")
    assert [(one["step"], one["verb"], one["state"]) for one in fires["done"]] == [("1", "assign_owner", "done")]
    assert fires["done"][0]["effect"]["events"][0]["owner"] == "ann@example.com"
    assert (fires["journey"]["state"], fires["journey"]["step"]) == ("waiting", "2")
    status, shown = await hub("explain", event.id, as_text(record(event)))
    assert status == 0
    for word in (
        "true   event total at_least 5; it was 7",
        "owner: ann@example.com",
        "waits at step 2 until",
        "not asked",
    ):
        assert word in shown


async def test_an_event_of_somebody_else_or_of_nobody_is_status_1(house: House) -> None:
    one, other = happens("order.placed"), happens("order.placed", "bob")
    await house.live(one, other)
    assert await hub("explain", one.id, as_text(record(other))) == (
        1, f"hub: {one.id} is no event of {as_text(record(other))}, but of {as_text(record(one))}\n",
    )  # fmt: skip
    status, _ = await hub("explain", as_text(record(one)), as_text(record(one)))
    assert status == 1
    assert (await hub("explain", "x", as_text(record(one))))[0] == 2
    assert (await explained(one, record(one)))["rules"] == []
