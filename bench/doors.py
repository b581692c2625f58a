"""Through the front door: from a form's post to a tool's receipt, and how many posts one gateway takes."""

from __future__ import annotations

import asyncio
import statistics
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

import httpx
import orjson

from bench.children import Child, children, hub, module
from bench.figures import Latency, Void
from bench.http import Poster, form_body, form_post
from bench.machine import Machine
from bench.stage import Tables, ends, stage
from bench.tool import tool
from hub.embedded import Addresses
from hub.embedded.ports import keep_or_choose

POSTS_PER_SECOND = 200
POSTERS = 32
WARM_POSTS = 40
CONNECTIONS = 64
START_SECONDS = 60.0
TOLD_SECONDS = 30.0
LOOK_SECONDS = 0.05
SECRET = "whsec_" + b64encode(b"a secret for the bench").decode()


async def latency(state: Path, addresses: Addresses, seconds: float) -> tuple[Latency, dict[str, float]]:
    """Milliseconds from post to receipt with every role of `hub serve` at work, and CPU seconds per post by process.

    Raises Void where the tool never heard of a post.
    """
    address = _address()
    async with tool() as told:
        tables = _listeners(address) | {"destinations": {"tool": _webhook(told.port)}}
        async with (
            stage(state, addresses, tables=tables) as here,
            children({"hub": hub("serve")}, here.environment, here.log) as found,
        ):
            await _answers(f"http://{address}/readyz", found[0])
            posters = [await _connect(address) for _ in range(POSTERS)]
            await _post_all(address, posters, WARM_POSTS, "warm")
            await _until(lambda: WARM_POSTS - len(told.warmed), found[0])
            machine = Machine(state, found)
            sent = await _post_all(address, posters, int(seconds * POSTS_PER_SECOND), "post")
            await _until(lambda: len(sent) - len(told.heard), found[0])
            costs = {name: used / len(sent) for name, used in machine.used().items()}
            for poster in posters:
                poster.close()
    waits = [(told.heard[number] - at) * 1000 for number, at in sent.items()]
    hundredths = statistics.quantiles(waits, n=100)
    return Latency(p50=round(hundredths[49], 1), p99=round(hundredths[98], 1)), costs


async def gateway_rate(state: Path, addresses: Addresses, seconds: float) -> float:
    """Accepted posts per second of one gateway process. Raises Void where an accepted one is not on the topic."""
    address = _address()
    async with (
        stage(state, addresses, tables=_listeners(address)) as here,
        children({"gateway": hub("serve", "gateway")}, here.environment, here.log) as gateway,
    ):
        await _answers(f"http://{address}/readyz", gateway[0])
        load = {"load": module("load", address, str(CONNECTIONS), str(seconds))}
        async with children(load, here.environment, here.log) as found:
            found[0].go()
            counted, took, accepted, refused = orjson.loads(await found[0].line(seconds + START_SECONDS))
        kept = await ends(here.kafka, "inbound.forms")
    if refused or kept < accepted:
        raise Void(f"gateway: {accepted} posts accepted, {refused} not, {kept} on the topic")
    return float(round(counted / took, 1))


def _address() -> str:
    return f"127.0.0.1:{keep_or_choose(None)}"


def _listeners(address: str) -> Tables:
    return {"gateway": {"listen": address}, "console": {"listen": _address()}}


def _webhook(port: int) -> Tables:
    return {"kind": "webhook", "url": f"http://127.0.0.1:{port}/hub", "secret": SECRET, "allow_private": True}


async def _connect(address: str) -> Poster:
    host, _, port = address.rpartition(":")
    return (await asyncio.get_running_loop().create_connection(Poster, host, int(port)))[1]


async def _answers(url: str, child: Child) -> None:
    """Wait until the gateway is ready. Raises Void."""
    deadline = perf_counter() + START_SECONDS
    async with httpx.AsyncClient(trust_env=False, timeout=2) as client:
        while True:
            child.check()
            try:
                if (await client.get(url)).status_code == 200:
                    return
            except httpx.HTTPError:
                pass
            if perf_counter() > deadline:
                raise Void(f"the gateway is not ready after {START_SECONDS:.0f} s")
            await asyncio.sleep(LOOK_SECONDS)


async def _until(missing: Callable[[], int], child: Child) -> None:
    """Wait until the tool heard of every post. Raises Void."""
    deadline = perf_counter() + TOLD_SECONDS
    while missing():
        child.check()
        if perf_counter() > deadline:
            raise Void(f"the tool heard nothing of {missing()} posts within {TOLD_SECONDS:.0f} s of the last one")
        await asyncio.sleep(LOOK_SECONDS)


async def _post_all(address: str, posters: list[Poster], many: int, name: str) -> dict[int, float]:
    """Post at an even pace, whatever the answers take; gives when each post was due. Raises Void for a refused one."""
    sent: dict[int, float] = {}
    statuses: list[int] = []
    began = perf_counter()
    for number in range(many):
        due = began + number / POSTS_PER_SECOND
        await asyncio.sleep(max(0.0, due - perf_counter()))
        free = next((poster for poster in posters if poster.free), None)
        if free is None:
            posters.append(free := await _connect(address))
        sent[number] = perf_counter()
        free.post(form_post(address, form_body(number, name)), statuses.append)
    deadline = perf_counter() + TOLD_SECONDS
    while len(statuses) < many and perf_counter() < deadline:
        await asyncio.sleep(LOOK_SECONDS)
    refused = [status for status in statuses if status != 202]
    if refused or len(statuses) < many:
        raise Void(f"latency: of {many} posts {len(refused)} were refused, {many - len(statuses)} never answered")
    return sent
