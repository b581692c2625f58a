"""What `[rules]` and `[teams]` of hub.toml may say, and which key is named where it is wrong."""

from __future__ import annotations

from datetime import time
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from hub.errors import Misconfigured
from hub.settings import check, overlay
from hub.tables import Budget, Member, Span


@pytest.mark.parametrize(
    ("said", "means"),
    [
        ({}, Budget(4, "7d")),
        ({"budget": {}}, Budget(4, "7d")),
        ({"budget": {"email": "1 in 12h"}}, Budget(1, "12h")),
        ({"budget": {"email": "none"}}, None),
        ({"budget": "none"}, None),
    ],
)
def test_a_budget_is_so_many_within_a_time_or_none(said: dict[str, Any], means: Budget | None) -> None:
    assert check({"rules": said}).rules.budget.email == means


def test_a_budget_may_come_from_the_environment() -> None:
    for name, means in (("HUB_RULES__BUDGET__EMAIL", "2 in 1d"), ("HUB_RULES__BUDGET", "none")):
        found = check(overlay({}, {name: means})).rules.budget.email
        assert found == (None if means == "none" else Budget(2, "1d"))


def test_a_member_is_an_address_or_a_table_with_what_they_are_given() -> None:
    own = {"address": "bob@example.com", "territory": ["DE", "AT"], "capacity": 20,
           "hours": "09:00-17:00", "days": "mon-wed, sat", "zone": "Europe/Berlin"}  # fmt: skip
    team = check({"teams": {"sales": {"members": ["ann@example.com", own]}}}).teams["sales"]
    assert team.addresses == ("ann@example.com", "bob@example.com")
    ann, bob = team.members
    assert ann == Member(address="ann@example.com")
    assert (bob.territory, bob.capacity, bob.zone) == (("DE", "AT"), 20, ZoneInfo("Europe/Berlin"))
    assert (bob.hours, set(bob.days)) == (Span(time(9), time(17)), {0, 1, 2, 5})
    for alone in ("ann@example.com", {"address": "ann@example.com"}):
        assert check({"teams": {"sales": {"members": alone}}}).teams["sales"].addresses == ("ann@example.com",)


@pytest.mark.parametrize(
    ("days", "mean"),
    [("sat-mon", {5, 6, 0}), ("mon-sun", set(range(7))), ("fri", {4}), (["tue", "Thu-Fri"], {1, 3, 4})],
)
def test_days_are_named_alone_or_from_one_to_another(days: object, mean: set[int]) -> None:
    assert Member.model_validate({"address": "a@b.c", "days": days}).days == mean


def test_the_house_has_a_zone_and_quiet_hours() -> None:
    plain = check({}).rules
    assert (plain.zone.key, plain.quiet) == ("UTC", Span(time(21), time(8)))
    other = check({"rules": {"zone": "Europe/Berlin", "quiet": "22:30-07:00"}}).rules
    assert (other.zone.key, other.quiet) == ("Europe/Berlin", Span(time(22, 30), time(7)))
    assert not any(check({"rules": {"quiet": "none"}}).rules.quiet.holds(time(hour)) for hour in range(24))


@pytest.mark.parametrize(
    ("member", "named"),
    [
        ({"address": "bob"}, "address"),
        ({}, "address"),
        ({"capacity": 0}, "capacity"),
        ({"hours": "9-17"}, "hours"),
        ({"hours": "09:00-09:00"}, "hours"),
        ({"hours": "09:00-25:00"}, "hours"),
        ({"days": "mon-fry"}, "days"),
        ({"days": ""}, "days"),
        ({"days": 5}, "days"),
        ({"zone": "Europe/Berln"}, "zone"),
        ({"teritory": "DE"}, "teritory"),
    ],
)
def test_what_is_wrong_with_a_member_is_named(member: dict[str, Any], named: str) -> None:
    whole = {"address": "bob@example.com"} | member if member else {}
    with pytest.raises(Misconfigured) as wrong:
        check({"teams": {"sales": {"members": ["ann@example.com", whole]}}})
    assert str(wrong.value).startswith(f"teams.sales.members.1.{named}: ")


def test_a_zone_that_nobody_knows_is_told_with_the_nearest_one() -> None:
    for wrong in ("Europe/Berln", "../secrets", 7):
        with pytest.raises(Misconfigured, match=r"^rules\.zone: .*there is no zone") as told:
            check({"rules": {"zone": wrong}})
        assert ("did you mean 'Europe/Berlin'?" in str(told.value)) is (wrong == "Europe/Berln")


@pytest.mark.parametrize(
    ("said", "named"),
    [
        ({"quiet": "21-8"}, "rules.quiet"),
        ({"budget": {"email": "4 per week"}}, "rules.budget.email"),
        ({"budget": {"email": "0 in 7d"}}, "rules.budget.email"),
        ({"budget": {"email": 4}}, "rules.budget.email"),
        ({"budget": {"mail": "4 in 7d"}}, "rules.budget.mail"),
        ({"budget": "4 in 7d"}, "rules.budget"),
    ],
)
def test_what_is_wrong_is_named(said: dict[str, Any], named: str) -> None:
    with pytest.raises(Misconfigured) as wrong:
        check({"rules": said})
    assert str(wrong.value).startswith(f"{named}: ")
