"""Consent per contact point and purpose: a function of what was said, and no merge ever widens it."""

from __future__ import annotations

import random
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.reading import UnreadableEvent, read
from hub.components import Record
from hub.identity.consent import GIVEN, WITHDRAWN, Consent, current, newest, strictest
from hub.identity.evidence import Fact, Statement, Words
from hub.identity.resolve import Person, person
from hub.identity.survivorship import line
from schemas.events import shape_of
from tests.support.memory import Memory, day, fact, learned, whole

X = "x@firm.org"
ABOUT = f"marketing.{X}"
words = st.lists(
    st.builds(
        Statement,
        st.sampled_from((GIVEN, WITHDRAWN)),
        st.sampled_from((day(1), day(2), day(3))),
        st.sampled_from("abcdef"),
        st.booleans(),
    ),
    min_size=1,
    max_size=8,
    unique_by=lambda one: one.event,  # an event says one thing
)


@given(words, st.data())
def test_neither_order_nor_repetition_of_a_records_words_matters(said: list[Statement], data: st.DataObject) -> None:
    assert newest(data.draw(st.permutations(said + said[:2]))) == newest(said)
    assert strictest(data.draw(st.permutations(said + said[:2]))) == strictest(said)


@given(words, words)
def test_what_is_kept_of_a_records_words_is_all_that_later_words_need(
    said: list[Statement], more: list[Statement]
) -> None:
    assert newest([*newest(said), *newest(more)]) == newest([*said, *more])
    assert strictest([strictest(said), strictest(more)]) == strictest([*said, *more])


@given(words)
def test_a_withdrawal_that_nobody_spoke_after_holds_whoever_said_it(said: list[Statement]) -> None:
    last = max(one.at for one in said)
    assert current(said) in said
    if any(one.value == WITHDRAWN for one in said if one.at == last):
        assert current(said).value == WITHDRAWN


@pytest.mark.parametrize(
    ("said", "now"),
    [
        ([(GIVEN, 1, True), (WITHDRAWN, 2, True)], WITHDRAWN),
        ([(WITHDRAWN, 1, True), (GIVEN, 2, True)], GIVEN),
        ([(GIVEN, 1, True), (WITHDRAWN, 1, True)], WITHDRAWN),
        ([(GIVEN, 1, True), (WITHDRAWN, 2, False)], WITHDRAWN),
        ([(WITHDRAWN, 1, True), (GIVEN, 2, False)], WITHDRAWN),
        ([(WITHDRAWN, 1, False), (GIVEN, 2, False)], GIVEN),
        ([(WITHDRAWN, 1, False), (GIVEN, 2, True)], GIVEN),
        ([(GIVEN, 1, True), (WITHDRAWN, 2, False), (GIVEN, 3, True)], GIVEN),
        ([(GIVEN, 1, True), (WITHDRAWN, 2, False), (GIVEN, 3, False)], GIVEN),
    ],
)
def test_what_a_record_says_now(said: list[tuple[str, int, bool]], now: str) -> None:
    facts = [told("shop", state, at, trusted=trusted) for state, at, trusted in said]
    assert states(facts) == states(facts[::-1]) == {ABOUT: now}


def told(
    source: str, state: str, at: int, *, about: str = ABOUT, trusted: bool | None = None, number: str = ""
) -> Fact:
    one = fact(source, Words("1", X), day(at), trusted=trusted, natural_id=number)
    return one._replace(consents=(Consent(about, state),))


def states(facts: list[Fact]) -> dict[str, str]:
    """`<purpose>.<contact point>` → state, in the one profile of these facts."""
    (one,) = whole(facts).lines
    return consents(one)


def consents(told_line: bytes) -> dict[str, str]:
    found = orjson.loads(told_line)["fields"].items()
    return {name.removeprefix("consent."): field["value"] for name, field in found if name.startswith("consent.")}


def test_another_source_never_lifts_a_withdrawal_and_the_same_one_does() -> None:
    off = [told("shop", GIVEN, 1), told("shop", WITHDRAWN, 2), told("crm", GIVEN, 9)]
    assert states(off) == {ABOUT: WITHDRAWN}
    assert states([*off, told("shop", GIVEN, 3)]) == {ABOUT: GIVEN}


def test_purposes_and_contact_points_are_apart() -> None:
    facts = [told("shop", GIVEN, 1), told("shop", WITHDRAWN, 2, about=f"surveys.{X}"),
             told("shop", WITHDRAWN, 3, about="marketing.+4930901820")]  # fmt: skip
    assert states(facts) == {
        ABOUT: GIVEN, f"surveys.{X}": WITHDRAWN, "marketing.+4930901820": WITHDRAWN,
    }  # fmt: skip


