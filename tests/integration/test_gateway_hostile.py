"""Hostile senders and a broker that is away: a clear answer in time, and nothing left behind."""

from __future__ import annotations

import asyncio
import gzip
import os
import re
import signal
from collections.abc import AsyncIterator
from contextlib import suppress

import orjson
import pytest

from hub import clock
from hub.embedded import Addresses
from hub.embedded.ports import LOOPBACK
from producers.gateway import protocol
from producers.gateway.bodies import PLAIN_BYTES, WIRE_BYTES
from producers.gateway.protocol import HEAD_BYTES
from tests.support.gateway import Gateway, broker_pid, free_port, gateway, until_ready

pytestmark = pytest.mark.integration
FORM = {"content-type": "application/x-www-form-urlencoded"}
ADDRESS = "/in/web-eu?key=pk_web_eu"
KEY = {"authorization": "Bearer s3cret"}
STRUCTURED = KEY | {"content-type": "application/cloudevents+json"}
EVENT = {"specversion": "1.0", "id": "1", "source": "/crm", "type": "note.added", "data": {"text": "hello"}}


@pytest.fixture
async def hub(servers: Addresses) -> AsyncIterator[Gateway]:
    async with gateway(servers.kafka) as running:
        await until_ready(running)
        yield running


HOSTILE: dict[str, tuple[str, dict[str, str], bytes, int, str | None]] = {
    "a bomb": (ADDRESS, FORM | {"content-encoding": "gzip"}, gzip.compress(bytes(PLAIN_BYTES * 2)), 413, None),
    "a byte too much": (ADDRESS, FORM, b"x" * (WIRE_BYTES + 1), 413, "content-length"),
    "a foreign type": (ADDRESS, {"content-type": "image/png"}, b"\x89PNG", 415, "content-type"),
    "no type": (ADDRESS, {}, b"name=Ann", 415, "content-type"),
    "a foreign encoding": (ADDRESS, FORM | {"content-encoding": "br"}, b"x", 415, "content-encoding"),
    "no gzip": (ADDRESS, FORM | {"content-encoding": "gzip"}, b"name=Ann", 400, "content-encoding"),
    "nothing": (ADDRESS, FORM, b"", 400, None),
    "NUL": (ADDRESS, FORM, b"name=a%00", 422, "name"),
    "NUL in JSON": (ADDRESS, {"content-type": "application/json"}, rb'{"name": "\u0000"}', 422, "name"),
    "half a character": (ADDRESS, {"content-type": "application/json"}, rb'{"a": {"b": "\udc00"}}', 422, "a.b"),
    "no UTF-8": (ADDRESS, FORM, b"name=%ff", 400, "name"),
    "half a multipart": (ADDRESS, {"content-type": "multipart/form-data; boundary=b"}, b"--b\r\n", 400, None),
    "deep JSON": (ADDRESS, {"content-type": "application/json"}, b'{"a":' * 5000 + b"1" + b"}" * 5000, 400, None),
    "no key": ("/in/web-eu", FORM, b"name=Ann", 401, "key"),
    "a wrong key": ("/in/web-eu?key=pk", FORM, b"name=Ann", 401, "key"),
    "nobody's address": ("/in/web-us?key=pk_web_eu", FORM, b"name=Ann", 404, None),
    "no bearer": (
        "/events",
        {"content-type": "application/cloudevents+json"},
        orjson.dumps(EVENT),
        401,
        "authorization",
    ),
    "no scope": ("/events", STRUCTURED | {"authorization": "Bearer other"}, orjson.dumps(EVENT), 403, "authorization"),
    "no envelope": ("/events", KEY | {"content-type": "application/json"}, b"{}", 400, "ce-specversion"),
    "half an envelope": ("/events", STRUCTURED, orjson.dumps(EVENT)[:-5], 400, None),
    "an old envelope": ("/events", STRUCTURED, orjson.dumps(EVENT | {"specversion": "0.3"}), 400, "specversion"),
    "a long attribute": ("/events", STRUCTURED, orjson.dumps(EVENT | {"id": "x" * 1025}), 400, "id"),
    "the hub's own type": ("/events", STRUCTURED, orjson.dumps(EVENT | {"type": "email.sent"}), 422, "type"),
    "a tired event": ("/events", STRUCTURED, orjson.dumps(EVENT | {"hops": 1000}), 422, "hops"),
    "XML": ("/events", KEY | {"content-type": "application/cloudevents+xml"}, b"<a/>", 415, "content-type"),
}


async def test_what_is_refused_is_named_and_leaves_nothing_behind(hub: Gateway) -> None:
    for name, (address, headers, body, status, names) in HOSTILE.items():
        answer = await hub.http.post(address, content=body, headers=headers)
        problem = answer.json()
        assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json"), name
        assert problem.keys() >= {"type", "title", "status", "detail"}, name
        assert (problem.get("field") or problem.get("header")) == names, name
    assert await hub.wrote("inbound.forms", "inbound.tools") == []


