"""The short ways to a profile's line come to what the strategies come to."""

from __future__ import annotations

from unittest import mock

from hypothesis import given

from hub.identity import survivorship
from hub.identity.evidence import Fact
from hub.identity.survivorship import line
from tests.support.histories import sets
from tests.support.memory import people


@given(sets)
def test_the_short_ways_say_what_every_strategy_would(facts: list[Fact]) -> None:
    persons = people(facts)
    short = [line(one, 1) for one in persons]
    with (
        mock.patch.object(survivorship, "_newest_wins", return_value=False),
        mock.patch.object(survivorship, "_is_plain", return_value=False),
    ):
        assert [line(one, 1) for one in persons] == short
