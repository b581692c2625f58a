"""`hub funnel` on a real database: who stands where, who went where, and one person's way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
import pytest_asyncio
import typer
from typer.testing import CliRunner, Result

from consumers.profiles import Profiles
from hub import clock
from hub.api.app import create_app
from hub.cache import LocalHints
from hub.cli.funnel import funnel
from hub.identity.decisions import SAME
from hub.identity.evidence import Fact, Words
from hub.identity.ids import as_text
from hub.identity.remarks import OWNER, STAGE
from hub.settings import check
from hub.storage.pool import Pool, transaction
from tests.support.line import batch_connections, write
from tests.support.memory import decided, erased, fact, record
from tests.support.remarks import on_its_topic, said_of

pytestmark = pytest.mark.integration
ROOM = Profiles(LocalHints(), {})
KEY = {"Authorization": "Bearer secret"}
NOW = clock.now()


@pytest_asyncio.fixture
async def batch_pool(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Pool]:
    monkeypatch.chdir(tmp_path)
    for name, value in {
        "POSTGRES__URL": database_url, "KAFKA__SERVERS": "127.0.0.1:1", "REDIS__URL": "redis://127.0.0.1:1/0"
    }.items():  # fmt: skip
        monkeypatch.setenv(f"HUB_{name}", value)
    async with batch_connections(database_url) as connections:
        yield connections


def ago(days: float) -> str:
    return clock.text(NOW - timedelta(days=days))


def person(name: str) -> Fact:
    return fact("shop", Words(name, f"{name}@customers.org", given_name=name.title()), ago(100))


def stage(of: Fact, name: str, days: float, by: str = "eve") -> Fact:
    """A remark as it comes back from its topic."""
    return ROOM.read(on_its_topic(said_of(record(of), STAGE, name, ago(days), by=by)))


async def hub(*words: str) -> Result:
    """`hub funnel …`, in a thread since it brings an event loop of its own."""
    app = typer.Typer()
    app.command()(funnel)
    return await asyncio.to_thread(CliRunner().invoke, app, list(words))


async def answer(*words: str) -> Any:
    result = await hub(*words, "--json")
    assert result.exit_code == 0, result.output
    return orjson.loads(result.stdout)


ANN, BOB, CY, DEE = map(person, ("ann", "bob", "cy", "dee"))


async def a_company(pool: Pool) -> None:
    """Ann went all the way, Bob and Cy are leads, Dee has no stage."""
    owner = ROOM.read(on_its_topic(said_of(record(BOB), OWNER, "eve@firm.example", ago(1))))
    await write(
        pool,
        [
            ANN, BOB, CY, DEE, owner,
            stage(ANN, "lead", 40, "rule:new"), stage(ANN, "offer", 30), stage(ANN, "customer", 10),
            stage(ANN, "lost", 5, "rule:silent"), stage(BOB, "lead", 20), stage(CY, "lead", 8), stage(CY, "lead", 2),
        ],
    )  # fmt: skip


async def test_the_figures_are_those_of_the_profiles_and_http_says_the_same(batch_pool: Pool) -> None:
    await a_company(batch_pool)
    told = await answer("--since", "15d")
    rows = {one["stage"]: one for one in told["stages"]}
    assert list(rows) == ["lead", "qualified", "offer", "customer", "lost"]
    assert {name: one["now"] for name, one in rows.items() if one["now"]} == {"lead": 2, "customer": 1}
    stood = await batch_pool.fetch("SELECT line->>'stage', count(*) FROM profile GROUP BY 1")
    assert {row[0]: row[1] for row in stood} == {"lead": 2, "customer": 1, None: told["without"]}
    assert (rows["lead"]["came"], rows["offer"]["went_on"], rows["lead"]["went_on"], told["others"]) == (1, 1, 0, [])
    assert rows["lead"]["standing_seconds"]["longest"] // 86_400 == 20
    assert rows["offer"]["stayed_seconds"] == {"median": 20 * 86_400, "longest": 20 * 86_400}
    settings = check({"keys": {"crm": {"secret": "secret", "scopes": ["profiles:read"]}}})
    console = create_app(settings, batch_pool, _no_lag, {})
    async with httpx.AsyncClient(transport=httpx.ASGITransport(console), base_url="http://hub") as client:
        found = (await client.get("/api/funnel?since=15d", headers=KEY)).json()
        assert [one["now"] for one in found["stages"]] == [one["now"] for one in told["stages"]]
        assert found.keys() == told.keys()
        refused = await client.get("/api/funnel?since=soon", headers=KEY)
    assert refused.status_code == 422


async def _no_lag() -> dict[str, Any]:
    raise NotImplementedError


async def test_people_see_a_bar_a_stage_and_those_that_hub_toml_does_not_name_apart(
    batch_pool: Pool, tmp_path: Path
) -> None:
    await a_company(batch_pool)
    (tmp_path / "hub.toml").write_text('[funnel]\nstages = ["new", "lead"]\n')
    told = await answer()
    assert [one["stage"] for one in told["stages"]] == ["new", "lead"]
    assert [(one["stage"], one["now"]) for one in told["others"]] == [("customer", 1), ("offer", 0)]
    shown = (await hub()).output
    for word in ("customer not in hub.toml", "without a stage 1", "█", "20.0 d"):
        assert word in shown
    (tmp_path / "hub.toml").write_text('[funnel]\nstages = ["new", "new"]\n')
    result = await hub()
    assert (result.exit_code, "funnel: Value error, a stage stands there twice: new" in result.output) == (1, True)


async def test_who_stands_in_a_stage_is_told_the_longest_first_with_the_owner(batch_pool: Pool) -> None:
    await a_company(batch_pool)
    told = await answer("--stage", "lead")
    assert [(one["profile_id"], one["owner"], one["since"], one["by"]) for one in told["profiles"]] == [
        (as_text(record(BOB)), "eve@firm.example", ago(20), "eve"),
        (as_text(record(CY)), None, ago(8), "eve"),
    ]
    shown = (await hub("--stage", "lead", "--limit", "1")).output
    for word in ("bob@customers.org", "20.0 d", "eve@firm.example", "and 1 more"):
        assert word in shown
    assert (await answer("--stage", "qualified"))["profiles"] == []
    wrong = await hub("--stage", "led")
    assert (wrong.exit_code, "no such stage; did you mean lead?" in wrong.output) == (1, True)


async def test_the_way_of_one_person_has_the_time_in_each_stage_and_follows_a_merge(batch_pool: Pool) -> None:
    await a_company(batch_pool)
    told = await answer("--profile", as_text(record(ANN)))
    assert [(one["stage"], one["since"], one["until"], one["by"]) for one in told["stages"]] == [
        ("lead", ago(40), ago(30), "rule:new"),
        ("offer", ago(30), ago(10), "eve"),
        ("customer", ago(10), None, "eve"),
    ]
    assert "no stage yet" in (await hub("--profile", as_text(record(DEE)))).output
    await write(batch_pool, [decided(SAME, [record(ANN)], [record(BOB)], ago(1))])
    ids = sorted(as_text(record(one)) for one in (ANN, BOB))
    ways = [await answer("--profile", one) for one in ids]
    assert ways[0]["profile_id"] == ways[1]["profile_id"]
    assert [one["stage"] for one in ways[0]["stages"]] == ["lead", "offer", "lead", "customer"]
    assert (await hub("--profile", as_text(record(ANN)))).output.count("eve") == 3
    for words, status in ((("--profile", as_text(b"\0" * 16)), 1), (("--stage", "lead", "--profile", ids[0]), 2),
                          (("--since", "long"), 2)):  # fmt: skip
        assert (await hub(*words)).exit_code == status


async def test_whoever_is_erased_stands_nowhere(batch_pool: Pool) -> None:
    await a_company(batch_pool)
    async with transaction(batch_pool) as connection:
        await ROOM.erase(connection, erased([record(BOB)], at=ago(0)))
    told = await answer()
    assert (told["stages"][0]["now"], told["without"]) == (1, 1)


async def test_a_stage_that_a_tool_speaks_of_is_no_stage_of_the_hub(batch_pool: Pool) -> None:
    theirs = ANN._replace(type="stage.set", payload=b'{"contact": {"id": "ann"}, "stage": "lead"}')
    await write(batch_pool, [theirs])
    told = await answer()
    assert (told["stages"][0]["now"], told["without"]) == (0, 1)
