"""The shape of the funnel."""

from __future__ import annotations

from pydantic import BaseModel, Field


class Times(BaseModel):
    """How long stays are, in seconds; null where there is none."""

    median: int | None
    longest: int | None


class StageFigures(BaseModel):
    """A stage: who stands there now, and what happened within the period."""

    stage: str
    now: int = Field(description="Who stands there now.")
    came: int = Field(description="How often somebody came into it.")
    went_on: int = Field(description="How often somebody left it for a later stage.")
    went_back: int = Field(description="For an earlier one, or back into the funnel.")
    went_out: int = Field(description="For a stage that leads out, or one that is not configured.")
    reached_later: int = Field(description="How many of those who came have reached a later stage since.")
    conversion: float | None = Field(description="Their share; null on the last stage, or where nobody came.")
    standing_seconds: Times = Field(description="Of those who stand there now: how long already.")
    stayed_seconds: Times = Field(description="Of those who left it: how long they had stayed.")


class FunnelReport(BaseModel):
    """Who stands where, who came and who went on within the period."""

    since: str
    until: str
    stages: list[StageFigures] = Field(description="Those of `[funnel]`, in their order.")
    others: list[StageFigures] = Field(description="Stages that are not configured.")
    without: int = Field(description="Profiles that have no stage.")
