"""Waits end when they should: after a time, at a moment of the customer's day, never in the quiet hours."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.automation.decisions import Occasion
from hub.automation.waiting import Hours, due, is_met, moment, zone
from hub.tables import NEVER, Span
from schemas.rules import Wait

SINCE = datetime(2026, 11, 22, 14, 30, tzinfo=UTC)
BERLIN, NEW_YORK = ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York")
ZONES = (BERLIN, NEW_YORK, ZoneInfo("Asia/Kolkata"), ZoneInfo("Pacific/Apia"), ZoneInfo("UTC"))


def wait(**words: object) -> Wait:
    return Wait.model_validate(words)


def test_a_time_a_timeout_and_a_moment() -> None:
    hours = Hours(BERLIN)
    assert due(wait(**{"for": "2d"}), SINCE, hours) == SINCE + timedelta(days=2)
    assert due(wait(event="email.replied", timeout="4h"), SINCE, hours) == SINCE + timedelta(hours=4)
    assert due(wait(until="09:00"), SINCE, hours) == datetime(2026, 11, 23, 8, tzinfo=UTC)
    assert due(wait(until="17:00"), SINCE, hours) == datetime(2026, 11, 22, 16, tzinfo=UTC)


def test_where_days_are_seconds_a_moment_is_now() -> None:
    hours = Hours(BERLIN, scale=5 / 86_400)
    assert due(wait(**{"for": "2d"}), SINCE, hours) == SINCE + timedelta(seconds=10)
    assert due(wait(until="09:00"), SINCE, hours) == SINCE


@pytest.mark.parametrize(
    ("since", "wanted", "met"),
    [
        ("2026-03-28T23:00:00+00:00", "02:30", "2026-03-29T01:30:00+00:00"),  # there is no 02:30: it is 03:30
        ("2026-10-24T23:00:00+00:00", "02:30", "2026-10-25T00:30:00+00:00"),  # there are two: the first
    ],
)
def test_on_days_when_clocks_change_a_moment_comes_once(since: str, wanted: str, met: str) -> None:
    hours = Hours(BERLIN, NEVER)
    assert moment(time.fromisoformat(wanted), datetime.fromisoformat(since), hours) == datetime.fromisoformat(met)


def test_quiet_hours_may_go_over_midnight() -> None:
    assert [Hours().quiet.holds(time(hour)) for hour in (20, 21, 23, 0, 7, 8)] == [False, True, True, True, True, False]
    assert not NEVER.holds(time(3))
    assert due(wait(until="23:00"), SINCE, Hours(BERLIN)) == datetime(2026, 11, 23, 7, tzinfo=UTC), "at their end"


def test_a_zone_that_nobody_knows_is_the_company_s() -> None:
    assert zone("America/New_York") == NEW_YORK
    for written in (None, "", "Nowhere/At all", "../../etc/passwd", "x" * 300, "\x00"):
        assert zone(written, BERLIN) == BERLIN


def test_a_wait_is_met_by_the_events_it_names() -> None:
    asked = wait(event=["email.replied", "call.logged"], timeout="2d")
    assert is_met(asked, Occasion("call.logged", SINCE, SINCE))
    assert not is_met(asked, Occasion("order.placed", SINCE, SINCE))
    assert not is_met(wait(**{"for": "2d"}), Occasion("call.logged", SINCE, SINCE))


EARLY, LATE = datetime(2025, 1, 1), datetime(2028, 1, 1)  # noqa: DTZ001 - whoever draws from them adds the zone


@given(st.datetimes(EARLY, LATE), st.times(), st.sampled_from(ZONES), st.times(), st.times())
def test_a_moment_lies_ahead_within_two_days_and_never_in_the_quiet_hours(
    since: datetime, wanted: time, where: ZoneInfo, begins: time, ends: time
) -> None:
    hours = Hours(where, Span(begins, ends))
    found = moment(wanted.replace(tzinfo=None), since.replace(tzinfo=UTC), hours)
    assert timedelta(0) <= found - since.replace(tzinfo=UTC) < timedelta(days=2, hours=2)
    gap = found.astimezone(where).utcoffset() != (found - timedelta(hours=3)).astimezone(where).utcoffset()
    assert gap or begins == ends or not hours.quiet.holds(found.astimezone(where).time())
