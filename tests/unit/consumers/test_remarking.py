"""What is said in the hub is read as the published shapes say, and only where it was said in the hub."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from consumers.reading import UnreadableEvent, read
from consumers.remarking import REMARKS
from consumers.rereading import reread
from hub.components import Record
from hub.identity.decisions import Remark
from hub.identity.evidence import Fact
from hub.identity.ids import as_text, record_id
from hub.identity.remarks import OWNER, STAGE
from hub.storage.erasure import Written
from schemas.envelope import SETTINGS, TASKS, hub_only
from schemas.events import EVENTS
from schemas.events.hub import LONGEST_NOTE, CallWritten, NoteWritten
from tests.support.remarks import ANN, NOTE, VALUES, authors, on_its_topic, said_of

RECORD = record_id("shop", "account", "1")
SHAPES: Mapping[str, type[BaseModel]] = {
    **{name: EVENTS[name] for name in SETTINGS | TASKS}, "note.added": NoteWritten, "call.logged": CallWritten
}  # fmt: skip
SAID = [
    said_of(RECORD, field, value, by=by, natural_id=f"{field} {value} {by}")
    for field, values in VALUES.items()
    for value in values
    for by in authors(field)
]


def event(event_type: str, data: object, **headers: bytes) -> Record:
    whole = on_its_topic(replace_type(said_of(RECORD, NOTE, "x"), event_type))
    pairs = {**dict(whole.headers), **headers}
    return replace(whole, value=orjson.dumps(data), headers=tuple(pairs.items()))


def replace_type(one: Fact, event_type: str) -> Fact:
    return one._replace(type=event_type)


@pytest.mark.parametrize("said", SAID, ids=lambda one: f"{one.type} {one.payload.decode()[:24]}")
def test_what_is_said_comes_back_from_its_topic(said: Fact) -> None:
    assert read(on_its_topic(said), {}) == said


@pytest.mark.parametrize("said", SAID, ids=lambda one: f"{one.type} {one.payload.decode()[:24]}")
def test_its_activity_is_read_again_as_the_same(said: Fact) -> None:
    written = Written(
        RECORD, "account", "", "1", said.event, said.type, said.source, said.at, said.received_at, said.trusted,
        said.payload,
    )  # fmt: skip
    assert reread(written, {}) == said


def test_the_raw_body_is_no_part_of_what_is_kept() -> None:
    said = said_of(RECORD, NOTE, "called back")
    data = orjson.loads(said.payload)
    whole = on_its_topic(said)
    raw = {"content_type": "application/json", "text": orjson.dumps(data).decode()}
    assert read(replace(whole, value=orjson.dumps(data | {"raw": raw})), {}) == said


words = st.sampled_from(["", " ", "a", "eve", ANN, "no address", "a@b c", "x" * 100, "x" * 101, "x" * 321, "\t"])
values: st.SearchStrategy[Any] = words | st.sampled_from(
    [None, 7, -1, True, 1.5, [], {}, "x" * LONGEST_NOTE, "x" * (LONGEST_NOTE + 1)]
)
times = st.sampled_from(
    [
        "2026-11-22T08:15:30Z", "2026-11-22T08:15:30.123+01:00", "2026-11-22T08:15:30", "2026-11-22 08:15:30Z",
        "2026-02-30T08:15:30Z", "2026-11-22T25:15:30Z", "0001-01-01T00:00:00+05:00", "2026-11-22", "2d",
        "2026-11-22T08:15:30+99:00", "2026-11-22T08:15:30Z\n", "1000-01-01T00:00:00+05:00",
    ]
)  # fmt: skip
data = st.fixed_dictionaries(
    {"by": st.just("eve"), "record": st.just(as_text(RECORD)), "task": st.just(as_text(RECORD))},
    optional={
        **dict.fromkeys(
            ("owner", "stage", "tag", "text", "rule", "outcome", "duration_seconds", "more", "to", "team"), values
        ),
        "title": values,
        "kind": st.sampled_from(["task", "reminder"]) | values,
        "due": times | values,
    },
)


@given(st.sampled_from(sorted(REMARKS)), data)
def test_the_reader_takes_what_the_published_shape_takes(event_type: str, said: dict[str, Any]) -> None:
    mine = {name: word for name, word in said.items() if name in {"more", *SHAPES[event_type].model_fields}}
    try:
        SHAPES[event_type].model_validate(mine)
    except ValidationError:
        with pytest.raises(UnreadableEvent):
            read(event(event_type, mine), {})
    else:
        fact = read(event(event_type, mine), {})
        assert fact.remark
        assert fact.remark.by_person is (mine.get("rule") is None)


@pytest.mark.parametrize(
    ("event_type", "said", "field"),
    [
        ("owner.assigned", {}, "data.owner"),
        ("stage.set", {"owner": None}, "data.stage"),
        ("tag.added", {"tag": " "}, "data.tag"),
        ("tag.removed", {"tag": None}, "data.tag"),
        ("note.added", {}, "data.text"),
        ("call.logged", {"text": "x", "duration_seconds": -1}, "data.duration_seconds"),
        ("stage.set", {"stage": "lead", "record": "ann"}, "data.record"),
        ("note.added", {"text": "x", "by": "rule:welcome"}, "data.by"),
        ("task.done", {}, "data.task"),
        ("task.done", {"task": "my task"}, "data.task"),
        ("task.done", {"task": as_text(RECORD), "by": "rule:welcome"}, "data.by"),
        ("task.assigned", {"task": as_text(RECORD)}, "data.to"),
        ("task.postponed", {"task": as_text(RECORD), "due": "2026-02-30T08:15:30Z"}, "data.due"),
        ("task.created", {"task": as_text(RECORD), "title": "x", "kind": "task"}, "data.due"),
    ],
)
def test_a_letter_names_the_field(event_type: str, said: dict[str, Any], field: str) -> None:
    with pytest.raises(UnreadableEvent) as unread:
        read(event(event_type, {"by": "eve", "record": as_text(RECORD)} | said), {})
    assert unread.value.field == field


@pytest.mark.parametrize("event_type", sorted(SETTINGS | TASKS))
def test_nobody_but_the_hub_sets_anything(event_type: str) -> None:
    assert hub_only(event_type)
    said = {"by": "eve", "record": as_text(RECORD), "owner": ANN, "stage": "lead", "tag": "urgent"}
    ours = event(event_type, said)
    for theirs in (replace(ours, topic="inbound.tools"), event(event_type, said, ce_edge=b"crm")):
        with pytest.raises(UnreadableEvent):
            read(theirs, {})


def test_a_tool_s_note_is_about_its_contact_whatever_record_it_names() -> None:
    said = {"by": "eve", "record": as_text(RECORD), "text": "x", "contact": {"id": "7"}}
    theirs = read(event("note.added", said, ce_edge=b"crm"), {})
    assert theirs.remark is None
    assert theirs.record == record_id("crm", "account", "7")


def test_what_a_tool_said_under_the_hub_s_name_is_read_again_as_a_tool_s() -> None:
    direct = {"ce_id": b"1", "ce_specversion": b"1.0", "ce_source": b"hub", "ce_type": b"note.added"}
    said = event("note.added", {"contact": {"id": "7"}, "record": as_text(RECORD)})
    theirs = read(replace(said, topic="inbound.tools", headers=tuple(direct.items())), {})
    assert theirs.who
    written = Written(
        theirs.who.record, theirs.who.kind, theirs.who.key_namespace, theirs.who.key, theirs.event, theirs.type,
        theirs.source, theirs.at, theirs.received_at, theirs.trusted, theirs.payload,
    )  # fmt: skip
    assert reread(written, {}) == theirs


def test_a_rule_is_known_by_its_name_and_an_owner_by_the_address_in_small_letters() -> None:
    said = {"by": "rule:welcome", "rule": "welcome", "record": as_text(RECORD), "owner": "Ann@Firm.example"}
    assert read(event("owner.assigned", said), {}).remark == Remark(RECORD, OWNER, ANN, by_person=False)
    said = {"by": "eve", "rule": "welcome", "record": as_text(RECORD), "stage": "lead"}
    assert read(event("stage.set", said), {}).remark == Remark(RECORD, STAGE, "lead", by_person=False)