def test_the_line_says_who_said_it_and_when() -> None:
    (one,) = whole([told("shop", GIVEN, 1), told("crm", WITHDRAWN, 2)]).lines
    assert orjson.loads(one)["fields"][f"consent.{ABOUT}"] == {
        "value": WITHDRAWN, "source": "crm", "key": "1", "at": day(2),
    }  # fmt: skip


facts_of = st.lists(
    st.tuples(
        st.sampled_from(("shop", "crm", "desk")),
        st.sampled_from((GIVEN, WITHDRAWN)),
        st.integers(1, 4),
        st.sampled_from((ABOUT, "surveys.x")),
        st.booleans(),
    ),
    min_size=1,
    max_size=8,
).map(
    lambda said: [
        told(source, state, at, about=about, trusted=trusted, number=str(number))
        for number, (source, state, at, about, trusted) in enumerate(said)
    ]
)


@given(facts_of, st.integers(0, 3))
def test_a_merge_never_widens_a_consent(facts: list[Fact], where: int) -> None:
    """Whatever two profiles say apart, together they say no more than each of them."""
    records, _ = learned(facts)
    one, other = person_of(records[:where]), person_of(records[where:])
    merged = consents(line(person(records), 0))
    for apart in (consents(line(part, 0)) for part in (one, other) if part):
        assert apart.keys() <= merged.keys()
        assert all(merged[about] == WITHDRAWN for about, state in apart.items() if state == WITHDRAWN)


def person_of(records: list[Any]) -> Person | None:
    return person(records) if records else None


@given(facts_of, st.randoms(use_true_random=False))
def test_any_order_and_any_batches_come_to_the_same_consents(facts: list[Fact], chance: random.Random) -> None:
    memory, mixed = Memory(), [*facts, *facts[:2]]
    chance.shuffle(mixed)
    while mixed:
        size = chance.choice((1, 2, 5))
        memory.batch(mixed[:size])
        mixed = mixed[size:]
    assert memory.shown() == whole(facts)


# From the event to the words of the profile.

ANN = {"id": "1", "email": "Ann@Firm.org", "phone": "+49 30 901820"}


def read_of(event_type: str, data: Any) -> Fact:
    headers = [("ce_specversion", b"1.0"), ("ce_id", b"7"), ("ce_source", b"crm"), ("ce_type", event_type.encode())]
    return read(Record("inbound.tools", 0, 0, 1_795_305_600_000, None, orjson.dumps(data), headers), {})


@pytest.mark.parametrize(
    ("data", "about"),
    [
        ({"contact": ANN}, ["marketing.ann@firm.org", "marketing.+4930901820"]),
        ({"contact": ANN, "channel": "phone", "purpose": "surveys"}, ["surveys.+4930901820"]),
        ({"contact": {"email": "ann@firm.org"}, "text": "by word of mouth"}, ["marketing.ann@firm.org"]),
        ({"contact": {"id": "1", "phone": "030 901820"}}, ["marketing.030 901820"]),
    ],
)
@pytest.mark.parametrize(("event_type", "state"), [("consent.given", GIVEN), ("consent.withdrawn", WITHDRAWN)])
def test_a_consent_is_about_the_addresses_of_its_contact(
    event_type: str, state: str, data: dict[str, Any], about: list[str]
) -> None:
    shape_of(event_type).model_validate(data)
    assert read_of(event_type, data).consents == tuple(Consent(one, state) for one in about)


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"contact": {"id": "1"}}, "data.contact"),
        ({}, "data.contact"),
        ({"contact": {"email": "ann@firm.org"}, "channel": "phone"}, "data.contact"),
        ({"contact": ANN, "purpose": "All Mail"}, "data.purpose"),
        ({"contact": ANN, "purpose": 7}, "data.purpose"),
        ({"contact": ANN, "channel": "pigeon"}, "data.channel"),
    ],
)
def test_a_consent_that_cannot_be_kept_is_never_passed_over(data: dict[str, Any], field: str) -> None:
    with pytest.raises(UnreadableEvent) as unread:
        read_of("consent.withdrawn", data)
    assert unread.value.field == field
    with pytest.raises(ValueError, match=r"contact|purpose|channel"):
        shape_of("consent.withdrawn").model_validate(data)
