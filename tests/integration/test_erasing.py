"""Whom an erasure means, as `/api/profiles/{id}/erase` and `hub profiles erase` show it before anything is done."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest
import pytest_asyncio

from hub.api import erasing
from hub.api.app import create_app
from hub.errors import Reject
from hub.identity.evidence import Words
from hub.identity.ids import as_text, record_id
from hub.settings import check
from hub.storage.pool import Pool
from tests.support.line import write
from tests.support.memory import day, fact

pytestmark = pytest.mark.integration
SETTINGS = {"region": "DE", "keys": {"eraser": {"secret": "gone", "scopes": ["profiles:erase"]}}}
ANN, DESK = (record_id(source, "account", "1") for source in ("shop", "desk"))


async def no_lag() -> dict[str, Any]:
    return {}


@pytest_asyncio.fixture
async def ask(pool: Pool) -> AsyncIterator[Callable[..., Any]]:
    """What the console answers where somebody asks whom it would erase."""
    await write(pool, [
        fact("shop", Words(id="1", email="ann.lee@gmail.com", name="Ann Lee"), at=day(1)),
        fact("desk", Words(id="1", email="annlee@gmail.com", name="Ann Lee"), at=day(2)),
    ])  # fmt: skip
    key = {"authorization": "Bearer gone"}
    transport = httpx.ASGITransport(app=create_app(check(SETTINGS), pool, no_lag, {}))
    async with httpx.AsyncClient(transport=transport, base_url="http://hub", headers=key) as client:

        async def answer(**asked: Any) -> httpx.Response:
            return await client.post(f"/api/profiles/{as_text(ANN)}/erase", json={"dry_run": True, **asked})

        yield answer


async def test_a_mailbox_is_shown_as_the_addresses_that_reach_it(ask: Callable[..., Any]) -> None:
    answer = await ask()
    assert answer.status_code == 200, answer.text
    shown = answer.json()
    assert {one["id"] for one in shown["records"]} == {as_text(ANN), as_text(DESK)}
    assert shown["identifiers"] == [
        {"type": "email", "value": "ann.lee@gmail.com"}, {"type": "email", "value": "annlee@gmail.com"}
    ]  # fmt: skip


async def test_an_empty_list_of_records_is_not_everybody(ask: Callable[..., Any]) -> None:
    assert (await ask(records=[])).status_code == 422
    (one,) = (await ask(records=["desk:1"])).json()["records"]
    assert one["id"] == as_text(DESK)


async def test_what_is_too_much_for_one_event_is_told_before_anything_is_sent(
    pool: Pool, ask: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (await ask(request="x" * 257)).status_code == 422
    with pytest.raises(Reject, match="the number of the request"):
        await erasing.draft(pool, as_text(ANN), (), "eve", "x" * 257)
    monkeypatch.setattr(erasing, "MOST_RECORDS", 1)
    answer = await ask()
    assert (answer.status_code, "name those that are meant" in answer.text) == (422, True)
    assert (await ask(records=["desk:1"])).status_code == 200
