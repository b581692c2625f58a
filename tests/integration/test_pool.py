"""The pool on a real PostgreSQL, and tasks over HTTP: of many who take a customer one gets them; who may do what."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import orjson
import pytest
import pytest_asyncio

from hub.api import taking
from hub.api.app import create_app
from hub.api.problems import Conflict
from hub.api.remarking import Author
from hub.identity.evidence import Words
from hub.identity.ids import as_text
from hub.settings import check
from hub.storage.pool import Pool
from tests.support.duties import EVE, sending
from tests.support.line import lines, write
from tests.support.memory import day, fact, record
from tests.support.remarks import said_of

pytestmark = pytest.mark.integration
X, Y = "x@firm.org", "y@firm.org"
ANN, BOB = fact("shop", Words("a", X, name="Ann Lee")), fact("crm", Words("b", Y, given_name="Bob"))
TASK = as_text(b"t" * 16)


async def test_of_two_who_take_a_customer_at_once_one_gets_them_and_the_other_is_told_who(pool: Pool) -> None:
    await write(pool, [ANN, BOB])
    people = [f"p{number}@firm.example" for number in range(12)]
    taken = await asyncio.gather(
        *(taking.take(pool, as_text(record(ANN)), one, EVE, sending(pool)) for one in people), return_exceptions=True
    )
    (won,) = [one for one in taken if isinstance(one, dict)]
    others = [one for one in taken if isinstance(one, Conflict)]
    assert len(others) == len(people) - 1
    assert {str(one) for one in others} == {f"{won['owner']} looks after them already"}
    owners = {line["profile_id"]: line["owner"] for line in map(orjson.loads, await lines(pool))}
    assert owners == {as_text(record(ANN)): won["owner"], as_text(record(BOB)): None}
    again = await taking.take(pool, as_text(record(ANN)), won["owner"], EVE, sending(pool))
    assert (again["id"], again["state"]) == (None, "done")


async def test_the_pool_is_whom_nobody_looks_after_the_oldest_first(pool: Pool) -> None:
    cy = fact("web", Words(email="cy@firm.org", given_name="Cy"), day(3))
    device = fact("web", Words(device="d-1"), day(1))
    await write(pool, [cy, BOB._replace(at=day(2)), ANN, device, said_of(record(BOB), "", "called", day(4))])
    await write(pool, [said_of(record(cy), "owner", "eve@firm.example"), said_of(record(cy), "owner", "", day(9))])
    first = await taking.page(pool, 2)
    told = [(one["customer"], one["touched"]) for one in first["profiles"]]
    assert told == [("Ann Lee", False), ("Bob", True)]
    rest = await taking.page(pool, 2, first["next"])
    assert [one["customer"] for one in rest["profiles"]] == ["Cy"]
    assert rest["next"] is None
    untouched = await taking.page(pool, 9, untouched=True)
    assert [one["customer"] for one in untouched["profiles"]] == ["Ann Lee", "Cy"]
    await taking.take(pool, as_text(record(cy)), "joe@firm.example", Author("joe"), sending(pool))
    assert len((await taking.page(pool, 9))["profiles"]) == 2


async def no_lag() -> dict[str, Any]:
    return {}


@pytest_asyncio.fixture
async def client(pool: Pool) -> AsyncIterator[httpx.AsyncClient]:
    """The console's listener, for two keys: `r` reads, `w` writes."""
    keys = {"joe": {"secret": "r", "scopes": ["profiles:read"]}, "eve": {"secret": "w", "scopes": ["profiles:write"]}}
    transport = httpx.ASGITransport(app=create_app(check({"keys": keys}), pool, no_lag, {}))
    async with httpx.AsyncClient(transport=transport, base_url="http://hub") as one:
        yield one


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/api/tasks?bucket=overdue", 200), ("GET", "/api/tasks?bucket=soon", 422), ("GET", "/api/tasks?x=1", 422),
     ("GET", "/api/pool?limit=3", 200), ("GET", "/api/pool?after=x", 422), ("POST", f"/api/tasks/{TASK}/done", 403)],
)  # fmt: skip
async def test_who_may_read_sees_and_does_nothing(
    client: httpx.AsyncClient, method: str, path: str, status: int
) -> None:
    answer = await client.request(method, path, headers={"authorization": "Bearer r"})
    assert answer.status_code == status, answer.text


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [(f"tasks/{TASK}/done", None, 404), (f"tasks/{TASK}/shout", None, 422), (f"tasks/{TASK}/assign", {"to": "e"}, 422),
     ("tasks/x/done", None, 422), (f"profiles/{TASK}/tasks", {"title": "x"}, 404),
     (f"profiles/{TASK}/tasks", {"title": " "}, 422), (f"profiles/{TASK}/take", {"owner": "eve@firm.example"}, 404)],
)  # fmt: skip
async def test_what_is_not_there_or_said_wrongly_is_told(
    client: httpx.AsyncClient, path: str, body: Any, status: int
) -> None:
    answer = await client.post(f"/api/{path}", json=body, headers={"authorization": "Bearer w"})
    assert answer.status_code == status, answer.text
