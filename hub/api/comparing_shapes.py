"""The shape of a version on trial beside the live one."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, Field


class Treated(BaseModel):
    """Events that both versions decided about."""

    both: int = Field(description="Both treat them.")
    neither: int
    only_live: int
    only_trial: int


class Alone(BaseModel):
    """Events that one of the two alone looked at, as they are set off by other events."""

    live: int
    trial: int


class VersionDecided(BaseModel):
    """What a version decided about an event."""

    version: int
    verdict: str
    reason: str


class ValueSeen(BaseModel):
    """A value that a question found, and what came out."""

    value: Any
    truth: Literal["true", "false", "error", "unknown"]


class ValuesSeen(BaseModel):
    """A question, answered by both versions; null where one did not ask it."""

    asked: str
    live: ValueSeen | None
    trial: ValueSeen | None


class Difference(BaseModel):
    """Somebody who would have been treated differently. No profile: nobody's any more, or erased."""

    profile_id: str | None
    name: str | None
    email: str | None
    event_id: str
    type: str
    source: str
    at: str
    treated: Literal["only_live", "only_trial"]
    live: VersionDecided | None = Field(description="Null: it does not look at such events.")
    trial: VersionDecided | None = Field(description="Null: it does not look at such events.")
    values: list[ValuesSeen] = Field(description="Those that differ.")


class Comparison(BaseModel):
    """A version on trial beside the live one, over what was decided since a time."""

    name: str
    live: int | None = Field(description="The live version; null: it is compared with nothing.")
    trial: int
    trial_since: str = Field(description="It looks at what arrived after this.")
    paused: bool
    since: str
    sentence: str
    asked: int = Field(description="Events that both decided about.")
    treated: Treated
    asked_alone: Alone
    treated_alone: Alone = Field(description="How many of these are treated.")
    same_steps: bool | None = Field(description="Whether both do the same; null without a live version.")
    different: list[Difference] = Field(description="The one decided last first.")
    more: int = Field(description="How many others there are.")
