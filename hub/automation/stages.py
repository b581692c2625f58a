"""Where somebody stood, from when until when: a function of what was said of their stage. Pure.

A person's word comes before a rule's, then the newest counts (`hub.identity.remarks`). So a rule's word changes nothing
once a person has said anything; the last stay is the stage that the profile tells.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple


class Said(NamedTuple):
    """A word about somebody's stage; `by` is a person, or `rule:<name>`."""

    at: datetime
    event: bytes
    stage: str
    by: str
    by_person: bool


class Stay(NamedTuple):
    """Somebody stood in a stage; they stand there now where `until` is None."""

    stage: str
    since: datetime
    until: datetime | None
    by: str
    event: bytes

    def seconds(self, now: datetime) -> float:
        """How long it lasted, or has lasted now."""
        return max(0.0, ((self.until or now) - self.since).total_seconds())


def history(said: Iterable[Said]) -> list[Stay]:
    """The stays in their order. The same stage again is the same stay; repeats of an event change nothing."""
    stays: list[Stay] = []
    person_spoke = False
    for one in sorted(said):
        if person_spoke and not one.by_person:
            continue
        person_spoke = person_spoke or one.by_person
        if stays and stays[-1].stage == one.stage:
            continue
        if stays:
            stays[-1] = stays[-1]._replace(until=one.at)
        stays.append(Stay(one.stage, one.at, None, one.by, one.event))
    return stays
