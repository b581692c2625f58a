"""What people and rules of the hub say of records: by hand, and at random among other events."""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import count as counter

import orjson
from hypothesis import strategies as st

from hub.components import Record
from hub.identity.decisions import SAME, Remark
from hub.identity.evidence import Fact
from hub.identity.ids import as_text, event_id
from hub.identity.remarks import ADDED, OWNER, REMOVED, STAGE, TAG
from hub.identity.tasks import STATUS, TaskWord
from schemas.envelope import (
    HUB,
    NOTE_ADDED,
    OWNER_ASSIGNED,
    STAGE_SET,
    TAG_ADDED,
    TAG_REMOVED,
    TASK_DONE,
    TASK_REOPENED,
)
from schemas.topics import HUB_TOPIC
from tests.support.histories import UNHEARD, chances, records_of, sets_with_decisions, sets_with_erasures
from tests.support.memory import day, decided

NOTE = ""
TASK = "task "
"""A field so called is a task, the open or done one of its letter."""
URGENT, VIP = f"{TAG}urgent", f"{TAG}vip"
ANN, BOB = "ann@firm.example", "bob@firm.example"
VALUES = {
    NOTE: ("called back",),
    OWNER: (ANN, BOB, ""),
    STAGE: ("lead", "customer"),
    URGENT: (ADDED, REMOVED),
    VIP: (ADDED, REMOVED),
    f"{TASK}a": ("done", "open"),
}
AUTHORS = ("eve", "joe", "rule:welcome", "rule:late")
"""Two persons, who alone write notes and do tasks, and two rules."""
_numbers = counter()


def said_of(
    record: bytes, field: str, value: str, at: str = day(1), *, by: str = "eve", natural_id: str = ""
) -> Fact:  # fmt: skip
    """What a person or a rule (`rule:name`) of the hub says of a record; `NOTE` is a field that sets nothing."""
    event = event_id("hub", natural_id or f"remark {next(_numbers)}")
    kind, data = _words(field, value)
    payload = orjson.dumps({"by": by, "record": as_text(record), **data})
    remark = Remark(record, field, value if field else "", by_person=not by.startswith("rule:"))
    if field.startswith(TASK):
        remark = Remark(record, task=TaskWord(_task(field), STATUS, (value,), by))
    blank = decided(SAME, (), at=at)
    return blank._replace(event=event, id=as_text(event), type=kind, payload=payload, decision=None, remark=remark)


def _task(field: str) -> bytes:
    return field.encode().rjust(16, b"-")


def authors(field: str) -> Sequence[str]:
    """Who may say so: rules write no notes and do no tasks."""
    return AUTHORS[:2] if field == NOTE or field.startswith(TASK) else AUTHORS


def _words(field: str, value: str) -> tuple[str, dict[str, str | None]]:
    """The type and the data of an event that says so."""
    if field == OWNER:
        return OWNER_ASSIGNED, {"owner": value or None}
    if field == STAGE:
        return STAGE_SET, {"stage": value}
    if field.startswith(TAG):
        return TAG_ADDED if value == ADDED else TAG_REMOVED, {"tag": field.removeprefix(TAG)}
    if field.startswith(TASK):
        return TASK_DONE if value == "done" else TASK_REOPENED, {"task": as_text(_task(field))}
    return NOTE_ADDED, {"text": value}


def by_rule(one: Fact) -> bool:
    """Whether a rule said it."""
    return one.remark is not None and not one.remark.by_person


@st.composite
def sets_with_remarks(draw: st.DrawFn, most: int = 6) -> list[Fact]:
    """Facts and decisions, and what people and rules say of their records, and of one that nobody hears of."""
    facts, chance = draw(sets_with_decisions(2)), draw(chances)
    return [*facts, *remarks_among([*records_of(facts), UNHEARD], chance, chance.randint(0, most))]


@st.composite
def erased_sets_with_remarks(draw: st.DrawFn, most: int = 6) -> list[Fact]:
    """The same where some of it is erased; some remarks are about whoever comes back."""
    facts, chance = draw(sets_with_erasures(2)), draw(chances)
    named = [record for one in facts if one.erasure for record in one.erasure.records]
    return [*facts, *remarks_among([*records_of(facts), *named, UNHEARD], chance, chance.randint(0, most))]


def remarks_among(known: Sequence[bytes], chance: random.Random, count: int) -> list[Fact]:
    """What people and rules say of these records."""
    return [_remark(chance, chance.choice(known), number) for number in range(count)]


def _remark(chance: random.Random, record: bytes, number: int) -> Fact:
    field = chance.choice((*VALUES, OWNER, STAGE))
    at = day(chance.choice((1, 2, 3, 40, 700)))
    value, by = chance.choice(VALUES[field]), chance.choice(authors(field))
    return said_of(record, field, value, at, by=by, natural_id=f"remark {number}")


def on_its_topic(one: Fact) -> Record:
    """The record on `inbound.hub` that says so."""
    headers = {
        "ce_specversion": b"1.0", "ce_id": one.id.encode(), "ce_source": b"hub", "ce_edge": HUB.encode(),
        "ce_type": one.type.encode(), "ce_time": one.at.encode(), "ce_receivedtime": one.received_at.encode(),
    }  # fmt: skip
    return Record(HUB_TOPIC, 0, 0, 1_795_305_600_000, None, one.payload, tuple(headers.items()))
