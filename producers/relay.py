"""Outbox → Kafka: `profiles`, `activities` and what rules say, in order per profile, no row lost or skipped.

A row goes when every message of it is in every copy in sync. A crash in between sends it again; whoever keeps the
highest version, or knows the event id, does not notice.
"""

from __future__ import annotations

import asyncio

import structlog

from hub.components import Hints
from hub.errors import Retry
from hub.settings import Kafka
from hub.storage import outbox
from hub.storage.pool import Pool, transaction
from hub.streams.publish import Message, Publisher, open_publisher
from schemas.envelope import HUB

MOST_ROWS = 64
SEND_SECONDS = 6.0
POLL_SECONDS = 0.25
FEW_MESSAGES, PACE_SECONDS = 100, 0.025
_log = structlog.get_logger("hub.relay")
_FIXED = (("ce_specversion", b"1.0"), ("ce_source", b"hub"), ("content-type", b"application/json"))


async def run(pool: Pool, kafka: Kafka, hints: Hints, stop: asyncio.Event) -> None:
    """Relay until `stop`. A broker or database that is away is waited for."""
    pause = 0.2
    while not stop.is_set():
        try:
            async with open_publisher(kafka, bulk=True) as publisher:
                while not stop.is_set():
                    moved = await relay_once(pool, publisher)
                    pause = 0.2
                    if moved < FEW_MESSAGES:
                        await asyncio.sleep(PACE_SECONDS)  # let a trickle gather: a turn costs the same for one or many
                    if not moved:
                        await hints.wait("outbox", POLL_SECONDS)
        except Retry as error:
            _log.warning("relay_retry", error=str(error))
            await asyncio.sleep(pause)
            pause = min(pause * 2, 5.0)


async def relay_once(pool: Pool, publisher: Publisher) -> int:
    """Move the oldest rows; gives the number of messages. Raises Retry, and then nothing is taken off the outbox."""
    async with transaction(pool) as connection:
        rows, messages = await outbox.claim(connection, MOST_ROWS)
        if rows:
            await publisher.send_bulk([_message(message) for message in messages], within=SEND_SECONDS)
            await outbox.done(connection, rows)
    return len(messages)


def _message(message: outbox.Message) -> Message:
    key = message.key.encode()
    value = bytes(message.value)
    headers: tuple[tuple[str, bytes], ...] = (
        *_FIXED,
        ("ce_type", message.type.encode()),
        ("ce_id", message.id.encode()),
    )
    if message.at:
        at = message.at.encode()
        headers = (*headers, ("ce_edge", HUB.encode()), ("ce_time", at), ("ce_receivedtime", at))
    return Message(message.topic, key, None if value == b"null" else value, headers)
