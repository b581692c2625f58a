"""An activity read once more says what its event said: for every sample of every source, for mails, and for forms."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from consumers.reading import read
from consumers.rereading import reread
from hub.components import Reading, Record
from hub.identity.evidence import Evidence, Fact, learn
from hub.storage.erasure import Written
from producers.gateway import records
from producers.gateway.records import Edge, Occasion
from tests.contract.test_sources import Sample, accepted, readings
from tests.support.mail_readings import read as read_mail
from tests.support.mails import TEMPLATES

ARRIVED = "2026-11-22T08:15:30.123Z"
REGIONS: dict[str, str | None] = {"": "DE"}


def facts(found: Iterable[Reading], *, public: bool) -> list[Fact]:
    """The events of these, as the room `profiles` reads them from their topic."""
    occasion = Occasion(Edge("shop-eu", public=public), "shop-eu", ARRIVED)
    said = []
    for one in found:
        message = records.record(occasion, one, records.raw(b"{}", "application/json", ""))[1]
        record = Record(message.topic, 0, 0, 1_795_305_600_000, message.key, message.value, tuple(message.headers))
        said.append(read(record, dict(REGIONS)))
    return [fact for fact in said if fact.who]


def again(fact: Fact) -> Fact:
    """The same from what its activity and its record keep."""
    who = fact.who
    assert who
    return reread(
        Written(
            who.record, who.kind, who.key_namespace, who.key, fact.event, fact.type, fact.source, fact.at,
            fact.received_at, fact.trusted, fact.payload,
        ),
        REGIONS,
    )  # fmt: skip


def evidence(fact: Fact) -> Evidence:
    folded = Evidence()
    assert fact.who
    learn(folded, fact, fact.who)
    return folded


@accepted()
@pytest.mark.parametrize("public", [False, True])
def test_what_a_source_sent_is_the_same_evidence_when_its_activity_is_read_again(sample: Sample, public: bool) -> None:
    for fact in facts(readings(sample), public=public):
        assert again(fact) == fact
        assert evidence(again(fact)) == evidence(fact)


@pytest.mark.parametrize("mail", TEMPLATES.values(), ids=TEMPLATES)
def test_a_mail_is_the_same_evidence_when_its_activity_is_read_again(mail: bytes) -> None:
    for fact in facts([read_mail(mail)], public=False):
        assert again(fact) == fact
