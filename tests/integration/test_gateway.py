"""The gateway on a real broker, over real sockets: what it takes is on the topic to the byte, and nothing else."""

from __future__ import annotations

import asyncio
import base64
import gzip
import json
from collections.abc import AsyncIterator, Mapping
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
from producers.gateway.serve import serve
from tests.support.gateway import Gateway, curl_examples, gateway, read_back, told, until_ready

pytestmark = pytest.mark.integration
ROOT = Path(__file__).parents[2]
SAMPLES = sorted((ROOT / "tests/support/payloads/web_form").glob("*.json"))
PAGES = ("web_form", "cloudevents", "tracking")
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
    assert len(record.key) == 16


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


def in_utf8(headers: Mapping[str, str]) -> dict[bytes, bytes]:
    return {name.encode(): value.encode() for name, value in headers.items()}


async def test_the_library_of_cloudevents_is_understood_in_both_modes(hub: Gateway) -> None:
    said = {"contact": {"id": "7", "name": "Jürgen"}, "text": "Grüße"}
    attributes = {"id": "l-1", "source": "/crm/ü", "type": "note.added", "subject": "a b%c", "specversion": "1.0"}
    event = CloudEvent(attributes=attributes | {"time": clock.now(), "datacontenttype": "application/json"}, data=said)
    # The older half of the library writes headers as they are; a client then sends them as UTF-8, or not at all.
    older = v1.CloudEvent({"source": "/crm/ü", "type": "note.added", "id": "l-1", "subject": "a b%c"}, said)
    modes = [to_binary_event(event), to_structured_event(event)]
    sent = [(mode.headers, mode.body) for mode in modes] + [
        conversion.to_binary(older),
        conversion.to_structured(older),
    ]
    answers = [
        await hub.http.post("/events", content=body, headers=in_utf8(headers) | in_utf8(KEY)) for headers, body in sent
    ]
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


async def test_a_port_in_use_is_told_by_the_settings_name(hub: Gateway) -> None:
    settings = check({"gateway": {"listen": f"{LOOPBACK}:{hub.port}"}})
    with pytest.raises(Misconfigured, match=r"gateway\.listen"):
        await serve(settings, asyncio.Event())


async def test_the_examples_of_the_pages_work(hub: Gateway) -> None:
    pages = [(ROOT / f"docs/sources/{name}.md").read_text(encoding="utf-8") for name in PAGES]
    examples = [example for page in pages for example in curl_examples(page)]
    answers = [await hub.http.post(path, headers=headers, content=body) for path, headers, body in examples]
    assert [answer.status_code for answer in answers] == [202] * 4 + [200]


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
