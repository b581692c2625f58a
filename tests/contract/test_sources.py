"""What every kind of source keeps: its samples are read as promised, and nothing hostile breaks it.

A kind brings its samples in `tests/support/payloads/<kind>/`: `settings.json`, and one file per request with the events
that it is, or the refusal that it gets; `settings` in a sample are laid over those of the folder. The body is a text,
base64 (`body_base64`) or a JSON value (`json`). Where the request has `sign`, it is signed as its tool would sign it,
and that is the delivery's id.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import orjson
import pytest
from pydantic import BaseModel

from hub.components import Reading, Request, Source
from hub.errors import BadProof, Reject, WrongType
from hub.identity.ids import from_text
from hub.settings import check
from producers.gateway import records
from producers.gateway.bodies import check_encoding, unpacked
from producers.gateway.instances import instances
from producers.gateway.records import Occasion
from producers.replay import Lost, messages
from producers.sources import SOURCES
from producers.texts import unclean_path
from schemas.envelope import hub_only
from schemas.events import shape_of

ROOT = Path(__file__).parents[2]
PAYLOADS = ROOT / "tests/support/payloads"


AT, LATER = "2026-11-22T08:15:30.123Z", "2026-11-22T23:59:59.999Z"


@dataclass(frozen=True)
class Sample:
    """One file: a request to a source, and what comes of it."""

    source: Source
    table: dict[str, Any]
    settings: BaseModel
    request: Request
    expected: dict[str, Any]

    def signed(self, at: str) -> dict[str, str]:
        """Its headers as its tool would send them at that time; as they stand where the file does not ask for it."""
        identity = self.expected["request"].get("sign")
        headers = dict(self.request.headers)
        if identity is None or self.source.sign is None:
            return headers
        return headers | dict(self.source.sign(self.settings, self.request.raw_body, at, identity))


def load(source: Source, path: Path) -> Sample:
    told = json.loads(path.read_text(encoding="utf-8"))
    asked = told["request"]
    wire = wire_of(asked)
    encoding = asked["headers"].get("content-encoding", "")
    check_encoding(encoding)
    query = dict(parse_qsl(asked["query"], keep_blank_values=True))
    request = Request(unpacked(wire, encoding), asked["headers"], query, AT, wire)
    table = table_of(source, told.get("settings"))
    sample = Sample(source, table, source.settings.model_validate(table), request, told)
    return replace(sample, request=replace(request, headers=sample.signed(AT)))


def wire_of(asked: dict[str, Any]) -> bytes:
    if "json" in asked:
        return orjson.dumps(asked["json"])
    return base64.b64decode(asked["body_base64"]) if "body_base64" in asked else asked["body"].encode()


def table_of(source: Source, own: dict[str, Any] | None = None) -> dict[str, Any]:
    """The table of a kind's samples; a sample may bring words of its own."""
    told: dict[str, Any] = json.loads((PAYLOADS / source.name / "settings.json").read_text(encoding="utf-8"))
    return told | (own or {})


def samples(outcome: str, *doors: str) -> Iterator[Any]:
    for source in SOURCES:
        if source.door not in (doors or ("http", "mail")):
            continue
        for path in sorted((PAYLOADS / source.name).glob("*.json")):
            if outcome in json.loads(path.read_text(encoding="utf-8")):
                yield pytest.param(load(source, path), id=f"{source.name}-{path.stem}")


accepted = partial(pytest.mark.parametrize, "sample", list(samples("events")))
refused = partial(pytest.mark.parametrize, "sample", list(samples("refused")))
posted = partial(pytest.mark.parametrize, "sample", list(samples("events", "http")))
every_source = partial(pytest.mark.parametrize, "source", list(SOURCES), ids=SOURCES.names)


def readings(sample: Sample, **change: Any) -> list[Reading]:
    request = replace(sample.request, **change)
    if sample.source.door == "http":
        sample.source.verify(sample.settings, request)
    return list(sample.source.read(sample.settings, request))


def spoilt_readings(sample: Sample, body: bytes) -> list[Reading]:
    """Of a body whose proof does not depend on it, or as if a tool had signed it like that."""
    if sample.source.sign is None:
        return readings(sample, body=body, raw_body=body)
    return list(sample.source.read(sample.settings, replace(sample.request, body=body, raw_body=body)))


@accepted()
def test_a_sample_becomes_the_events_that_it_is(sample: Sample) -> None:
    events = readings(sample)
    for event, expected in zip(events, sample.expected["events"], strict=True):
        assert event.type == expected["type"]
        assert event.data == expected["data"]
        assert (event.time, event.redirect) == (expected.get("time"), expected.get("redirect"))


@accepted()
def test_what_is_read_fits_the_published_shape_and_can_be_kept(sample: Sample) -> None:
    for event in readings(sample):
        assert not hub_only(event.type)
        shape_of(event.type).model_validate(orjson.loads(orjson.dumps(event.data)))
        assert unclean_path(event.data) is None
        assert unclean_path(event.natural_id) is None


