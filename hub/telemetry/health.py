"""Is it well? Runs checks that are handed to it; knows none of them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Literal, TypedDict

from hub.errors import HubError

CHECK_SECONDS = 3.0

Check = Callable[[], Awaitable[None]]
"""Returns where all is well; raises a HubError that says what is not."""


class Outcome(TypedDict):
    """`status` is ok only where every check is; `checks` holds `ok`, or what is wrong, by name."""

    status: Literal["ok", "failing"]
    checks: dict[str, str]


async def examine(checks: Mapping[str, Check], *, within: float = CHECK_SECONDS) -> Outcome:
    """Run all checks at once, each for `within` seconds at the most."""
    words = await asyncio.gather(*(_said(check, within) for check in checks.values()))
    found = dict(zip(checks, words, strict=True))
    return {"status": "ok" if all(word == "ok" for word in words) else "failing", "checks": found}


async def _said(check: Check, within: float) -> str:
    try:
        async with asyncio.timeout(within):
            await check()
    except TimeoutError:
        return f"no answer within {within:g} s"
    except HubError as error:
        return str(error)
    except Exception as error:  # noqa: BLE001 - a check that breaks is a check that fails, and no more
        return type(error).__name__
    return "ok"
