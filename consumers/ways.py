"""Where a journey rests, and until when: what follows from its trigger, its rule and the settings alone. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from consumers.book import Kept
from consumers.instances import instances
from consumers.tools import Tool
from hub.automation.program import Pause, Ran
from hub.automation.view import Person
from hub.automation.waiting import Hours, due, zone
from hub.components import Teams
from hub.settings import Settings
from hub.storage.journeys import Rest

ZONE = "timezone"
"""The field of a profile that names the customer's zone."""
DONE = "done"


@dataclass(frozen=True, slots=True)
class Manner:
    """What of hub.toml matters to journeys: the teams, how long a day lasts, and the tools that are told."""

    teams: Teams = field(default_factory=dict)
    scale: float = 1.0
    tools: Mapping[str, Tool] = field(default_factory=dict)

    def hours(self, person: Person) -> Hours:
        """The customer's day."""
        return Hours(zone(person.fields.get(ZONE)), scale=self.scale)


def manner(settings: Settings) -> Manner:
    """As hub.toml says. Raises Misconfigured where a destination is wrong."""
    teams = {name: team.members for name, team in settings.teams.items()}
    return Manner(teams, settings.rules.time_scale, instances(settings))


def rest(kept: Kept, ran: Ran, since: datetime, hours: Hours) -> Rest | None:
    """Where the journey waits now; None: it has ended."""
    if ran.waits_at is None:
        return None
    instruction = kept.program[ran.waits_at]
    if not isinstance(instruction, Pause):
        raise TypeError(f"instruction {ran.waits_at} of {kept.rule.name} is no wait")
    return Rest(ran.waits_at, since, due(instruction.wait, since, hours), kept.heeds(ran.waits_at))


def outcome(ran: Ran) -> str:
    """How a journey ended that ran to its end."""
    return DONE if ran.error is None else f"step {ran.error} could not be decided"
