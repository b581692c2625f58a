"""What every kind of source keeps: its samples are read as promised, and nothing hostile breaks it.

A kind brings its samples in `tests/support/payloads/<kind>/`: `settings.json`, and one file per request with the events
that it is, or the refusal that it gets.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import orjson
import pytest
from pydantic import BaseModel

from hub.components import Reading, Request, Source
from hub.errors import BadProof, Reject, WrongType
from producers.gateway.bodies import check_encoding, unpacked
from producers.sources import SOURCES
from producers.texts import unclean_path
from schemas.envelope import hub_only
from schemas.events import shape_of

ROOT = Path(__file__).parents[2]
PAYLOADS = ROOT / "tests/support/payloads"


@dataclass(frozen=True)
class Sample:
    """One file: a request to a source, and what comes of it."""

    source: Source
    settings: BaseModel
    request: Request
    expected: dict[str, Any]


def load(source: Source, path: Path) -> Sample:
    told = json.loads(path.read_text(encoding="utf-8"))
    settings = source.settings.model_validate_json((path.parent / "settings.json").read_text(encoding="utf-8"))
    asked = told["request"]
    wire = base64.b64decode(asked["body_base64"]) if "body_base64" in asked else asked["body"].encode()
    encoding = asked["headers"].get("content-encoding", "")
    check_encoding(encoding)
    query = dict(parse_qsl(asked["query"], keep_blank_values=True))
    request = Request(unpacked(wire, encoding), asked["headers"], query, "2026-11-22T08:15:30.123Z", wire)
    return Sample(source, settings, request, told)


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
    first, again = readings(sample), readings(sample, received_at="2026-11-22T23:59:59.999Z")
    assert [event.natural_id for event in first] == [event.natural_id for event in again]
    assert len({event.natural_id for event in first}) == len(first)


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
            readings(sample, body=body[:end], raw_body=body[:end])


@accepted()
def test_a_body_with_a_wrong_byte_anywhere_is_read_or_refused(sample: Sample) -> None:
    body = sample.request.body
    for place in range(len(body)):
        spoilt = body[:place] + b"\xff" + body[place + 1 :]
        with suppress(Reject):
            for event in readings(sample, body=spoilt, raw_body=spoilt):
                assert orjson.dumps(event.data)


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
def test_a_source_says_what_it_is_and_what_each_setting_means(source: Source) -> None:
    assert source.description.endswith(".")
    assert [name for name, field in source.settings.model_fields.items() if not field.description] == []


@every_source()
def test_a_source_has_a_page(source: Source) -> None:
    page = (ROOT / f"docs/sources/{source.name}.md").read_text(encoding="utf-8")
    assert f'kind = "{source.name}"' in page
    assert [name for name in source.settings.model_fields if f"`{name}`" not in page] == []
