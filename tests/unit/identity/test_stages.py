"""The stays of a person end at the stage that the profile tells, whatever was said and in whichever order."""

from __future__ import annotations

import random

import orjson
import pytest
from hypothesis import given, settings

from hub.automation.stages import Said, history
from hub.clock import parse
from hub.identity.evidence import Fact
from hub.identity.remarks import STAGE
from tests.support.histories import chances
from tests.support.memory import people, whole
from tests.support.remarks import sets_with_remarks

many = settings.get_profile("many")


def words_about(facts: list[Fact], records: set[bytes]) -> list[Said]:
    found = []
    for one in facts:
        if one.remark and one.remark.record in records and one.remark.field == STAGE:
            at, said = parse(one.at), orjson.loads(one.payload)
            assert at is not None
            found.append(Said(at, one.event, one.remark.value, said["by"], one.remark.by_person))
    return found


@pytest.mark.usefixtures("small_caps")
@many
@given(sets_with_remarks(12), chances)
def test_the_last_stay_is_the_stage_of_the_profile_whatever_the_order(facts: list[Fact], chance: random.Random) -> None:
    for person, line in zip(people(facts), map(orjson.loads, whole(facts).lines), strict=True):
        said = words_about(facts, {known.record for known in person.records})
        found = history(said)
        assert (found[-1].stage if found else None) == line["stage"]
        assert history(chance.choices(said, k=len(said)) + said if said else []) == found
