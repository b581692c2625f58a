"""People who write to a hub: a fixed list of requests, and a client that does not give up."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from tests.support.hub import KEY, Hub, caller

EVENTS, PEOPLE, PER_SECOND = 500, 80, 100
AGAIN_SECONDS = 0.2
"""After a refusal: sixteen who ask all the time take the time in which the hub would start."""


@dataclass(frozen=True)
class Post:
    """A request to the gateway."""

    path: str
    headers: dict[str, str]
    json: dict[str, Any]


def posts(dice: random.Random) -> list[Post]:
    """Forms and CloudEvents of people who come back: repeats, spellings, late events; ids and times of their own."""
    found = [_post(dice, number, dice.randrange(PEOPLE)) for number in range(EVENTS)]
    return [one if dice.random() > 0.05 else dice.choice(found) for one in found]


def _post(dice: random.Random, number: int, person: int) -> Post:
    at = f"2026-11-{dice.randrange(1, 21):02d}T{dice.randrange(24):02d}:{dice.randrange(60):02d}:00Z"
    mail = dice.choice([f"person{person}@example.com", f" Person{person}@Example.COM"])
    who = {"email": mail, "name": f"Given{person} Family{person}"}
    if dice.random() < 0.6:
        headers = {"idempotency-key": f"form-{number}"}
        return Post("/in/web-eu?key=pk_web_eu", headers, {**who, "message": f"No. {number}", "submitted_at": at})
    contact = {**who, "id": f"c{person}", "phone": f"+4930901{person:04d}"}
    event = {"specversion": "1.0", "id": str(number), "source": "crm", "type": "contact.updated", "time": at}
    headers = {"authorization": f"Bearer {KEY}", "content-type": "application/cloudevents+json"}
    return Post("/events", headers, event | {"data": {"contact": contact}})


async def pause(seconds: float) -> None:
    """The dice of a test decide when something happens; nothing is waited for here."""
    await asyncio.sleep(seconds)


async def send(hub: Hub, requests: Sequence[Post]) -> set[str]:
    """Post them all, each until it is accepted; gives the event ids."""
    ids: set[str] = set()
    gate = asyncio.Semaphore(16)

    async def one(client: httpx.AsyncClient, request: Post) -> None:
        async with gate:
            while True:
                try:
                    answer = await client.post(
                        hub.gateway + request.path, headers=request.headers, json=request.json, timeout=5
                    )
                    if answer.status_code == httpx.codes.ACCEPTED:
                        ids.add(answer.json()["id"])
                        return
                    assert answer.status_code == httpx.codes.SERVICE_UNAVAILABLE, answer.text
                except httpx.TransportError:
                    pass
                await asyncio.sleep(AGAIN_SECONDS)

    async with caller() as client, asyncio.TaskGroup() as tasks:
        for request in requests:
            tasks.create_task(one(client, request))
            await asyncio.sleep(1 / PER_SECOND)
    return ids
