"""The application without a network: addresses, methods, answers, and what goes to the broker."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

import httpx
import orjson
import pytest
from prometheus_client import REGISTRY
from pydantic import BaseModel

from hub.components import Reading, Request, Source
from hub.errors import BadProof, HubError, Retry, TooLarge, Unreadable
from hub.registry import Registry
from hub.settings import check
from hub.streams.publish import Message
from producers.gateway import instances
from producers.gateway.app import Gateway
from producers.sources import web_form

SETTINGS = {
    "sources": {
        "web": {"kind": "web_form", "keys": ["pk"], "redirects": ["www.example.com"]},
        "desk": {"kind": "desk"},
    },
    "keys": {"crm": {"secret": "s1", "scopes": ["events:write"]}, "reader": {"secret": "s2"}},
}
FORM = {"content-type": "application/x-www-form-urlencoded"}
KEY = {"authorization": "Bearer s1", "content-type": "application/cloudevents+json"}
EVENT = {"specversion": "1.0", "id": "1", "source": "/crm", "type": "note.added", "data": {"text": "hello"}}


class NoSettings(BaseModel):
    """A desk needs none here."""


class Broker:
    """Takes everything, or raises what it is told to."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.wrong: Exception | None = None

    async def send(self, messages: Sequence[Message], *, within: float) -> None:
        assert within == 2.0
        if self.wrong:
            raise self.wrong
        self.messages += messages


def verify_desk(_settings: object, request: Request) -> None:
    if request.headers.get("x-signature") != str(len(request.raw_body)):
        raise BadProof("the signature does not fit", "x-signature")


def read_desk(_settings: object, request: Request) -> list[Reading]:
    if request.body == b"ping":
        return [Reading("source.ignored", "p", {})]
    if request.body == b"bug":
        raise ZeroDivisionError
    if not request.body.startswith(b"two"):
        raise Unreadable("no such event", "event")
    return [Reading("ticket.opened", f"t{n}", {"contact": {"id": str(n)}}) for n in (1, 2)]


DESK = Source("desk", "A desk with a secret.", NoSettings, verify_desk, read_desk)


@pytest.fixture
def broker() -> Broker:
    return Broker()


