"""Checks are run, bounded, and never take the answer down with them."""

from __future__ import annotations

import asyncio

from hub.errors import Retry
from hub.telemetry.health import examine


async def well() -> None:
    return


async def away() -> None:
    raise Retry("PostgreSQL: connection refused")


async def broken() -> None:
    raise ZeroDivisionError


async def silent() -> None:
    await asyncio.Event().wait()


async def test_all_is_well_only_where_every_check_is() -> None:
    assert await examine({"postgres": well, "kafka": well}) == {
        "status": "ok",
        "checks": {"postgres": "ok", "kafka": "ok"},
    }
    assert (await examine({"postgres": away, "kafka": well})) == {
        "status": "failing",
        "checks": {"postgres": "PostgreSQL: connection refused", "kafka": "ok"},
    }


async def test_a_check_that_hangs_or_breaks_is_a_check_that_fails() -> None:
    found = await examine({"silent": silent, "broken": broken}, within=0.01)
    assert found["checks"] == {"silent": "no answer within 0.01 s", "broken": "ZeroDivisionError"}


async def test_no_checks_are_no_trouble() -> None:
    assert await examine({}) == {"status": "ok", "checks": {}}
