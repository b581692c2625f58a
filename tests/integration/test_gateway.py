"""The gateway on a real broker, over real sockets: what it takes is on the topic to the byte, and nothing else."""

from __future__ import annotations

import asyncio
import base64
import gzip
import json
import os
import re
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from cloudevents.core.bindings.http import to_binary_event, to_structured_event
from cloudevents.core.v1.event import CloudEvent
from cloudevents.v1 import conversion
from cloudevents.v1 import http as v1

from hub import clock
from hub.embedded import Addresses
from hub.embedded.ports import LOOPBACK
from hub.errors import Misconfigured
from hub.identity.ids import as_text, event_id
from hub.settings import check
from hub.streams.topics import create_topics
from producers.gateway.bodies import PLAIN_BYTES, WIRE_BYTES
from producers.gateway.serve import serve
from tests.support.gateway import Gateway, broker_pid, curl_examples, free_port, gateway, read_back, told, until_ready

pytestmark = pytest.mark.integration
ROOT = Path(__file__).parents[2]
SAMPLES = sorted((ROOT / "tests/support/payloads/web_form").glob("*.json"))
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


def sample(path: Path) -> tuple[str, dict[str, str], bytes, dict[str, Any]]:
    """An address, headers, the body as it travels, and what the sample expects."""
    words = json.loads(path.read_text(encoding="utf-8"))
    asked = words["request"]
    body = base64.b64decode(asked["body_base64"]) if "body_base64" in asked else asked["body"].encode()
    return f"/in/web-eu?{asked['query']}", asked["headers"], body, words


async def test_every_sample_of_a_form_is_on_the_topic_to_the_byte_or_refused(hub: Gateway) -> None:
    sent: dict[str, bytes] = {}
    for address, headers, body, words in map(sample, (path for path in SAMPLES if path.stem != "settings")):
        answer = await hub.http.post(address, content=body, headers=headers)
        if "refused" in words:
            problem = answer.json()
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.status_code == problem["status"] == words["refused"]["status"]
            assert problem.get("field") or problem.get("header") == words["refused"]["field"]
        else:
            assert answer.status_code == (303 if words["events"][0].get("redirect") else 202)
            sent[answer.json()["id"]] = body
    records = await hub.wrote()
    assert {record.headers["ce_id"]: record.raw for record in records} == sent
    assert all(list(record.value)[-1] == "raw" for record in records)


async def test_a_form_is_a_cloudevent_with_the_marks_of_the_edge(hub: Gateway) -> None:
    body = b"name=Ann&email=ann%40example.com&submitted_at=2026-11-22T08%3A00%3A00Z"
    before = clock.text(clock.now())
    answer = await hub.http.post(ADDRESS, content=body, headers=FORM)
    (record,) = await hub.wrote()
    arrival = record.headers.pop("ce_receivedtime")
    assert before <= arrival <= clock.text(clock.now())
    assert record.headers == {
        "ce_specversion": "1.0",
        "ce_id": answer.json()["id"],
        "ce_source": "web-eu",
        "ce_type": "form.submitted",
        "ce_time": "2026-11-22T08:00:00Z",
        "ce_edge": "web-eu",
        "ce_trust": "public",
        "content-type": "application/json",
    }
    assert len(record.key) == 8


async def test_a_repeat_gets_the_same_id(hub: Gateway) -> None:
    posts = [await hub.http.post(ADDRESS, content=b"name=Ann", headers=FORM) for _ in range(3)]
    keyed = [await hub.http.post(ADDRESS, json={"n": n}, headers={"idempotency-key": "k"}) for n in range(2)]
    assert len({post.json()["id"] for post in posts}) == len({post.json()["id"] for post in keyed}) == 1
    assert len({record.headers["ce_id"] for record in await hub.wrote()}) == 2


async def test_many_posts_at_once_are_all_there_once(hub: Gateway) -> None:
    posts = (hub.http.post(ADDRESS, content=b"n=%d&email=%d%%40example.com" % (n, n), headers=FORM) for n in range(300))
    answers = await asyncio.gather(*posts)
    records = await hub.wrote()
    assert sorted(answer.json()["id"] for answer in answers) == sorted(record.headers["ce_id"] for record in records)
    assert {int(record.value["fields"]["n"]) for record in records} == set(range(300))


