"""In which bucket a task lies: by its due time, the day of the house's zone, and what came in from the customer."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.automation.buckets import BUCKETS, Range, Standing, among, bucket, tomorrow

NOW = datetime(2026, 3, 28, 21, 30, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
ZONE, BERLIN, TOKYO = (ZoneInfo(name) for name in ("UTC", "Europe/Berlin", "Asia/Tokyo"))


def task(due: timedelta, status: str = "open", *, since: timedelta = -DAY, heard: timedelta | None = None) -> Standing:
    return Standing(status, NOW + due, NOW + since, None if heard is None else NOW + heard)


@pytest.mark.parametrize(
    ("one", "where"),
    [
        (task(-HOUR), "overdue"),
        (task(timedelta()), "today"),
        (task(2 * HOUR), "today"),
        (task(3 * HOUR), "later"),
        (task(-HOUR, "done"), "done"),
        (task(-HOUR, "dropped"), "done"),
        (task(-HOUR, "waiting"), "waiting"),
        (task(HOUR, "waiting", heard=-2 * DAY), "waiting"),
        (task(-HOUR, "waiting", heard=-HOUR), "today"),
        (task(9 * DAY, "waiting", heard=-HOUR), "today"),
        (task(9 * DAY, "open", heard=-HOUR), "later"),
    ],
)
def test_where_a_task_lies(one: Standing, where: str) -> None:
    assert bucket(one, NOW, ZONE) == where


def test_a_day_ends_where_the_house_is() -> None:
    due = task(4 * HOUR)  # half past one at night in UTC, half past two in Berlin, half past ten in Tokyo
    assert [bucket(due, NOW, zone) for zone in (ZONE, BERLIN, TOKYO)] == ["later", "later", "today"]


def test_a_night_in_which_the_clock_is_put_forward_ends_at_midnight() -> None:
    night = NOW + 2 * HOUR
    assert tomorrow(night, BERLIN).astimezone(UTC) == datetime(2026, 3, 29, 22, tzinfo=UTC)
    assert tomorrow(NOW, BERLIN).astimezone(UTC) == datetime(2026, 3, 28, 23, tzinfo=UTC)


hours = st.integers(-60, 60).map(lambda number: number * HOUR)
standings = st.builds(
    task, hours, st.sampled_from(["open", "waiting", "done", "dropped"]), since=hours, heard=st.none() | hours
)


def is_among(one: Standing, place: Range) -> bool:
    """What `hub.storage.todo` asks in SQL."""
    if one.status not in place.statuses:
        return False
    if one.status == "waiting":
        return place.is_answered in {None, one.is_answered}
    since, until = place.since or one.due, place.until or one.due + HOUR
    return one.status != "open" or since <= one.due < until


@given(standings, st.sampled_from([ZONE, BERLIN, TOKYO]))
def test_a_task_is_found_among_those_of_its_bucket_and_of_no_other(one: Standing, zone: ZoneInfo) -> None:
    own = bucket(one, NOW, zone)
    assert [name for name in BUCKETS if is_among(one, among(name, NOW, zone))] == [own]
    assert is_among(one, among(None, NOW, zone)) is (own != "done")
