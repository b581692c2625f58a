"""What tracking calls say, whose write key opens, and when two calls are the same one."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Sequence
from typing import Any

import httpx
import orjson
import pytest

from hub import clock
from hub.components import Reading, Request
from hub.errors import BadProof, Misconfigured, Reject, Retry, TooLarge
from hub.settings import check
from hub.streams.publish import Message
from producers.gateway.app import create_app
from producers.gateway.refusals import Refusals
from producers.gateway.tracking import check_write_keys
from producers.sources.tracking import TRACKING, Settings, read, verify
from producers.tracking import MOST_CALLS

SETTINGS = Settings(write_keys=("wk_one", "wk_two"))
ARRIVAL = "2026-11-22T08:15:30.123Z"
TRACK = {"type": "track", "userId": "u", "event": "Signed Up"}


class Broker:
    """Takes nothing."""

    def __init__(self, wrong: Exception | None) -> None:
        self.wrong = wrong

    async def send(self, messages: Sequence[Message], *, within: float) -> None:
        if self.wrong:
            raise self.wrong


async def well() -> list[str]:
    return []


def a_request(body: Any, at: str = ARRIVAL, call: str | None = None, **headers: str) -> Request:
    wire = body if isinstance(body, bytes) else orjson.dumps(body)
    return Request(wire, headers, {"call": call} if call else {}, at, wire)


def reading(said: dict[str, Any], at: str = ARRIVAL, call: str | None = None) -> Reading:
    (one,) = read(SETTINGS, a_request(said, at, call))
    return one


def basic(user: str, password: str = "") -> str:
    return "Basic " + b64encode(f"{user}:{password}".encode()).decode()


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({"authorization": basic("wk_one")}, {}),
        ({"authorization": basic("wk_two").replace("Basic", "basic")}, {}),
        ({"authorization": "Bearer wk_two"}, {}),
        ({}, {"writeKey": "wk_one"}),
        ({"authorization": "Bearer a.token.of.oauth"}, {"writeKey": "wk_one"}),
        ({"authorization": "Basic no base64"}, {"writeKey": "wk_one", "event": "half \ud83d"}),
    ],
)
def test_a_write_key_opens_wherever_a_client_puts_it(headers: dict[str, str], body: dict[str, Any]) -> None:
    verify(SETTINGS, a_request(json.dumps(body).encode(), **headers))


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({}, b""),
        ({}, b"{}"),
        ({}, b'{"writeKey": ["wk_one"]}'),
        ({}, b'{"writeKey": "wk_one"'),
        ({}, b'{"writeKey": "\xff"}'),
        ({}, b"[" * 5000),
        ({"authorization": basic("wk_on")}, b"{}"),
        ({"authorization": basic("", "wk_one")}, b"{}"),
        ({"authorization": "Basic"}, b"{}"),
        ({"authorization": "Digest wk_one"}, b"{}"),
    ],
)
def test_anything_else_does_not(headers: dict[str, str], body: bytes) -> None:
    with pytest.raises(BadProof):
        verify(SETTINGS, a_request(body, **headers))


def test_the_time_is_the_clients_put_right_by_its_clock() -> None:
    late = {"originalTimestamp": "2026-11-22T09:00:00Z", "sentAt": "2026-11-22T09:00:10Z"}
    assert reading(TRACK | late).time == "2026-11-22T08:15:20.123Z"
    assert reading(TRACK | late | {"timestamp": "2026-11-20T01:00:00Z"}).time == "2026-11-20T01:00:00Z"
    assert reading(TRACK | {"originalTimestamp": "2026-11-22T07:00:00Z"}).time == "2026-11-22T07:00:00Z"
    assert reading(TRACK | {"sentAt": "2026-11-22T07:00:00Z"}).time is None
    assert reading(TRACK | {"timestamp": None, "originalTimestamp": 5}).time is None


def test_a_clock_that_is_absurdly_wrong_breaks_nothing() -> None:
    wild = {"originalTimestamp": "0001-01-01T00:00:00Z", "sentAt": "9999-12-31T23:59:59Z"}
    said = reading(TRACK | wild).time
    assert clock.event_time(said, ARRIVAL) <= ARRIVAL


def test_the_same_call_has_the_same_natural_id() -> None:
    named = TRACK | {"messageId": "m-1"}
    assert reading(named).natural_id == reading(named, at="2027-01-01T00:00:00.000Z").natural_id == "m-1"
    first = reading(TRACK).natural_id
    assert first == reading({**TRACK, "sentAt": "now", "writeKey": "k"}, call="track").natural_id
    assert first != reading(TRACK, at="2026-11-23T08:15:30.123Z").natural_id
    dated = TRACK | {"timestamp": "2026-11-22T08:00:00Z"}
    assert reading(dated).natural_id == reading(dated, at="2026-11-23T08:15:30.123Z").natural_id
    assert first != reading(TRACK | {"userId": "v"}).natural_id


def test_an_identify_says_the_zone_of_the_person_else_that_of_the_device() -> None:
    device = {"type": "identify", "userId": "u", "context": {"timezone": "Europe/Amsterdam"}}
    assert reading(device).data["contact"]["timezone"] == "Europe/Amsterdam"
    assert reading(device | {"traits": {"timezone": "Asia/Tokyo"}}).data["contact"]["timezone"] == "Asia/Tokyo"
    wrong = reading({"type": "identify", "userId": "u", "context": {"timezone": ["x"]}})
    assert "timezone" not in wrong.data["contact"]


def test_a_batch_lends_its_calls_what_they_do_not_say() -> None:
    traits = {"email": "ann@example.com"}
    batch = {
        "context": {"traits": traits},
        "sentAt": "2026-11-22T09:00:10Z",
        "batch": [
            {"type": "identify", "userId": "u", "originalTimestamp": "2026-11-22T09:00:00Z"},
            {"type": "identify", "userId": "v", "context": {}},
        ],
    }
    first, second = read(SETTINGS, a_request(batch))
    assert (first.data["contact"], first.time) == ({"id": "u"} | traits, "2026-11-22T08:15:20.123Z")
    assert second.data == {"contact": {"id": "v"}}


def test_the_address_says_what_a_call_is_and_its_own_word_stands_in_for_it() -> None:
    assert reading({"userId": "u", "name": "Cart"}, call="screen").type == "screen.viewed"
    assert reading({"userId": "u", "type": "page", "batch": "a word of the sender"}).type == "page.viewed"
    with pytest.raises(Reject) as wrong:
        reading({"userId": "u"})
    assert wrong.value.field == "type"


def test_each_call_of_a_batch_carries_its_own_bytes_whatever_stands_around_them() -> None:
    pieces = [b'{"type":"page", "userId":"u"}', b'{ "type":"track","event":"\\ud83d" }', b'"\\\\ud83d"', b"{}", b"null"]
    body = b'\xef\xbb\xbf{"x": ["\\udead"], "batch":[ ' + b" ,\n".join(pieces) + b' ], "y": {}}'
    events = read(SETTINGS, a_request(body))
    assert [one.piece for one in events] == pieces
    assert [one.type for one in events] == ["page.viewed"] + ["source.unreadable"] * 4


def test_a_piece_that_was_kept_can_be_read_again_by_itself() -> None:
    (first,) = read(SETTINGS, a_request({"batch": [TRACK | {"messageId": "m"}]}))
    (again,) = read(SETTINGS, a_request(first.piece))
    assert (again.type, again.data, again.natural_id) == (first.type, first.data, first.natural_id)


def test_an_empty_batch_is_no_event_and_too_large_a_one_is_refused() -> None:
    assert list(read(SETTINGS, a_request({"batch": []}))) == []
    with pytest.raises(TooLarge):
        read(SETTINGS, a_request({"batch": [1] * (MOST_CALLS + 1)}))


@pytest.mark.parametrize("name", ["userId", "anonymousId", "messageId", "name"])
@pytest.mark.parametrize("value", [True, [], {}, "x" * 4097])
def test_an_id_that_is_none_is_refused_by_its_name(name: str, value: object) -> None:
    with pytest.raises(Reject) as wrong:
        reading({name: value}, call="page")
    assert wrong.value.field == name


def test_a_trait_that_is_no_address_is_a_trait_all_the_same() -> None:
    traits = {"email": "x" * 5000, "firstName": {}, "first_name": "Ann", "name": "", "company": "Acme"}
    said = reading({"userId": 1.5, "traits": traits}, call="identify").data
    assert said == {"contact": {"id": "1.5", "given_name": "Ann"}, "company": "Acme", "traits": traits}


def test_a_sample_opens_its_own_source() -> None:
    assert TRACKING.sample is not None
    sample = TRACKING.sample(SETTINGS, ARRIVAL, "id-1")
    request = Request(sample.body, sample.headers, sample.query, ARRIVAL, sample.body)
    verify(SETTINGS, request)
    (one,) = read(SETTINGS, request)
    assert (one.type, one.natural_id, one.time) == ("contact.updated", "id-1", ARRIVAL)


async def test_two_sources_with_one_write_key_are_told_at_the_start() -> None:
    tables = {name: {"kind": "tracking", "write_keys": ["wk", name]} for name in ("site", "app")}
    settings = check({"sources": tables | {"again": {"kind": "tracking", "write_keys": ["one", "one"]}}})
    assert [problem.partition(":")[0] for problem in check_write_keys(settings)] == ["sources.app.write_keys"]

    with pytest.raises(Misconfigured, match=r"sources\.app\.write_keys"):
        create_app(settings, Broker(None), well)


async def test_the_clients_are_told_to_come_back_while_the_broker_is_away() -> None:
    settings = check({"sources": {"site": {"kind": "tracking", "write_keys": ["wk"]}}})
    refusals = Refusals()
    app = create_app(settings, Broker(Retry("Kafka does not answer")), well, refusals)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://hub") as client:
        answer = await client.post("/v1/track", json=TRACK | {"writeKey": "wk"})
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
        assert answer.headers["access-control-allow-origin"] == "*"
        assert (await client.post("/v1/batch", json={"writeKey": "wk", "batch": []})).status_code == 503
        assert (await client.post("/v1/track", json=TRACK | {"writeKey": "w"})).json()["message"]
    assert dict(refusals._counts) == {("/v1", 401): 1}
