"""The simulated company is a function of its seed and its first start."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from functools import cache
from itertools import groupby, islice

import orjson
import pytest

from hub.demo.company import LATE, Plan, Touch, run, touches
from hub.demo.people import FAMILY, FIRM, MOST, people
from hub.demo.posts import FORMS, INBOX, SOURCES, Post, posts
from hub.identity import normalise
from hub.identity.names import clearly_different

KNOWS_BOTH = {"meet", "ticket"}
BEGAN = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
PLAN = Plan(seed=7, people=120, events=480, rate=12.0, began=BEGAN)


@cache
def sent(plan: Plan, count: int = 480) -> list[Post]:
    return list(islice(posts(plan), count))


@cache
def touched(plan: Plan, count: int = 480) -> list[Touch]:
    return list(islice(touches(plan), count))


everybody = cache(people)


def identity(post: Post) -> str:
    """The natural id that a post carries."""
    for name in ("idempotency-key", "ce-id", "x-shopify-webhook-id", "x-zendesk-webhook-invocation-id"):
        if name in post.headers:
            return post.headers[name]
    if post.source == INBOX:
        return str(message_from_bytes(post.body)["Message-ID"])
    return str(orjson.loads(post.body)["id"])


def test_the_same_seed_sends_the_same_bytes() -> None:
    assert list(islice(posts(PLAN), 480)) == sent(PLAN)


def test_another_seed_is_another_company() -> None:
    other = sent(replace(PLAN, seed=8))
    assert not {post.body for post in other} & {post.body for post in sent(PLAN)}
    assert not {identity(post) for post in other} & {identity(post) for post in sent(PLAN)}


def test_a_longer_run_begins_as_a_shorter_one() -> None:
    assert sent(replace(PLAN, events=2000)) == sent(PLAN)


def test_at_another_rate_the_same_people_do_the_same_things() -> None:
    def what(plan: Plan) -> list[tuple[str, str, str]]:
        both = zip(touched(plan), sent(plan), strict=True)
        return [(touch.person.name(0), touch.kind, identity(post)) for touch, post in both]

    assert what(PLAN) == what(replace(PLAN, rate=200.0, events=100))


def test_event_times_hang_on_the_first_start_alone() -> None:
    later = touched(replace(PLAN, began=BEGAN + timedelta(days=3)))
    assert [touch.at for touch in later] == [touch.at + timedelta(days=3) for touch in touched(PLAN)]


def test_nothing_is_told_before_it_happened_and_some_of_it_late() -> None:
    ages = [(BEGAN + timedelta(seconds=touch.offset)) - touch.at for touch in touched(PLAN) if not touch.is_repeat]
    assert min(ages) >= timedelta(0)
    late = sum(age > timedelta(hours=1) for age in ages) / len(ages)
    assert LATE / 2 < late < LATE * 2
    assert max(ages) < timedelta(days=3)


def test_what_somebody_did_is_told_out_of_order_now_and_then() -> None:
    ordered = sorted(
        (touch for touch in touched(PLAN) if not touch.is_repeat), key=lambda one: (one.person.number, one.number)
    )
    by_person = [[one.at for one in group] for _, group in groupby(ordered, key=lambda one: one.person.number)]
    assert sum(times != sorted(times) for times in by_person) > 10


def test_a_repeat_is_the_same_request_to_the_letter() -> None:
    by_id: dict[str, Post] = {}
    repeats = 0
    for post in sent(PLAN):
        first = by_id.setdefault(identity(post), post)
        assert (first.path, first.headers, first.body) == (post.path, post.headers, post.body)
        assert post.is_repeat is (first is not post)
        repeats += post.is_repeat
    assert 10 < repeats < 50


def test_requests_are_sent_one_after_the_other_and_slowly_in_the_end() -> None:
    offsets = [post.offset for post in sent(PLAN, 600)]
    assert offsets == sorted(offsets)
    assert offsets[480] == pytest.approx(40.0)
    assert offsets[590] - offsets[580] == pytest.approx(5.0)


def test_every_source_and_every_way_of_writing_is_used() -> None:
    said = sent(PLAN)
    assert Counter(post.source for post in said).keys() == set(SOURCES)
    kinds = {post.headers["content-type"].partition(";")[0] for post in said if post.source != INBOX}
    assert kinds == {
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "application/json",
        "application/cloudevents+json",
    }
    assert all("idempotency-key" in post.headers for post in said if post.source in FORMS)


def test_somebody_writes_and_calls_before_anybody_knows_both_addresses() -> None:
    kinds: dict[int, list[str]] = {}
    for touch in touched(PLAN):
        kinds.setdefault(touch.person.number, []).append(touch.kind)
    before = [
        set(told[: next(place for place, kind in enumerate(told) if kind in KNOWS_BOTH)])
        for told in kinds.values()
        if KNOWS_BOTH & set(told)
    ]
    bridged = [done for done in before if {"ask", "call"} <= done or {"mail", "call"} <= done]
    assert len(bridged) > 5


def test_the_same_person_speaks_through_all_four_departments() -> None:
    kinds: dict[int, set[str]] = {}
    for touch in touched(PLAN):
        kinds.setdefault(touch.person.number, set()).add(touch.kind)
    assert sum({"mail", "ticket", "order"} <= done and bool({"ask", "offer"} & done) for done in kinds.values()) > 10


def test_every_ticket_is_solved_in_the_end_whenever_the_run_ends() -> None:
    for planned in (50, 200, 480):
        touches_ = list(run(PLAN, planned))
        opened = {touch.number for touch in touches_ if touch.kind == "ticket" and not touch.is_repeat}
        solved = [touch.about for touch in touches_ if touch.kind == "solve" and not touch.is_repeat]
        assert len(opened) > planned / 50
        assert sorted(solved) == sorted(opened)
        assert touches_[:planned] == touched(PLAN, planned)
        assert [touch.offset for touch in touches_] == sorted(touch.offset for touch in touches_)


def test_what_is_solved_is_the_ticket_that_was_opened() -> None:
    tickets = [orjson.loads(post.body) for post in sent(PLAN) if post.source == "desk" and not post.is_repeat]
    solved = {told["ticket"]["id"]: told["ticket"] for told in tickets if told["event"] == "ticket.solved"}
    opened = {told["ticket"]["id"]: told["ticket"] for told in tickets if told["event"] == "ticket.opened"}
    assert solved.keys() < opened.keys()
    for identity_, ticket in solved.items():
        assert ticket["requester"] == opened[identity_]["requester"]
        assert (ticket["status"], ticket["subject"]) == ("solved", opened[identity_]["subject"])
        assert ticket["updated_at"] > opened[identity_]["updated_at"]


def test_some_of_those_who_leave_a_cart_have_agreed_to_mails_and_some_have_not() -> None:
    left, agreed = (
        {touch.person.number for touch in touched(PLAN) if touch.kind == kind} for kind in ("cart", "agree")
    )
    assert left & agreed
    assert left - agreed


def test_all_spellings_of_an_address_are_one_address() -> None:
    ways = range(5)
    for person in everybody(7, MOST):
        assert len({normalise.name(name, "", "").family for name in {person.name(way) for way in ways}}) == 1
        for moved in (False, True):
            phones = {normalise.phone(phone, "DE") for phone in {person.phone(way, moved=moved) for way in ways}}
            emails = {normalise.email(email) for email in {person.email(way, moved=moved) for way in ways}}
            assert (len(phones), len(emails)) == (1, 1)
            assert None not in phones | emails


def test_more_people_keep_the_first_as_they_are() -> None:
    assert people(7, MOST)[:50] == people(7, 50)


@pytest.mark.parametrize("seed", range(5))
def test_two_of_a_family_share_a_mailbox_and_are_clearly_two(seed: int) -> None:
    found = everybody(seed, MOST)
    for one, other in zip(found[FAMILY::12], found[FAMILY + 1 :: 12], strict=True):
        assert (one.family, one.emails[0]) == (other.family, other.emails[0])
        assert clearly_different(normalise.fold(one.given), normalise.fold(other.given))


def test_somebody_writes_from_the_mailbox_of_a_firm() -> None:
    for person in everybody(7, MOST)[FIRM::12]:
        address = normalise.email(person.emails[0])
        assert address
        assert address.blocked


def test_nobody_shares_a_number() -> None:
    numbers = [number for person in everybody(7, MOST) for number in person.phones]
    assert len(set(numbers)) == len(numbers)
