"""Keys open what their scopes say; everything else is a problem document."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio

from hub.api.app import create_app
from hub.errors import Retry
from hub.settings import Settings, check

KEYS = {
    "crm": {"secret": "crm-secret", "scopes": ["profiles:read"]},
    "ops": {"secret": "ops-secret", "scopes": ["operations:read"]},
}
REPORT: dict[str, Any] = {
    "groups": [],
    "outbox": {"pending": 0, "oldest_seconds": None},
    "deliveries": {"pending": 0, "sending": 0, "retry": 0, "dead": 0, "oldest_seconds": None, "destinations": {}},
    "timers": {"pending": 0, "oldest_seconds": None},
    "dead_letters": 0,
}


async def report() -> dict[str, Any]:
    return REPORT


async def kafka_is_away() -> dict[str, Any]:
    raise Retry("Kafka does not answer")


async def well() -> None:
    return


def a_client(settings: Settings, lag: Any = report, **checks: Any) -> httpx.AsyncClient:
    app = create_app(settings, None, lag, checks or {"postgres": well})
    return httpx.AsyncClient(transport=httpx.ASGITransport(app, raise_app_exceptions=False), base_url="http://hub")


@pytest_asyncio.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with a_client(check({"keys": KEYS})) as found:
        yield found


def bearing(secret: str) -> dict[str, str]:
    return {"authorization": f"Bearer {secret}"}


def assert_problem(answer: httpx.Response, status: int) -> dict[str, Any]:
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = answer.json()
    assert problem["status"] == status
    assert problem["type"] == "about:blank"
    assert problem["title"]
    return problem


PRIVATE = (
    "/api/lag",
    "/api/dead-letters",
    "/api/dead-letters/1",
    "/api/deliveries",
    "/api/profiles/lookup?email=a@b.de",
)


@pytest.mark.parametrize("path", PRIVATE)
async def test_without_a_key_nothing_opens(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path)
    assert_problem(answer, 401)
    assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("said", ["Bearer wrong", "Bearer ", "Basic crm-secret", "crm-secret", "Bearer crm-secre"])
async def test_a_wrong_secret_opens_nothing(client: httpx.AsyncClient, said: str) -> None:
    assert_problem(await client.get("/api/lag", headers={"authorization": said}), 401)


async def test_a_key_for_profiles_does_not_open_dead_letters(client: httpx.AsyncClient) -> None:
    for path in ("/api/dead-letters", "/api/dead-letters/1", "/api/lag", "/api/deliveries", "/api/deliveries/1"):
        problem = assert_problem(await client.get(path, headers=bearing("crm-secret")), 403)
        assert "operations:read" in problem["detail"]


async def test_a_key_for_operations_does_not_open_profiles(client: httpx.AsyncClient) -> None:
    path = "/api/profiles/lookup?email=ann@example.com"
    assert_problem(await client.get(path, headers=bearing("ops-secret")), 403)


async def test_a_key_for_operations_opens_lag(client: httpx.AsyncClient) -> None:
    answer = await client.get("/api/lag", headers=bearing("ops-secret"))
    assert (answer.status_code, answer.json()) == (200, REPORT)


async def test_where_no_key_is_set_up_the_answer_says_how(client: httpx.AsyncClient) -> None:
    async with a_client(Settings()) as bare:
        problem = assert_problem(await bare.get("/api/lag", headers=bearing("x")), 401)
    assert "[keys.mine]" in problem["detail"]
    assert '"operations:read"' in problem["detail"]


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics", "/api/openapi.json"])
async def test_a_watchdog_needs_no_key(client: httpx.AsyncClient, path: str) -> None:
    assert (await client.get(path)).status_code == 200


async def test_what_is_away_is_said_with_503() -> None:
    settings = check({"keys": KEYS})
    async with a_client(settings, kafka_is_away, kafka=kafka_is_away) as client:
        answer = await client.get("/api/lag", headers=bearing("ops-secret"))
        assert_problem(answer, 503)
        assert answer.headers["retry-after"] == "2"
        ready = await client.get("/readyz")
        assert (await client.get("/healthz")).status_code == 200
    assert ready.status_code == 503
    assert ready.json() == {"status": "failing", "checks": {"kafka": "Kafka does not answer"}}


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("", None),
        ("?email=a@b.de&phone=%2B491701234567", None),
        ("?email=nobody", "email"),
        ("?phone=0170123", "phone"),
        ("?account=4711", "account"),
        ("?account=:4711", "account"),
    ],
)
async def test_a_look_up_that_names_nobody_in_particular_is_wrong(
    client: httpx.AsyncClient, query: str, field: str | None
) -> None:
    answer = await client.get(f"/api/profiles/lookup{query}", headers=bearing("crm-secret"))
    assert assert_problem(answer, 422).get("field") == field


@pytest.mark.parametrize("path", ["/api/profiles/ann", "/api/profiles/123/timeline"])
async def test_an_id_is_a_uuid(client: httpx.AsyncClient, path: str) -> None:
    problem = assert_problem(await client.get(path, headers=bearing("crm-secret")), 422)
    assert problem["field"] == "id"


@pytest.mark.parametrize("query", ["limit=0", "limit=501", "limit=many"])
async def test_a_page_has_bounds(client: httpx.AsyncClient, query: str) -> None:
    path = f"/api/profiles/9c5f1de2-55c0-8a50-9d2f-6f0f3f7a9b11/timeline?{query}"
    problem = assert_problem(await client.get(path, headers=bearing("crm-secret")), 422)
    assert problem["field"] == "limit"


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/api/nothing", 404), ("POST", "/api/lag", 405)])
async def test_addresses_that_are_not_there_are_problems_too(
    client: httpx.AsyncClient, method: str, path: str, status: int
) -> None:
    assert_problem(await client.request(method, path, headers=bearing("ops-secret")), status)


async def test_a_failure_of_our_own_says_nothing_of_itself(client: httpx.AsyncClient) -> None:
    answer = await client.get("/api/dead-letters", headers=bearing("ops-secret"))
    problem = assert_problem(answer, 500)
    assert "NoneType" not in problem["detail"]
