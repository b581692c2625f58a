"""`hub profiles resolve` on the real PostgreSQL: what it shows, what it does, and that nothing is left to do."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest
from typer.testing import CliRunner

from hub.cli import app
from hub.embedded import Addresses
from hub.identity import evidence, normalise
from hub.identity.evidence import Words
from hub.identity.ids import as_text, record_id
from hub.identity.resolve import RULES
from hub.storage.pool import open_pool
from tests.support.line import untouched, write
from tests.support.memory import day, fact

pytestmark = pytest.mark.integration
PAIRS = 52


@pytest.fixture(autouse=True)
def _environment(
    servers: Addresses, database_url: str, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    for name, value in {
        "HUB_CONFIG": str(tmp_path / "hub.toml"),
        "HUB_STATE": str(tmp_path / "state"),
        "HUB_KAFKA__SERVERS": ",".join(servers.kafka),
        "HUB_POSTGRES__URL": database_url,
        "HUB_REDIS__URL": servers.redis,
    }.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "hub.toml").write_text("")
    yield
    monkeypatch.undo()
    forget()


def forget() -> None:
    """What is kept in memory of addresses, whose reading depends on the lists."""
    normalise.email.cache_clear()
    evidence.recognise.cache_clear()


def hub(*words: str) -> str:
    answer = CliRunner().invoke(app, words)
    assert answer.exit_code == 0, answer.output
    return answer.stdout


def rows(url: str) -> dict[str, list[Any]]:
    async def read() -> dict[str, list[Any]]:
        async with await open_pool(url, 1) as pool:
            return await untouched(pool)

    return asyncio.run(read())


@pytest.fixture
def parted(database_url: str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Two accounts of each of some people, under addresses that were nobody's and are somebody's today."""
    listed = normalise._ROLES
    forget()  # other tests may have known these addresses as somebody's
    monkeypatch.setattr(normalise, "_ROLES", listed | {f"p{number}" for number in range(PAIRS)})
    normalise.email.cache_clear()

    async def fill() -> None:
        async with await open_pool(database_url, 2) as pool:
            for later, source in enumerate(("shop", "crm")):
                said = [Words(f"c{number}", f"p{number}@firm.org") for number in range(PAIRS)]
                await write(pool, [fact(source, words, day(1 + later)) for words in said])

    asyncio.run(fill())
    monkeypatch.setattr(normalise, "_ROLES", listed)
    forget()
    return [as_text(record_id("shop", "account", f"c{number}")) for number in range(PAIRS)]


def test_the_dry_run_lists_what_the_run_does_and_writes_nothing(database_url: str, parted: list[str]) -> None:
    before = rows(database_url)
    shown = json.loads(hub("profiles", "resolve", "--dry-run", "--json"))
    assert rows(database_url) == before
    merges = {one["profile_id"]: one["absorbed"] for one in shown["merges"]}
    assert merges == {one: [as_text(record_id("crm", "account", f"c{n}"))] for n, one in enumerate(parted)}
    assert (shown["rules"], shown["groups"], shown["changed"], shown["splits"]) == (RULES, 2 * PAIRS, PAIRS, [])
    assert {"type": "email", "value": "p0@firm.org", "was": "blocked", "is": "link"} in shown["values"]
    done = json.loads(hub("profiles", "resolve", "--json"))
    assert {key: done[key] for key in ("changed", "merges", "splits", "values")} == {
        key: shown[key] for key in ("changed", "merges", "splits", "values")
    }
    after = rows(database_url)
    assert json.loads(hub("profiles", "resolve", "--json"))["changed"] == 0
    assert rows(database_url) == after


def test_people_are_called_by_name_and_no_table_is_longer_than_a_screen_or_two(parted: list[str]) -> None:
    told = hub("profiles", "resolve", "--dry-run")
    assert f"{PAIRS} profiles would change" in told
    assert told.count("… and 2 more") == 2
    assert parted[0] in told or parted[-1] in told
    assert "p7@firm.org" in told
    assert "blocked → link" in told
    assert f"{PAIRS} profiles changed" in hub("profiles", "resolve")
    assert "0 profiles changed" in hub("profiles", "resolve")
