"""The events of the bench: the same for the same seed, and the truth about them is right."""

from __future__ import annotations

import orjson
import pytest

from bench.events import NEW_SHARE, REPEAT_SHARE, Stock, make_events, make_known
from hub.identity import normalise
from hub.streams.publish import Message

COUNT = 4000


@pytest.fixture(scope="module")
def stock() -> Stock:
    return make_events(COUNT, seed=7)


def header(message: Message, name: str) -> str:
    return dict(message.headers)[name].decode()


def test_the_same_seed_makes_the_same_events(stock: Stock) -> None:
    assert make_events(COUNT // 4, seed=7).messages == stock.messages[: COUNT // 4]
    assert make_events(COUNT // 4, seed=8).messages != stock.messages[: COUNT // 4]


def test_the_truth_is_what_the_messages_say(stock: Stock) -> None:
    said = [normalise.email(orjson.loads(message.value or b"")["email"]) for message in stock.messages]
    assert {header(message, "ce_id") for message in stock.messages} == stock.event_ids
    assert {address.value for address in said if address and not address.blocked} == stock.emails


def test_new_people_and_repeats_have_their_share(stock: Stock) -> None:
    assert len(stock.messages) == COUNT
    assert 1 - len(stock.event_ids) / COUNT == pytest.approx(REPEAT_SHARE, abs=0.015)
    assert len(stock.emails) / COUNT == pytest.approx(NEW_SHARE, abs=0.02)


def test_a_repeat_differs_in_its_arrival_alone(stock: Stock) -> None:
    first: dict[str, Message] = {}
    repeats = 0
    for message in stock.messages:
        known = first.setdefault(header(message, "ce_id"), message)
        repeats += known is not message
        assert (known.key, known.value) == (message.key, message.value)
        assert known is message or header(known, "ce_receivedtime") < header(message, "ce_receivedtime")
    assert repeats == COUNT - len(first)


def test_known_people_say_one_thing_first_and_nobody_new_comes_after() -> None:
    first, then = make_known(300, COUNT, seed=7)
    assert (len(first.messages), len(first.emails), len(then.messages)) == (300, 300, COUNT)
    assert then.emails <= first.emails
    assert not first.event_ids & then.event_ids
    assert 1 - len(then.event_ids) / COUNT == pytest.approx(REPEAT_SHARE, abs=0.015)
    assert max(header(one, "ce_receivedtime") for one in first.messages) < header(then.messages[0], "ce_receivedtime")


def test_a_few_of_many_known_people_write_again() -> None:
    first, then = make_known(2000, COUNT, seed=7, writers=100)
    assert (len(first.emails), len(then.emails)) == (2000, 100)
    assert then.emails <= first.emails


def test_an_event_has_the_size_that_was_promised(stock: Stock) -> None:
    assert stock.bytes_each == pytest.approx(530, rel=0.03)
