"""A tool that is configuration alone: its proof, its rules, its fields, and what a wrong word in them is told."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import orjson
import pytest
import stripe
from standardwebhooks import Webhook

from hub import clock
from hub.components import Reading, Request
from hub.errors import BadProof, Misconfigured, Reject, Unreadable
from hub.settings import check
from producers.gateway.instances import check_sources
from producers.sources.webhook import PRESETS, Settings, presets, read, sample, sign, verify

ROOT = Path(__file__).parents[3]
SAMPLES = ROOT / "tests/support/payloads/webhook"
AT = "2026-11-22T08:15:30.123Z"
HEADER = {"header": "X-Sig"}


def settings(**own: Any) -> Settings:
    base = {"secret": "hush", "signature": HEADER, "events": [{"type": "thing.happened"}]}
    return Settings.model_validate(base | own)


def delivery(body: Any, **headers: str) -> Request:
    wire = body if isinstance(body, bytes) else orjson.dumps(body)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Request(wire, {"content-type": "application/json"} | named, {}, AT, wire)


def reading(own: Settings, body: Any, **headers: str) -> Reading:
    (one,) = read(own, delivery(body, **headers))
    return one


def problems(**own: Any) -> list[str]:
    table = {"kind": "webhook", "secret": "hush", "signature": HEADER, "events": [{"type": "thing.happened"}]} | own
    return check_sources(check({"sources": {"tool": {name: value for name, value in table.items() if value != ""}}}))


@pytest.mark.parametrize("name", presets())
def test_a_preset_comes_whole(name: str) -> None:
    """It has samples, a row in the page, and an example that it reads itself."""
    used = [json.loads(path.read_text(encoding="utf-8")) for path in SAMPLES.glob("*.json")]
    default = json.loads((SAMPLES / "settings.json").read_text(encoding="utf-8"))["preset"]
    assert any("events" in one and one.get("settings", {}).get("preset", default) == name for one in used)
    assert f"| `{name}` |" in (ROOT / "docs/sources/webhook.md").read_text(encoding="utf-8")
    own = Settings(preset=name, secret=("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",))
    tried = sample(own, AT, "try_1")
    request = Request(tried.body, {**tried.headers, **sign(own, tried.body, AT, "try_1")}, tried.query, AT, tried.body)
    verify(own, request)
    (one,) = read(own, request)
    assert (one.natural_id, one.type != "source.ignored") == ("try_1", True)
    assert "hub-test@example.com" in orjson.dumps(one.data).decode()


def test_presets_are_data() -> None:
    assert {Path(str(path)).suffix for path in PRESETS.iterdir()} == {".toml"}


def stripe_samples() -> list[Any]:
    told = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in SAMPLES.glob("stripe_*.json")}
    return [pytest.param(one, id=name) for name, one in sorted(told.items())]


@pytest.mark.parametrize("told", stripe_samples())
def test_the_library_of_stripe_believes_every_sample_of_ours(told: dict[str, Any]) -> None:
    own = Settings.model_validate(told["settings"])
    body = orjson.dumps(told["request"]["json"])
    headers = sign(own, body, clock.text(clock.now()), told["request"]["sign"])
    event = stripe.Webhook.construct_event(body, headers["stripe-signature"], own.secret[0])
    assert (event.id, event.type) == (told["request"]["json"]["id"], told["request"]["json"]["type"])


def test_the_library_of_standard_webhooks_signs_what_the_preset_reads() -> None:
    secret, now = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", clock.now()
    body = b'{"type": "note.added", "timestamp": "2026-11-22T08:15:20Z", "data": {"text": "Hello."}}'
    headers = {"webhook-id": "msg_1", "webhook-timestamp": str(int(now.timestamp()))}
    headers["webhook-signature"] = Webhook(secret).sign("msg_1", now, body.decode())
    own = Settings(preset="standard-webhooks", secret=(secret,))
    request = Request(body, headers, {}, clock.text(now), body)
    verify(own, request)
    assert read(own, request)[0] == Reading("note.added", "msg_1", {"text": "Hello."}, "2026-11-22T08:15:20Z")
    assert Webhook(secret).verify(body, dict(sign(own, body, clock.text(now), "msg_1")))


@pytest.mark.parametrize("said", ["profile.updated", "source.unreadable", "email.sent", "Nothing", "a", "", 17, None])
def test_a_sender_may_not_say_what_the_hub_says(said: Any) -> None:
    own = Settings(preset="standard-webhooks", secret=("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",))
    assert reading(own, {"type": said, "data": {"reason": "x"}}).type == "source.ignored"


def test_the_first_rule_that_fits_says_what_it_is() -> None:
    own = settings(
        topic="@X-Topic",
        events=[
            {"when": {"$.kind": ["a", "b"], "@X-Topic": "t"}, "type": "thing.seen"},
            {"when": {"$.kind": "a"}, "type": "thing.heard"},
            {"when": {"$.n": "7", "$.there": "*"}, "type": "thing.counted"},
        ],
    )
    assert reading(own, {"kind": "b"}, x_topic="t").type == "thing.seen"
    assert reading(own, {"kind": "a"}, x_topic="u").type == "thing.heard"
    assert reading(own, {"n": 7, "there": False}).type == "thing.counted"
    assert reading(own, {"n": 7, "there": ""}, x_topic="u" * 300) == Reading(
        "source.ignored", reading(own, {"n": 7, "there": ""}).natural_id, {"topic": "u" * 256}
    )


def test_a_type_may_hang_on_a_value() -> None:
    rule = {"by": "$.status", "types": {"gone": "order.cancelled", "said": "@X-Type"}, "type": "order.updated"}
    own = settings(events=[rule])
    said = [reading(own, {"status": status}, x_type="order.lost").type for status in ("gone", "said", "new", None, 7)]
    assert said == ["order.cancelled", "order.lost", "order.updated", "order.updated", "order.updated"]


def test_rules_of_the_table_come_before_those_of_its_preset() -> None:
    rule = {"when": {"$.type": "customer.created"}, "type": "lead.found"}
    own = Settings.model_validate({"preset": "stripe", "secret": "hush", "events": [rule]})
    assert reading(own, {"id": "evt_1", "type": "customer.created"}).type == "lead.found"
    assert reading(own, {"id": "evt_1", "type": "customer.updated"}).type == "contact.updated"


def test_fields_of_the_table_come_before_those_of_its_preset() -> None:
    company = "$.data.fields[?@.label=='Firma'].value"
    own = Settings.model_validate({"preset": "tally", "secret": "hush", "fields": {"company": company}})
    answers = [{"label": "Firma", "value": "Lee GmbH"}, {"label": "Ort", "value": "Bonn"}]
    data = reading(own, {"eventType": "FORM_RESPONSE", "data": {"fields": answers}}).data
    assert data == {"company": "Lee GmbH", "fields": {"Ort": "Bonn"}}


def test_a_preset_may_be_signed_otherwise() -> None:
    own = Settings.model_validate(
        {"preset": "standard-webhooks", "secret": "whsec_aHVzaA==", "signature": {"header": "svix-signature"}}
    )
    assert own.signature
    assert (own.signature.header, own.signature.prefix) == ("svix-signature", "v1,")
    token = Settings.model_validate({"preset": "tally", "secret": "hush", "token": {"header": "X-Token"}})
    assert token.signature is None
    request = delivery({}, x_token="hush")
    verify(token, request)
    with pytest.raises(BadProof):
        verify(token, delivery({}))


def test_a_secret_in_the_address_is_no_header() -> None:
    own = settings(signature=None, token={"query": "token"}, sample={"body": '{"id": "${id}", "at": ${seconds}}'})
    tried = sample(own, AT, "try_1")
    assert (tried.query, dict(sign(own, tried.body, AT, "try_1"))) == ({"token": "hush"}, {})
    assert json.loads(tried.body) == {"id": "try_1", "at": 1795335330}
    verify(own, Request(tried.body, tried.headers, tried.query, AT, tried.body))


def test_without_an_example_a_trial_says_what_is_missing() -> None:
    with pytest.raises(Misconfigured, match="`sample`"):
        sample(settings(), AT, "try_1")


def test_two_deliveries_are_one_where_their_id_is_one_else_where_their_bytes_are() -> None:
    own = settings(id=["$.id", "@X-Id"])
    assert reading(own, {"id": 7}).natural_id == "7"
    assert reading(own, {}, x_id="8").natural_id == "8"
    assert reading(own, {"a": 1}).natural_id == reading(own, {"a": 1}).natural_id != reading(own, {"a": 2}).natural_id
    ruled = settings(id="$.id", events=[{"type": "thing.happened", "id": "$.other"}])
    assert reading(ruled, {"id": "1", "other": "2"}).natural_id == "2"


@pytest.mark.parametrize(
    ("body", "kind", "expected"),
    [
        (b"a=1&b=x+y&b=z", "application/x-www-form-urlencoded", {"a": "1", "b": "x y"}),
        (b' {"a": 1, "b": ["x"]}', "application/x-www-form-urlencoded; charset=utf-8", {"a": "1", "b": "x"}),
        (b'\xef\xbb\xbf{"a": 1}', "text/plain", {"a": "1"}),
        (b'{"a": 1}', "application/vnd.tool.v2+json", {"a": "1"}),
        (b'[{"a": 1}]', "", {"a": "1"}),
    ],
)
def test_json_is_read_whatever_it_is_called_and_forms_are_read_as_well(
    body: bytes, kind: str, expected: dict[str, str]
) -> None:
    fields = {"a": ["$.a", "$[0].a"], "b": ["$.b[0]", "$.b"]}
    own = settings(events=[{"type": "thing.happened", "fields": fields}])
    request = Request(body, {"content-type": kind}, {}, AT, body)
    assert read(own, request)[0].data == expected


@pytest.mark.parametrize("body", [b"", b"null", b"17", b'"text"', b"{", b"\xff", b"[" * 100_000])
def test_what_is_no_json_is_unreadable(body: bytes) -> None:
    with pytest.raises(Unreadable):
        reading(settings(), body)


def test_data_of_the_sender_are_a_beginning() -> None:
    rule = {"type": "thing.happened", "data": "$.data", "fields": {"contact.id": "$.who", "text": "'Hello'"}}
    own = settings(events=[rule])
    body = {"who": 7, "data": {"contact": {"name": "Ann"}, "text": "x", "raw": "y"}}
    assert reading(own, body).data == {"contact": {"name": "Ann", "id": "7"}, "text": "Hello"}
    assert reading(own, {"data": None}).data == {"text": "Hello"}
    with pytest.raises(Reject) as wrong:
        reading(own, {"data": [1]})
    assert wrong.value.field == "$.data"


def test_texts_that_no_database_keeps_are_told_by_their_place() -> None:
    with pytest.raises(Reject) as wrong:
        reading(settings(), b'{"a": {"b": ["x", "\\u0000"]}}')
    assert wrong.value.field == "a.b.1"


def test_an_object_where_a_rule_asks_for_a_text_is_told_by_its_word() -> None:
    own = settings(events=[{"when": {"{$.a}/x": "a/x"}, "type": "thing.happened"}])
    assert reading(own, {"a": "a"}).type == "thing.happened"
    with pytest.raises(Reject) as wrong:
        reading(own, {"a": {"b": 1}})
    assert wrong.value.field == "{$.a}/x"


EVENT = {"type": "thing.happened"}


@pytest.mark.parametrize(
    ("own", "place", "said"),
    [
        ({"preset": "strip"}, "preset", "there is no preset 'strip'"),
        ({"signature": ""}, "", "`signature` or `token`"),
        ({"token": {"header": "X"}}, "", "not together"),
        ({"events": []}, "", "nothing would be read"),
        ({"events": [{"type": "Thing"}]}, "events.0.type", "no type"),
        ({"events": [EVENT, {"type": "profile.updated"}]}, "events.1.type", "made by the hub alone"),
        ({"events": [EVENT | {"when": {"$.a[": "x"}}]}, "events.0.when.$.a[.[key]", "is no path from '['"),
        ({"events": [EVENT | {"fields": {"text": "a.b"}}]}, "events.0.fields.text.first.0", "neither a path"),
        ({"events": [EVENT | {"fields": {"text": ["$.a", "$.b[x]"]}}]}, "events.0.fields.text.first.1", "is no path"),
        ({"events": [EVENT | {"fields": {"text": "{$.a}{b}"}}]}, "events.0.fields.text.first.0", "neither a path"),
        ({"events": [EVENT | {"fields": {"contact.mail": "$.a"}}]}, "events.0.fields.contact.mail.[key]", "no 'mail'"),
        (
            {"events": [EVENT | {"fields": {"a": {"first": "$.a", "as": "date"}}}]},
            "events.0.fields.a",
            "no form 'date'",
        ),
        ({"events": [EVENT | {"fields": {"a": {"each": "$.a"}}}]}, "events.0.fields.a", "`each` goes with"),
        ({"events": [EVENT | {"fields": {"a": {}}}]}, "events.0.fields.a", "needs one of"),
        ({"events": [EVENT | {"fields": {"a": {"all": "$.a", "as": "json"}}}]}, "events.0.fields.a", "not of json"),
        ({"events": [EVENT | {"by": "$.a"}]}, "events.0", "`by` and `types` go together"),
        ({"events": [EVENT | {"by": "$.a", "types": {"x": "X"}}]}, "events.0.types.x", "no type"),
        ({"events": [EVENT | {"filds": {}}]}, "events.0.filds", "not permitted"),
        ({"id": "id"}, "id.first.0", "neither a path"),
        ({"id": {"all": "$.id"}}, "id", "one text here"),
        ({"time": {"first": "$.at", "as": "integer"}}, "time", "one text here"),
        ({"signature": HEADER | {"signs": "{x}"}}, "signature", "holds {body} once"),
        ({"secret": ""}, "secret", "needs `secret`"),
        ({"preset": "standard-webhooks", "secret": "no base64!", "signature": ""}, "", "base64 behind 'whsec_'"),
    ],
)
def test_what_is_wrong_is_told_by_its_place(own: dict[str, Any], place: str, said: str) -> None:
    (problem,) = problems(**own)
    assert problem.startswith(f"sources.tool{'.' if place else ''}{place}: ")
    assert said in problem


def test_what_is_right_has_no_problems() -> None:
    assert problems() == []
    assert problems(preset="stripe", signature="", events="") == []


def test_the_examples_of_the_page_are_right() -> None:
    page = (ROOT / "docs/sources/webhook.md").read_text(encoding="utf-8")
    examples = [block.partition("```")[0] for block in page.split("```toml")[1:]]
    assert len(examples) >= 3
    for example in examples:
        assert check_sources(check(tomllib.loads(example))) == []