@pytest.fixture
async def http(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[httpx.AsyncClient]:
    monkeypatch.setattr(instances, "SOURCES", Registry("source", web_form.WEB_FORM, DESK))

    async def well() -> Sequence[str]:
        return [str(broker.wrong)] if broker.wrong else []

    app = Gateway(check(SETTINGS), broker, well)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://hub") as client:
        yield client


def counted(source: str, outcome: str) -> float:
    return REGISTRY.get_sample_value("hub_gateway_requests_total", {"source": source, "outcome": outcome}) or 0.0


async def test_an_accepted_post_is_answered_with_its_id(http: httpx.AsyncClient, broker: Broker) -> None:
    before = counted("web", "accepted")
    answer = await http.post("/in/web?key=pk", content=b"name=Ann", headers=FORM)
    assert answer.status_code == 202
    assert answer.headers["content-type"] == "application/json"
    (message,) = broker.messages
    assert answer.json() == {"id": dict(message.headers)["ce_id"].decode()}
    assert counted("web", "accepted") == before + 1


async def test_a_form_with_a_redirect_leads_on(http: httpx.AsyncClient) -> None:
    body = b"name=Ann&redirect=https%3A%2F%2Fwww.example.com%2Fthanks"
    answer = await http.post("/in/web?key=pk", content=body, headers=FORM)
    assert (answer.status_code, answer.headers["location"]) == (303, "https://www.example.com/thanks")


@pytest.mark.parametrize(
    ("method", "path", "status", "allow"),
    [
        ("GET", "/", 404, None),
        ("POST", "/in/", 404, None),
        ("POST", "/in/nobody", 404, None),
        ("POST", "/in/web/", 404, None),
        ("GET", "/in/web", 405, "POST, OPTIONS"),
        ("GET", "/in/desk", 405, "POST"),
        ("OPTIONS", "/in/desk", 405, "POST"),
        ("GET", "/events", 405, "POST"),
        ("POST", "/healthz", 405, "GET, HEAD"),
    ],
)
async def test_every_other_address_and_method_is_a_problem(
    http: httpx.AsyncClient, method: str, path: str, status: int, allow: str | None
) -> None:
    answer = await http.request(method, path)
    assert (answer.status_code, answer.headers.get("allow")) == (status, allow)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json().keys() == {"type", "title", "status", "detail"}
    assert answer.json()["status"] == status


async def test_a_page_of_any_origin_may_post_a_form(http: httpx.AsyncClient) -> None:
    asked = await http.options(
        "/in/web", headers={"origin": "https://a.example", "access-control-request-method": "POST"}
    )
    assert (asked.status_code, asked.headers["access-control-allow-methods"]) == (204, "POST")
    assert "content-type" in asked.headers["access-control-allow-headers"]
    refused = await http.post("/in/web", content=b"name=Ann", headers=FORM)
    assert refused.status_code == 401
    assert {one.headers["access-control-allow-origin"] for one in (asked, refused)} == {"*"}
    desk = await http.post("/in/desk")
    assert "access-control-allow-origin" not in desk.headers


@pytest.mark.parametrize(
    ("headers", "status", "names"),
    [
        ({"content-type": "text/plain"}, 415, ("header", "content-type")),
        (FORM | {"content-encoding": "br"}, 415, ("header", "content-encoding")),
        (FORM | {"content-length": "2000000"}, 413, ("header", "content-length")),
        (FORM | {"content-encoding": "gzip"}, 400, ("header", "content-encoding")),
        (FORM, 401, ("field", "key")),
    ],
)
async def test_a_refusal_names_what_is_wrong(
    http: httpx.AsyncClient, headers: dict[str, str], status: int, names: tuple[str, str]
) -> None:
    before = counted("web", "refused")
    answer = await http.post("/in/web?key=nobody", content=b"name=Ann", headers=headers)
    assert (answer.status_code, answer.json()[names[0]]) == (status, names[1])
    assert counted("web", "refused") == before + 1


@pytest.mark.parametrize("path", ["/in/web?key=pk", "/events"])
async def test_no_acknowledgement_is_a_503_that_says_when_to_come_back(
    http: httpx.AsyncClient, broker: Broker, path: str
) -> None:
    broker.wrong = Retry("Kafka does not answer")
    form = path.startswith("/in")
    body, headers = (b"name=Ann", FORM) if form else (orjson.dumps(EVENT), KEY)
    answer = await http.post(path, content=body, headers=headers)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
    assert (await http.get("/readyz")).status_code == 503


async def test_what_the_broker_takes_from_nobody_is_too_large(http: httpx.AsyncClient, broker: Broker) -> None:
    broker.wrong = TooLarge("the broker takes no record of this size")
    assert (await http.post("/in/web?key=pk", content=b"name=Ann", headers=FORM)).status_code == 413


@pytest.mark.parametrize("wrong", [ZeroDivisionError("no"), HubError("odd")])
async def test_a_fault_of_ours_is_a_problem_too(http: httpx.AsyncClient, broker: Broker, wrong: Exception) -> None:
    broker.wrong = wrong
    before = counted("web", "failed")
    answer = await http.post("/in/web?key=pk", content=b"name=Ann", headers=FORM)
    assert (answer.status_code, answer.headers["content-type"]) == (500, "application/problem+json")
    assert counted("web", "failed") == before + 1


@pytest.mark.parametrize(("key", "status"), [("", 401), ("Bearer nobody", 401), ("Bearer s2", 403), ("Bearer s1", 202)])
async def test_events_need_a_key_with_the_scope(http: httpx.AsyncClient, key: str, status: int) -> None:
    answer = await http.post("/events", content=orjson.dumps(EVENT), headers=KEY | {"authorization": key})
    assert answer.status_code == status
    assert answer.headers.get("www-authenticate") == ("Bearer" if status == 401 else None)


async def test_a_batch_is_answered_with_its_ids_in_order(http: httpx.AsyncClient, broker: Broker) -> None:
    headers = KEY | {"content-type": "application/cloudevents-batch+json"}
    answer = await http.post("/events", content=orjson.dumps([EVENT, EVENT | {"id": "2"}]), headers=headers)
    assert answer.json() == {"ids": [dict(message.headers)["ce_id"].decode() for message in broker.messages]}
    assert (await http.post("/events", content=b"[]", headers=headers)).json() == {"ids": []}


async def test_a_wrong_event_in_a_batch_keeps_all_of_it_out(http: httpx.AsyncClient, broker: Broker) -> None:
    headers = KEY | {"content-type": "application/cloudevents-batch+json"}
    answer = await http.post("/events", content=orjson.dumps([EVENT, EVENT | {"id": None}]), headers=headers)
    assert (answer.status_code, answer.json()["field"]) == (400, "1.id")
    assert broker.messages == []


async def test_behind_a_secret_proof_what_cannot_be_read_is_kept(http: httpx.AsyncClient, broker: Broker) -> None:
    refused = await http.post("/in/desk", content=b"{", headers={"x-signature": "9"})
    assert (refused.status_code, refused.json()["header"]) == (401, "x-signature")
    assert broker.messages == []
    first = await http.post("/in/desk", content=b"{", headers={"x-signature": "1"})
    again = await http.post("/in/desk", content=b"{", headers={"x-signature": "1"})
    assert (first.status_code, first.json()) == (202, again.json())
    message = broker.messages[0]
    assert (message.topic, dict(message.headers)["ce_type"]) == ("inbound.tools", b"source.unreadable")
    assert orjson.loads(message.value or b"") == {
        "reason": "no such event",
        "field": "event",
        "raw": {"content_type": "", "content_encoding": None, "text": "{"},
    }


async def test_behind_a_secret_proof_a_damaged_body_is_kept_as_it_came(http: httpx.AsyncClient, broker: Broker) -> None:
    headers = {"x-signature": "4", "content-encoding": "gzip"}
    assert (await http.post("/in/desk", content=b"\x1f\x8b\x08\x00", headers=headers)).status_code == 202
    value = orjson.loads(broker.messages[0].value or b"")
    assert (value["field"], value["raw"]["base64"], value["raw"]["content_encoding"]) == (
        "content-encoding",
        "H4sIAA==",
        "gzip",
    )


async def test_a_post_may_hold_several_events(http: httpx.AsyncClient, broker: Broker) -> None:
    answer = await http.post("/in/desk", content=b"two", headers={"x-signature": "3"})
    assert len(set(answer.json()["ids"])) == 2
    assert {message.topic for message in broker.messages} == {"inbound.support"}


async def test_a_fault_in_a_sources_reading_is_ours(http: httpx.AsyncClient) -> None:
    assert (await http.post("/in/desk", content=b"bug", headers={"x-signature": "3"})).status_code == 500


async def test_health_and_metrics_are_there(http: httpx.AsyncClient) -> None:
    assert (await http.get("/healthz")).json() == {"status": "ok"}
    assert (await http.get("/readyz")).json() == {"status": "ready", "problems": []}
    await http.post("/in/web?key=pk", content=b"name=Ann", headers=FORM)
    metrics = await http.get("/metrics")
    assert metrics.headers["content-type"].startswith("text/plain")
    assert 'hub_gateway_events_total{source="web"}' in metrics.text
    assert (await http.head("/healthz")).content == b""
