"""How often each source was refused, and why it was the last time: counted here, kept in Redis, never in a post's way.

What Redis forgets is forgotten: the figures are for people who look for a mistake, nothing is decided by them. The
reasons come from outside, so only as much is kept as there are sources and statuses.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from typing import Any

import orjson
import redis.asyncio as redis
from redis.exceptions import RedisError

from hub import clock
from hub.errors import Reject

EVERY_SECONDS = 1.0
ANSWER_SECONDS = 2.0
LONGEST_WORD = 300
KEY = "hub:refused"
BETWEEN = "\x1f"
LAST = "last"
AWAY = (RedisError, OSError, TimeoutError)

log = logging.getLogger(__name__)


class Refusals:
    """Refusals by source instance (or key, or door where neither was known) and status, until they are handed on."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, int]] = Counter()
        self._last: dict[str, bytes] = {}

    def note(self, source: str, wrong: Reject) -> None:
        """One more."""
        self._counts[source, wrong.status] += 1
        self._last[source] = orjson.dumps(
            {
                "at": clock.text(clock.now()),
                "status": wrong.status,
                "field": _printable(wrong.field) if wrong.field else None,
                "detail": _printable(str(wrong)),
            }
        )

    async def keep(self, url: str, prefix: str, stop: asyncio.Event) -> None:
        """Hand them to Redis every second until `stop`, and once more then; while it is away they wait here."""
        try:
            client = redis.from_url(url, socket_timeout=ANSWER_SECONDS, socket_connect_timeout=ANSWER_SECONDS)
        except ValueError as error:  # no address of a Redis: the posts do not suffer from it
            log.warning("refusals are not counted: %s", error)
            return
        try:
            ending = False
            while not ending:
                await clock.pause(stop, EVERY_SECONDS)
                ending = stop.is_set()
                await self._flush(client, prefix + KEY)
        finally:
            await client.aclose()

    async def _flush(self, client: redis.Redis, key: str) -> None:
        counts, last = self._counts, self._last
        if not counts:
            return
        self._counts, self._last = Counter(), {}
        try:
            async with client.pipeline(transaction=True) as pipe:
                for (source, status), count in counts.items():
                    _ = pipe.hincrby(key, f"{source}{BETWEEN}{status}", count)
                _ = pipe.hset(key, mapping={f"{source}{BETWEEN}{LAST}": told for source, told in last.items()})
                await pipe.execute()
        except AWAY as error:
            log.info("refusals wait: %s", error)
            self._counts, self._last = counts + self._counts, last | self._last


async def read(url: str | None, prefix: str) -> dict[str, dict[str, Any]] | None:
    """By source: `count`, `statuses` (status as text: count), `last`; None where Redis does not answer."""
    if not url:
        return None
    client = redis.from_url(url, socket_timeout=ANSWER_SECONDS, socket_connect_timeout=ANSWER_SECONDS)
    try:
        found = await client.hgetall(prefix + KEY)
    except AWAY:
        return None
    finally:
        await client.aclose()
    told: dict[str, dict[str, Any]] = {}
    for name, value in found.items():
        source, _, what = _text(name).rpartition(BETWEEN)
        row = told.setdefault(source, {"count": 0, "statuses": {}, "last": None})
        if what == LAST:
            row["last"] = orjson.loads(value)
        else:
            row["statuses"][what] = int(value)
            row["count"] += int(value)
    return told


def _text(word: bytes | str) -> str:
    return word.decode() if isinstance(word, bytes) else word


def _printable(text: str) -> str:
    return text[:LONGEST_WORD].encode("utf-8", "replace").decode()
