"""What a verb of a rule plugs in: values and functions, no behaviour.

An **action** says what a verb of a rule comes to. It touches nothing: it is given a Scene and gives Effects, which are
written with the ledger's row in one transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel

from hub.clock import EPOCH
from hub.tables import Allowance, Colleague


@dataclass(frozen=True)
class Statement:
    """Something that a rule sets on a profile: an event of this type on `inbound.hub`, about the trigger's record."""

    type: str
    data: Mapping[str, Any]


@dataclass(frozen=True)
class MailOut:
    """A mail of the hub's own with further headers, ready to go out; `to_customer`: it counts for their budget."""

    recipient: str
    subject: str
    text: str
    to_customer: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Hold:
    """Nothing is done, for a good reason, which is written down."""

    reason: str


@dataclass(frozen=True)
class Tell:
    """A tool is told that this was done, whether it subscribes or not."""

    destination: str


Effect = Statement | MailOut | Hold | Tell
"""What an action comes to."""
Teams = Mapping[str, Sequence[str]]
"""The teams of hub.toml: the addresses of their members."""
Hearers = Mapping[str, Collection[str]]
"""The destinations of hub.toml: the verbs that may name each."""


@dataclass(frozen=True)
class House:
    """What of hub.toml rules may name."""

    teams: Teams = field(default_factory=dict)
    destinations: Hearers = field(default_factory=dict)


def no_such_team(team: str | None, teams: Teams) -> str | None:
    """Why nothing can be given to this team; None: it can."""
    return None if team is None or team in teams else f"hub.toml has no team {team}: [teams.{team}]"


def unheard(verb: str, name: str, destinations: Hearers) -> str | None:
    """Why a rule cannot tell this destination by that verb; None: it can."""
    if name not in destinations:
        return f"hub.toml has no destination {name}: [destinations.{name}]"
    heard = destinations[name]
    return None if verb in heard else f"{name} is of a kind that no {verb} may name; it hears {', '.join(heard)}"


@dataclass(frozen=True)
class Scene:
    """What an action sees: the teams, how often somebody of those in question was chosen before (`Action.among`), the
    profile's fields by name, its owner, tags and id, and the trigger's data; the time that the deed bears, an id of its
    own (a UUID, the same whenever it is tried), which part of its time every wait lasts, and the destinations.
    `allowance` is that of the action's channel; None: nobody counts. `crew` is the team that it chooses from, in the
    order of hub.toml; `unsubscribe` the link by which the customer takes the consent to marketing back ("": none).
    """

    teams: Teams
    turn: int = 0
    fields: Mapping[str, Any] = field(default_factory=dict)
    owner: str | None = None
    tags: Sequence[str] = ()
    event: Mapping[str, Any] = field(default_factory=dict)
    profile: str = ""
    at: datetime = EPOCH
    deed: str = ""
    scale: float = 1.0
    destinations: Hearers = field(default_factory=dict)
    allowance: Allowance | None = None
    crew: Sequence[Colleague] = ()
    unsubscribe: str = ""


def no_team(_settings: Any) -> str | None:
    """What most actions choose from."""
    return None


def everybody(_settings: Any, scene: Scene) -> Sequence[str]:
    """The whole team, at work or not."""
    return [one.address for one in scene.crew]


def no_weighing(_settings: Any) -> bool:
    """What most actions do."""
    return False


def nothing_wrong(_settings: Any, _house: House) -> str | None:
    """What most actions find."""
    return None


@dataclass(frozen=True)
class Action:
    """A verb of rules.

    `effects(settings, scene)` gives what it comes to, the same for the same scene; raises Reject where it cannot be
    done, which is then written down.
    `team(settings)` names the team of which somebody is chosen in turn; None: nobody is.
    `wrong(settings, house)` says why a rule with these settings cannot be taken over; None: it can.
    `among(settings, scene)` gives those of its team, `scene.crew`, of whom one is chosen in turn; never asks the turn.
    `weighs(settings)` says whether it matters how many customers each of them looks after.
    `channel` is that on which it writes to the customer; None: it writes to nobody, or to people of ours.
    """

    name: str
    description: str
    settings: type[BaseModel]
    effects: Callable[[Any, Scene], Sequence[Effect]]
    team: Callable[[Any], str | None] = no_team
    wrong: Callable[[Any, House], str | None] = nothing_wrong
    channel: Literal["email"] | None = None
    among: Callable[[Any, Scene], Sequence[str]] = everybody
    weighs: Callable[[Any], bool] = no_weighing
