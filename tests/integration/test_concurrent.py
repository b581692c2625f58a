"""Four consumers at once, kills, pauses and zombies: the end is that of one look at the whole set (bench/identity)."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import pytest

from bench.identity.concurrent import one_run
from bench.identity.logs import plan
from hub.storage import profiles
from hub.storage.pool import Connection

pytestmark = pytest.mark.integration


@pytest.mark.parametrize("seed", [1, 4, 7])
async def test_many_consumers_end_where_one_look_would_in_whatever_weather(database_url: str, seed: int) -> None:
    run = await one_run(plan(seed, events=200)._replace(pause_seconds=0.004, kills=6), database_url)
    assert run.wrong == []
    assert run.tally.kills
    assert run.tally.batches


async def test_without_locks_the_difference_would_be_seen(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def no_lock(_connection: Connection, _groups: Collection[bytes]) -> set[bytes]:
        return set()

    monkeypatch.setattr(profiles, "lock_groups", no_lock)
    run = await one_run(plan(3, events=250)._replace(pause_seconds=0.01, kills=0), database_url)
    assert run.wrong


async def test_an_event_that_is_told_twice_would_be_seen(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    real = profiles.mark

    async def always_new(connection: Connection, facts: Any) -> set[bytes]:
        await real(connection, facts)
        return {one.event for one in facts}

    monkeypatch.setattr(profiles, "mark", always_new)
    run = await one_run(plan(1, events=60)._replace(kills=0), database_url)
    assert any("on `activities`" in wrong for wrong in run.wrong)


@pytest.mark.nightly
@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", range(1001, 1021))
async def test_a_night_of_runs_finds_no_other_end(database_url: str, seed: int) -> None:
    assert (await one_run(plan(seed), database_url)).wrong == []
