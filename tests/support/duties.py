"""Tasks on a real PostgreSQL: made and done as people do it, without Kafka in between."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hub.api import remarking, tasking
from hub.api.remarking import Author
from hub.api.tasks_shapes import TaskFilter
from hub.components import Record
from hub.identity.ids import as_text
from hub.settings import Settings, check
from hub.storage.outbox import Message
from hub.storage.pool import Pool
from producers.deeds import Deed
from tests.support.queue import do

SETTINGS: Settings = check({"teams": {"sales": {"members": ["ann@example.com", "bob@example.com"]}}})
EVE = Author("eve")


async def added(pool: Pool, about: bytes, title: str = "Call", **said: str) -> str:
    """Somebody adds a task about a profile; gives its id."""
    words = {"title": title, "kind": "task", **said}
    draft = await tasking.added(pool, SETTINGS, as_text(about), words, EVE)
    told = await remarking.done(pool, draft, sending(pool))
    assert told["state"] == "done"
    task: str = told["data"]["task"]
    return task


async def marked(pool: Pool, task: str, event_type: str, **said: str | None) -> None:
    """Something becomes of it."""
    draft = await tasking.marked(pool, task, event_type, said, EVE)
    assert (await remarking.done(pool, draft, sending(pool)))["state"] == "done"


def sending(pool: Pool) -> Any:
    """Deeds become part of the records at once."""

    async def send(*deeds: Deed) -> None:
        await do(pool, deeds)

    return send


async def listed(pool: Pool, **asked: Any) -> list[dict[str, Any]]:
    """What `hub tasks list --json` prints."""
    told = await tasking.listed(pool, SETTINGS, TaskFilter.model_validate(asked))
    found: list[dict[str, Any]] = told["tasks"]
    return found


async def shown(pool: Pool, **asked: Any) -> list[tuple[str, str]]:
    """Title and bucket of the listed tasks."""
    return [(one["title"], one["bucket"]) for one in await listed(pool, **asked)]


def said_by_rule(message: Message) -> Record:
    """What a rule says, as it stands on `inbound.hub`."""
    headers: Mapping[str, str] = {
        "ce_specversion": "1.0", "ce_id": message.id, "ce_source": "hub", "ce_edge": "hub", "ce_type": message.type,
        "ce_time": message.at, "ce_receivedtime": message.at,
    }  # fmt: skip
    pairs = [(name, value.encode()) for name, value in headers.items()]
    return Record(message.topic, 0, 0, 1_795_305_600_000, message.key.encode(), bytes(message.value), pairs)
