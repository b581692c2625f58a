"""Whose day it is: the customer's zone, else the house's; and the hours that hub.toml calls quiet."""

from __future__ import annotations

from datetime import UTC, datetime

from consumers.ways import manner
from hub.automation.view import Person
from hub.automation.waiting import due
from hub.settings import check
from schemas.rules import Wait

SINCE = datetime(2026, 11, 23, 5, tzinfo=UTC)
EARLY = Wait.model_validate({"until": "07:30"})


def test_a_moment_of_the_day_is_that_of_the_customer_and_else_that_of_the_house() -> None:
    house = manner(check({"rules": {"zone": "Europe/Berlin", "quiet": "22:00-07:00"}}))
    assert due(EARLY, SINCE, house.hours(Person())) == datetime(2026, 11, 23, 6, 30, tzinfo=UTC)
    lisbon = Person({"timezone": "Europe/Lisbon"})
    assert due(EARLY, SINCE, house.hours(lisbon)) == datetime(2026, 11, 23, 7, 30, tzinfo=UTC)
    assert house.hours(Person({"timezone": "Nowhere"})).zone.key == "Europe/Berlin"


def test_quiet_hours_are_until_eight_in_utc_where_nobody_says_otherwise() -> None:
    assert due(EARLY, SINCE, manner(check({})).hours(Person())) == datetime(2026, 11, 23, 8, tzinfo=UTC)
    never = manner(check({"rules": {"quiet": "none"}}))
    assert due(EARLY, SINCE, never.hours(Person())) == datetime(2026, 11, 23, 7, 30, tzinfo=UTC)


def test_whoever_says_no_zone_works_in_that_of_the_house() -> None:
    members = [{"address": f"{name}@example.com", "hours": "09:00-17:00"} for name in ("ann", "bob")]
    members[1]["zone"] = "America/New_York"
    house = manner(check({"teams": {"sales": {"members": members}}, "rules": {"zone": "Europe/Berlin"}}))
    at = datetime(2026, 11, 23, 8, 30, tzinfo=UTC)
    assert [one.on_duty for one in house.crew("sales", at)] == [True, False]
    assert house.crew("service", at) == []
