"""Where a journey rests, and until when: what follows from its trigger, its rule and the settings alone. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from consumers.book import Kept
from consumers.instances import instances
from consumers.tools import Tool
from hub.automation.choosing import is_on_duty
from hub.automation.program import Pause, Ran
from hub.automation.view import Person
from hub.automation.waiting import UTC, Hours, due, zone
from hub.leaving import Leave, Links, links
from hub.settings import Settings
from hub.storage.journeys import Rest
from hub.tables import NIGHT, Budget, Colleague, Member, Span
from hub.verbs import Teams

ZONE = "timezone"
"""The field of a profile that names the customer's zone."""
DONE = "done"


@dataclass(frozen=True, slots=True)
class Manner:
    """What of hub.toml matters to journeys: the teams (`members`: what is known of each, where it is more than an
    address), how long a day lasts, the tools that are told, the budget for mails (None: none), the house's zone, the
    quiet hours, and the links out of offers.
    """

    teams: Teams = field(default_factory=dict)
    scale: float = 1.0
    mails: Budget | None = None
    members: Mapping[str, Sequence[Member]] = field(default_factory=dict)
    zone: ZoneInfo = UTC
    quiet: Span = NIGHT
    links: Links | None = None
    tools: Mapping[str, Tool] = field(default_factory=dict)

    def hours(self, person: Person) -> Hours:
        """The customer's day."""
        return Hours(zone(person.fields.get(ZONE), self.zone), self.quiet, self.scale)

    def unsubscribe(self, person: Person) -> str:
        """The link of their address, out of marketing; "" where there is none."""
        address = person.fields.get("email")
        return self.links.url(Leave(address, "marketing")) if self.links and address else ""

    def crew(self, team: str, at: datetime) -> list[Colleague]:
        """The people of a team at a time; nobody where there is no such team."""
        members = self.members.get(team) or [Member(address=one) for one in self.teams.get(team, ())]
        return [
            Colleague(one.address, one.territory, one.capacity, on_duty=is_on_duty(one, at, self.zone))
            for one in members
        ]


def manner(settings: Settings) -> Manner:
    """As hub.toml says. Raises Misconfigured where a destination is wrong, or the secret of the links is not there."""
    rules, tools = settings.rules, instances(settings)
    teams = {name: team.addresses for name, team in settings.teams.items()}
    members = {name: team.members for name, team in settings.teams.items()}
    return Manner(teams, rules.time_scale, rules.budget.email, members, rules.zone, rules.quiet, links(settings), tools)


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
