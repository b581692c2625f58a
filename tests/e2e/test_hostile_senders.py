"""Senders who proved who they are and then say anything: nothing is refused, nothing is lost, nobody else waits."""

from __future__ import annotations

import asyncio
import gzip
import os
from base64 import b64decode
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from itertools import cycle, islice
from statistics import median
from typing import Any

import httpx
import orjson
import psutil
import pytest
import pytest_asyncio

from hub import clock
from hub.embedded import Addresses
from hub.identity.ids import from_text
from hub.storage import dead_letters, tally
from hub.storage.pool import Pool, open_pool
from producers.sources import SOURCES
from tests.support.databases import named, order
from tests.support.hub import Hub, caller
from tests.support.tools import until

# One hub for all of them: starting one takes longer than most of what is asked of it here.
pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300), pytest.mark.asyncio(loop_scope="module")]
KINDS: dict[str, dict[str, str]] = {"shopify": {}, "zendesk": {}, "webhook": {"preset": "stripe"}}
"""What is set beside the secret; the instance of a kind bears its name."""
SECRET = "a secret of the tests"
WAVE, WAVES, WARM = 20, 50, 10
"""Bad requests in a wave, each beside a good one; after `WARM` waves memory should grow no more."""
ENOUGH = 1.15
"""What a process may hold in the end, as a share of what it held when it was warm."""
NESTED = 3000


@dataclass(frozen=True)
class Bad:
    """A request whose proof holds."""

    name: str
    body: bytes
    encoding: str = ""