async def test_the_library_of_cloudevents_is_understood_in_both_modes(hub: Gateway) -> None:
    said = {"contact": {"id": "7", "name": "Jürgen"}, "text": "Grüße"}
    attributes = {"id": "l-1", "source": "/crm/ü", "type": "note.added", "subject": "a b%c", "specversion": "1.0"}
    event = CloudEvent(attributes=attributes | {"time": clock.now(), "datacontenttype": "application/json"}, data=said)
    older = v1.CloudEvent({"source": "/crm/ü", "type": "note.added", "id": "l-1", "subject": "a b%c"}, said)
    modes = [to_binary_event(event), to_structured_event(event)]
    sent = [(mode.headers, mode.body) for mode in modes] + [
        conversion.to_binary(older),
        conversion.to_structured(older),
    ]
    answers = [await hub.http.post("/events", content=body, headers=dict(headers) | KEY) for headers, body in sent]
    assert [answer.status_code for answer in answers] == [202] * 4
    assert {answer.json()["id"] for answer in answers} == {as_text(event_id("crm", "/crm/ü\x1fl-1"))}
    records = await hub.wrote("inbound.tools")
    assert [record.raw for record in records] == [body for _, body in sent]
    for record in records:
        assert {name: record.value[name] for name in said} == said
        assert (record.headers["ce_source"], record.headers["ce_subject"]) == ("/crm/ü", "a b%c")
        assert (record.headers["ce_edge"], "ce_trust" in record.headers) == ("crm", False)


async def test_a_batch_is_taken_whole_or_refused_whole(hub: Gateway) -> None:
    types = ["order.placed", "ticket.opened", "email.received", "form.submitted", "com.example.thing"]
    events = [EVENT | {"id": str(number), "type": one} for number, one in enumerate(types)]
    headers = KEY | {"content-type": "application/cloudevents-batch+json"}
    refused = await hub.http.post(
        "/events", content=orjson.dumps([*events, EVENT | {"type": "profile.updated"}]), headers=headers
    )
    assert (refused.status_code, refused.json()["field"]) == (422, "5.type")
    answer = await hub.http.post(
        "/events", content=gzip.compress(orjson.dumps(events)), headers=headers | {"content-encoding": "gzip"}
    )
    records = await hub.wrote("inbound.shop", "inbound.support", "inbound.email", "inbound.forms", "inbound.tools")
    by_id = {record.headers["ce_id"]: record for record in records}
    assert [by_id[one].headers["ce_type"] for one in answer.json()["ids"]] == types
    assert [by_id[one].raw for one in answer.json()["ids"]] == [orjson.dumps(event) for event in events]
    assert len(records) == len(types)


async def test_wrong_data_under_a_good_envelope_is_kept_for_people_to_see(hub: Gateway) -> None:
    body = json.dumps(EVENT | {"data": {"contact": {"email": 5}}}).encode()
    answer = await hub.http.post("/events", content=body, headers=STRUCTURED)
    good = await hub.http.post("/events", content=orjson.dumps(EVENT), headers=STRUCTURED)
    assert (answer.status_code, answer.json()) == (202, good.json())
    record, _ = await hub.wrote("inbound.tools")
    assert (record.headers["ce_type"], record.value["field"], record.raw) == (
        "source.unreadable",
        "data.contact.email",
        body,
    )


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
    "a tired event": ("/events", STRUCTURED, orjson.dumps(EVENT | {"hops": 9}), 422, "hops"),
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


async def test_a_port_in_use_is_told_by_the_settings_name(hub: Gateway) -> None:
    settings = check({"gateway": {"listen": f"{LOOPBACK}:{hub.port}"}})
    with pytest.raises(Misconfigured, match=r"gateway\.listen"):
        await serve(settings, asyncio.Event())


async def test_the_examples_of_the_pages_work(hub: Gateway) -> None:
    pages = [(ROOT / f"docs/sources/{name}.md").read_text(encoding="utf-8") for name in ("web_form", "cloudevents")]
    examples = [example for page in pages for example in curl_examples(page)]
    answers = [await hub.http.post(path, headers=headers, content=body) for path, headers, body in examples]
    assert [answer.status_code for answer in answers] == [202] * 4


async def test_the_example_of_direct_publication_works(servers: Addresses) -> None:
    settings = check({"kafka": {"servers": list(servers.kafka), "partitions": 1}})
    await create_topics(settings.kafka)
    page = (ROOT / "docs/howto/publish-directly.md").read_text(encoding="utf-8")
    code = page.split("```python\n")[1].split("```")[0].rpartition("asyncio.run(")[0]
    names: dict[str, Any] = {}
    exec(code, names)
    await names["publish"](list(servers.kafka))
    last = told((await read_back(settings, ("inbound.tools",)))[-1], settings)
    assert (last.headers["ce_source"], last.value["contact"]["email"]) == ("fair", "ann@example.com")