async def test_the_limits_hold_to_the_byte_with_and_without_a_length(hub: Gateway) -> None:
    async def pieces(total: int) -> AsyncIterator[bytes]:
        yield b"m="
        for _ in range(total // 65536):
            yield b"x" * 65536
        yield b"x" * (total % 65536 - 2)

    whole = await hub.http.post(ADDRESS, content=b"m=" + b"x" * (WIRE_BYTES - 2), headers=FORM)
    chunked = await hub.http.post(ADDRESS, content=pieces(WIRE_BYTES - 7), headers=FORM)
    too_much = await hub.http.post(ADDRESS, content=pieces(WIRE_BYTES + 5), headers=FORM)
    assert [answer.status_code for answer in (whole, chunked, too_much)] == [202, 202, 413]
    large = b"m=" + b"x" * (PLAIN_BYTES - 2)
    packed = await hub.http.post(ADDRESS, content=gzip.compress(large), headers=FORM | {"content-encoding": "gzip"})
    assert packed.status_code == 202
    records = {record.headers["ce_id"]: record for record in await hub.wrote()}
    assert len(records[whole.json()["id"]].raw) == WIRE_BYTES
    assert len(records[packed.json()["id"]].value["fields"]["m"]) == PLAIN_BYTES - 2
    assert len(records) == 3


async def test_a_connection_lives_on_after_a_refusal(hub: Gateway) -> None:
    refused = b"POST /in/web-eu HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nContent-Length: 3\r\n\r\nabc"
    fine = b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    answers = await hub.raw(refused + fine)
    assert re.findall(rb"HTTP/1.1 (\d+)", answers) == [b"415", b"200"]


async def test_old_and_broken_http_is_answered(hub: Gateway) -> None:
    body = b"name=Ann"
    old = b"POST %b HTTP/1.0\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 8\r\n\r\n%b"
    assert (await hub.raw(old % (ADDRESS.encode(), body))).startswith(b"HTTP/1.1 202")
    assert (await hub.raw(b"nonsense\r\n\r\n")).startswith(b"HTTP/1.1 400")
    assert len(await hub.wrote()) == 1


async def test_whoever_leaves_in_the_middle_changes_nothing(hub: Gateway) -> None:
    head = (
        b"POST %b HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 800\r\n\r\n"
    )
    assert await hub.raw(head % ADDRESS.encode() + b"name=Ann", leave=True) == b""
    answer = await hub.http.post(ADDRESS, content=b"name=Ben", headers=FORM)
    assert [record.headers["ce_id"] for record in await hub.wrote()] == [answer.json()["id"]]


async def test_a_head_that_does_not_end_is_cut_off(hub: Gateway) -> None:
    endless = b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Endless: " + b"x" * (HEAD_BYTES * 2)
    with suppress(ConnectionResetError):
        assert await hub.raw(endless) == b""
    long = b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Long: " + b"x" * (HEAD_BYTES // 2) + b"\r\n\r\n"
    assert (await hub.raw(long)).startswith(b"HTTP/1.1 200")


async def test_whoever_says_nothing_is_cut_off(servers: Addresses, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "HEAD_SECONDS", 0.2)
    async with gateway(servers.kafka) as hub:
        await until_ready(hub)
        assert await hub.raw(b"") == b""
        assert await hub.raw(b"POST /events HTTP/1.1\r\nHost:") == b""


async def test_without_a_broker_the_door_stands_open_and_says_come_back() -> None:
    async with gateway((f"{LOOPBACK}:{free_port()}",), topics=False) as hub:
        assert (await hub.http.get("/healthz")).status_code == 200
        ready = await hub.http.get("/readyz")
        assert (ready.status_code, ready.json()["problems"]) == (503, ["Kafka does not answer"])
        answer = await hub.http.post(ADDRESS, content=b"name=Ann", headers=FORM)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")


async def test_a_broker_that_stands_still_is_a_503_in_time_and_comes_back(hub: Gateway, servers: Addresses) -> None:
    pid = broker_pid(servers.kafka[0])
    if not pid:
        pytest.skip("the broker is no process of this machine")
    first = await hub.http.post(ADDRESS, content=b"n=0", headers=FORM)
    os.kill(pid, signal.SIGSTOP)
    try:
        began = clock.monotonic()
        posts = [hub.http.post(ADDRESS, content=b"n=%d" % n, headers=FORM) for n in (1, 2, 3)]
        event = hub.http.post("/events", content=orjson.dumps(EVENT), headers=STRUCTURED)
        answers = await asyncio.gather(*posts, event)
        assert clock.monotonic() - began < 2.5
        assert [(answer.status_code, answer.headers["retry-after"]) for answer in answers] == [(503, "2")] * 4
        assert (await hub.http.get("/readyz")).status_code == 503
    finally:
        os.kill(pid, signal.SIGCONT)
    async with asyncio.timeout(30):
        while (again := await hub.http.post(ADDRESS, content=b"n=1", headers=FORM)).status_code != 202:
            assert again.status_code == 503
    assert (await hub.http.get("/readyz")).status_code == 200
    written = {record.headers["ce_id"] for record in await hub.wrote()}
    assert written >= {first.json()["id"], again.json()["id"]}


async def test_a_topic_that_is_not_there_is_a_503_in_time(servers: Addresses) -> None:
    async with gateway(servers.kafka, topics=False) as hub:
        await until_ready(hub)
        began = clock.monotonic()
        answer = await hub.http.post(ADDRESS, content=b"n=1", headers=FORM)
        assert (answer.status_code, clock.monotonic() - began < 2.5) == (503, True)