def hostile(sample: bytes) -> Iterator[Bad]:
    """What goes wrong with a body on its way, or in the head of whoever wrote it."""
    yield Bad("nothing", b"")
    yield Bad("cut off", sample[: len(sample) // 2])
    yield Bad("no UTF-8", sample.replace(b"Lee", b"L\xe9e", 1) + b"\xff")
    yield Bad("NUL", b'{"id": "7", "event": "ticket.opened", "ticket": {"id": "1\\u0000"}, "email": "a\\u0000"}')
    yield Bad("half a character", rb'{"id": "\ud800", "event": "ticket.opened", "ticket": {"id": "\ud800"}}')
    yield Bad("a NUL byte", b'{"id": "\x00"}')
    yield Bad("a list", b"[]")
    yield Bad("a word", b'"order"')
    yield Bad("deep", b'{"id":' * NESTED + b"1" + b"}" * NESTED)
    yield Bad("a huge number", b'{"id": 1e999, "event": "ticket.opened", "ticket": {"id": 1e999}}')
    yield Bad("wrong types", b'{"id": {}, "event": ["x"], "ticket": 7, "customer": "Ann", "line_items": {"a": 1}}')
    yield Bad("a ping", b'{"ping": true, "zen": "keep it simple"}')
    yield Bad("a form", b"webhook_id=7")
    yield Bad("no gzip", sample, "gzip")
    yield Bad("half a gzip", gzip.compress(sample, mtime=0)[:-9], "gzip")
    yield Bad("gzip", gzip.compress(sample, mtime=0), "gzip")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hub(tmp_path_factory: pytest.TempPathFactory, servers: Addresses) -> AsyncIterator[Hub]:
    database = f"hostile_{os.getpid()}"
    await order(servers.postgres, f"CREATE DATABASE {database}")
    sources = {kind: f'kind = "{kind}"\nsecret = ["{SECRET}", "the one before"]\n' for kind in KINDS}
    sources["webhook"] += 'preset = "stripe"'
    one = Hub(tmp_path_factory.mktemp("hostile") / "hub", servers, named(servers.postgres, database), sources=sources)
    await one.start()
    await one.until_quiet()  # every consumer has its partitions
    yield one
    assert await one.stop() == 0, one.log
    await order(servers.postgres, f"DROP DATABASE {database} WITH (FORCE)")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pool(hub: Hub) -> AsyncIterator[Pool]:
    connections = await open_pool(hub.database_url, 2, name="hub-tests")
    yield connections
    await connections.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def outside(hub: Hub) -> AsyncIterator[httpx.AsyncClient]:
    async with caller(base_url=hub.gateway, timeout=20) as client:
        yield client


async def post(client: httpx.AsyncClient, kind: str, bad: Bad, natural: str, secret: str = SECRET) -> httpx.Response:
    """The request as its tool would sign it now."""
    source, at = SOURCES[kind], clock.text(clock.now())
    assert source.sign
    settings = settings_of(kind, secret)
    headers = {"content-type": "application/json", "x-shopify-topic": "orders/create"}
    headers |= source.sign(settings, bad.body, at, natural)
    headers |= {"content-encoding": bad.encoding} if bad.encoding else {}
    return await client.post(f"/in/{kind}", headers=headers, content=bad.body)


def settings_of(kind: str, secret: str = SECRET) -> Any:
    return SOURCES[kind].settings.model_validate({"secret": secret, **KINDS[kind]})


def sample_of(kind: str) -> bytes:
    sample = SOURCES[kind].sample
    assert sample
    return sample(settings_of(kind), clock.text(clock.now()), "sample").body


async def settled(pool: Pool, ids: list[str]) -> bool:
    """Whether all of these are activities or dead letters."""
    wanted = {identity for written in ids if (identity := from_text(written))}
    return wanted <= (await tally.settled(pool, wanted)).keys()


async def kept(pool: Pool) -> dict[str, tuple[str, bytes]]:
    """Event id → why it is a dead letter, and the bytes that it came as."""
    found = {}
    for summary in await dead_letters.page(pool, state="open", limit=1000):
        letter = await dead_letters.get(pool, summary.id)
        assert letter
        assert letter.body
        assert summary.event
        raw: dict[str, Any] = orjson.loads(letter.body)["raw"]
        found[summary.event.hex()] = summary.reason, raw_bytes(raw)
    return found


def raw_bytes(raw: dict[str, Any]) -> bytes:
    text = raw.get("text")
    return b64decode(raw["base64"]) if text is None else text.encode()


async def test_whatever_a_proved_sender_says_is_an_activity_or_a_dead_letter_with_its_bytes(
    hub: Hub, pool: Pool, outside: httpx.AsyncClient
) -> None:
    said: dict[str, Bad] = {}
    for kind in KINDS:
        for bad in hostile(sample_of(kind)):
            answer = await post(outside, kind, bad, f"{kind} {bad.name}")
            assert answer.status_code == 202, (kind, bad.name, answer.text)
            again = await post(outside, kind, bad, f"{kind} {bad.name}")
            assert again.json() == answer.json(), "a repeat has the same id"
            said[answer.json()["id"]] = bad
    await until(lambda: settled(pool, list(said)), within=30)
    letters = await kept(pool)
    assert len(letters) > len(KINDS) * 8
    for event, bad in said.items():
        if event.replace("-", "") in letters:
            reason, body = letters[event.replace("-", "")]
            assert body == bad.body, bad.name
            assert reason


@pytest.mark.parametrize("kind", KINDS)
async def test_without_proof_each_is_refused_by_the_name_of_what_is_wrong(
    hub: Hub, outside: httpx.AsyncClient, kind: str
) -> None:
    good = Bad("good", sample_of(kind))
    assert (await post(outside, kind, good, "one", "the one before")).status_code == 202
    refused = {
        "unsigned": await outside.post(f"/in/{kind}", content=good.body, headers={"content-type": "application/json"}),
        "another's secret": await post(outside, kind, good, "two", "somebody else's"),
        "too long": await post(outside, kind, Bad("long", b"x" * 1_048_577), "three"),
        "an unknown encoding": await post(outside, kind, Bad("br", good.body, "br"), "four"),
    }
    told = {name: (answer.status_code, answer.json()) for name, answer in refused.items()}
    assert {name: status for name, (status, _) in told.items()} == {
        "unsigned": 401,
        "another's secret": 401,
        "too long": 413,
        "an unknown encoding": 415,
    }
    assert all(problem.get("field") or problem.get("header") for _, problem in told.values()), told


async def test_good_events_between_a_thousand_bad_ones_arrive_at_once_and_memory_stays(
    hub: Hub, pool: Pool, outside: httpx.AsyncClient, tell: Callable[[str], None]
) -> None:
    bad = cycle([(kind, one) for kind in KINDS for one in hostile(sample_of(kind))])
    waits, held = [], []
    for wave in range(WAVES):
        began = clock.monotonic()
        both = [
            (post(outside, kind, one, f"{wave} {number}"), _good(outside, f"{wave}-{number}"))
            for number, (kind, one) in enumerate(islice(bad, WAVE))
        ]
        answers = await asyncio.gather(*(request for pair in both for request in pair))
        assert {answer.status_code for answer in answers} == {202}
        good = [answer.json()["id"] for answer in answers[1::2]]
        await until(lambda ids=good: settled(pool, ids), within=30)  # type: ignore[misc] # a lambda's default has no type
        waits.append(clock.monotonic() - began)
        held.append(_memory(hub))
    await hub.until_quiet()
    tell(f"{WAVE} good beside {WAVE} bad ones: {median(waits):.2f} s to profiles, {max(waits):.2f} s at the most")
    tell(f"{held[WARM] >> 20} MiB, {held[-1] >> 20} MiB after {WAVE * WAVES} bad ones")
    assert held[-1] < held[WARM] * ENOUGH


def _good(client: httpx.AsyncClient, name: str) -> Any:
    fields = {"name": f"Good {name}", "email": f"good.{name}@example.com"}
    return client.post("/in/web-eu?key=pk_web_eu", data=fields, headers={"idempotency-key": name})


def _memory(hub: Hub) -> int:
    """Bytes that the hub's processes hold."""
    assert hub.process
    parent = psutil.Process(hub.process.pid)
    return sum(one.memory_info().rss for one in (parent, *parent.children(recursive=True)))