@accepted()
def test_a_repeat_has_the_same_natural_id(sample: Sample) -> None:
    first = readings(sample)
    if "sign" in sample.expected["request"] or sample.source.sign is None:
        again = readings(sample, received_at=LATER, headers=sample.signed(LATER))
    else:  # a signature that stands in the file ages
        again = readings(sample, received_at=f"{AT[:17]}59.999Z")
    assert [event.natural_id for event in first] == [event.natural_id for event in again]
    assert len({event.natural_id for event in first}) == len(first)


@accepted()
def test_a_letter_of_it_is_read_again_as_the_events_that_it_is(sample: Sample) -> None:
    """As after an error of ours is mended: nothing is left of the request but what the letter holds."""
    if sample.source.public:
        return  # what a public source cannot read is refused
    settings = check({"sources": {"one": {"kind": sample.source.name, **sample.table}}})
    instance, request = instances(settings)["one"], sample.request
    kinds = [request.headers.get(name, "") for name in ("content-type", "content-encoding")]
    wrong = records.unreadable(Reading("", "bytes", {}), Reject("our error"), instance.heeded(request))
    raw = records.raw(request.raw_body, *kinds)
    identity, kept = records.record(Occasion(instance.edge, "one", AT), wrong, raw)
    sent = messages(settings, Lost(kept.topic, kept.key, kept.headers, kept.value, from_text(identity)))
    told = [orjson.loads(message.value or b"") for message in sent]
    for data, message, expected in zip(told, sent, sample.expected["events"], strict=True):
        assert data.pop("raw") == raw
        assert data == expected["data"]
        assert dict(message.headers)["ce_type"].decode() == expected["type"]
    assert dict(sent[0].headers)["ce_id"].decode() == identity


@refused()
def test_a_bad_request_is_refused_by_name(sample: Sample) -> None:
    with pytest.raises(Reject) as wrong:
        readings(sample)
    assert {"status": wrong.value.status, "field": wrong.value.field} == sample.expected["refused"]


@posted()
def test_without_its_proof_nothing_is_read(sample: Sample) -> None:
    with pytest.raises(BadProof):
        readings(
            sample, body=b"", raw_body=b"", query={}, headers={"content-type": "application/x-www-form-urlencoded"}
        )


@accepted()
def test_a_body_that_is_cut_off_anywhere_is_read_or_refused(sample: Sample) -> None:
    body = sample.request.body
    for end in range(len(body)):
        with suppress(Reject):
            for event in spoilt_readings(sample, body[:end]):
                assert orjson.dumps(event.data)


@accepted()
def test_a_body_with_a_wrong_byte_anywhere_is_read_or_refused(sample: Sample) -> None:
    body = sample.request.body
    for place in range(len(body)):
        spoilt = body[:place] + b"\xff" + body[place + 1 :]
        with suppress(Reject):
            for event in spoilt_readings(sample, spoilt):
                assert orjson.dumps(event.data)


@posted()
def test_one_flipped_bit_under_a_signature_is_refused(sample: Sample) -> None:
    if sample.source.sign is None:
        return
    body = sample.request.raw_body
    for place in range(len(body)):
        flipped = body[:place] + bytes([body[place] ^ 1 << place % 8]) + body[place + 1 :]
        with pytest.raises(BadProof):
            sample.source.verify(sample.settings, replace(sample.request, body=flipped, raw_body=flipped))


@posted()
def test_a_header_of_odd_letters_is_a_refusal_and_no_accident(sample: Sample) -> None:
    for name, odd in product(sample.request.headers, ("", " ", "\xb2\xb3", "\xff", "=", "9" * 11, "{body}")):
        with suppress(Reject):
            readings(sample, headers=dict(sample.request.headers) | {name: odd})


@posted()
def test_a_type_that_is_not_the_sources_own_is_refused(sample: Sample) -> None:
    with pytest.raises((WrongType, BadProof)):
        readings(sample, headers=dict(sample.request.headers) | {"content-type": "image/png"})


@accepted()
def test_missing_headers_are_a_refusal_and_no_accident(sample: Sample) -> None:
    for name in sample.request.headers:
        rest = {one: value for one, value in sample.request.headers.items() if one != name}
        with suppress(Reject):
            readings(sample, headers=rest)


@every_source()
def test_a_source_brings_samples_of_both_sorts(source: Source) -> None:
    told = [json.loads(path.read_text(encoding="utf-8")) for path in (PAYLOADS / source.name).glob("*.json")]
    assert sum("events" in one for one in told) >= 3
    if source.door == "http":
        assert {one["refused"]["status"] for one in told if "refused" in one} >= {401}


@every_source()
def test_what_is_proved_by_a_secret_can_be_signed_to_try_it(source: Source) -> None:
    assert source.door != "http" or source.public != (source.sign is not None)


@every_source()
def test_a_source_says_what_it_is_and_what_each_setting_means(source: Source) -> None:
    assert source.description.endswith(".")
    assert [name for name, field in source.settings.model_fields.items() if not field.description] == []


@every_source()
def test_a_source_has_a_page(source: Source) -> None:
    page = (ROOT / f"docs/sources/{source.name}.md").read_text(encoding="utf-8")
    assert f'kind = "{source.name}"' in page
    assert [name for name in source.settings.model_fields if f"`{name}`" not in page] == []
