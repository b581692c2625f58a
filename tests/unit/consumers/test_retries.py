"""When to try again and when to give up."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from consumers.retries import HOUR, SCHEDULE, Heard, Trouble, judge
from hub.identity.ids import hash_id

NOW = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)
ID = hash_id("delivery", "one")


def some(step: int = 0, attempts: int = 0, failing: float = 0.0) -> Trouble:
    return Trouble(ID, attempts, step, failing)


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_every_2xx_is_delivered(status: int) -> None:
    assert judge(Heard(status), some(), (), NOW).state == "delivered"


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 410, 413, 422, 451])
def test_a_refusal_is_dead_at_once_and_says_why(status: int) -> None:
    verdict = judge(Heard(status), some(), (), NOW)
    assert verdict.state == "dead"
    assert f"HTTP {status}" in str(verdict.error)


def test_gone_says_that_the_address_is_gone() -> None:
    assert "gone for good" in str(judge(Heard(410), some(), (), NOW).error)


@pytest.mark.parametrize("status", [301, 302, 307, 308, 408, 409, 425, 429, 500, 502, 503, 504, None])
def test_what_may_pass_is_tried_again(status: int | None) -> None:
    verdict = judge(Heard(status, "ConnectError: refused" if status is None else None), some(), (), NOW)
    assert verdict.state == "retry"
    assert 0.8 * 5 <= verdict.delay <= 1.2 * 5


def test_a_redirect_names_what_to_do() -> None:
    assert "redirects are not followed" in str(judge(Heard(302), some(), (), NOW).error)


def test_the_waits_grow_to_a_day_and_then_it_is_over() -> None:
    for step, wait in enumerate(SCHEDULE):
        verdict = judge(Heard(500), some(step, step), (), NOW)
        assert (verdict.state, verdict.step) == ("retry", step + 1)
        assert 0.8 * wait <= verdict.delay <= 1.2 * wait
    verdict = judge(Heard(500), some(len(SCHEDULE), len(SCHEDULE)), (), NOW)
    assert verdict.state == "dead"
    assert verdict.error == "HTTP 500; given up after 12 tries"


def test_the_same_try_waits_the_same_time_and_others_are_spread() -> None:
    delays = {judge(Heard(500), Trouble(hash_id("delivery", str(n)), 0, 0, 0.0), (), NOW).delay for n in range(500)}
    assert len(delays) == 500
    assert min(delays) < 4.1
    assert max(delays) > 5.9
    assert judge(Heard(500), some(), (), NOW) == judge(Heard(500), some(), (), NOW)


@pytest.mark.parametrize(
    ("wish", "least", "most"),
    [
        ("120", 120, 120),
        (" 120 ", 120, 120),
        ("1", 4, 6),
        ("0", 4, 6),
        ("86400", HOUR, HOUR),
        ("999999999999999999999", HOUR, HOUR),
        ("Sun, 22 Nov 2026 12:02:00 GMT", 120, 120),
        ("Sun, 22 Nov 2026 11:00:00 GMT", 4, 6),
        ("Wed, 22 Nov 2028 12:00:00 GMT", HOUR, HOUR),
        ("-5", 4, 6),
        ("soon", 4, 6),
        ("٣", 4, 6),
        ("", 4, 6),
    ],
)
def test_retry_after_is_honoured_between_our_own_wait_and_an_hour(wish: str, least: float, most: float) -> None:
    assert least <= judge(Heard(503, None, wish), some(), (), NOW).delay <= most


def test_our_own_longer_wait_is_not_shortened_by_the_hour() -> None:
    assert judge(Heard(503, None, "60"), some(9), (), NOW).delay >= 0.8 * 24 * HOUR


def test_too_many_requests_keep_their_place_and_end_by_age() -> None:
    verdict = judge(Heard(429), some(3, 50, 1000.0), (), NOW)
    assert (verdict.state, verdict.step) == ("retry", 3)
    assert judge(Heard(429), some(3, 50, sum(SCHEDULE)), (), NOW).state == "dead"
    assert judge(Heard(429), some(len(SCHEDULE), 50, 1000.0), (), NOW).state == "retry"


def test_a_destination_may_bring_its_own_waits() -> None:
    assert judge(Heard(500), some(0), (0.5, 1.0), NOW).delay <= 0.6
    assert judge(Heard(500), some(2), (0.5, 1.0), NOW).state == "dead"
