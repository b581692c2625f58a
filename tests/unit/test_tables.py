"""What `[rules]` and `[teams]` of hub.toml may say, and which key is named where it is wrong."""

from __future__ import annotations

from typing import Any

import pytest

from hub.errors import Misconfigured
from hub.settings import check, overlay
from hub.tables import Budget


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


@pytest.mark.parametrize(
    ("said", "named"),
    [
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
