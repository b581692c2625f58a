"""The shapes of decisions and of explanations."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

REASON = Field(default=None, max_length=4096, description="Why, for whoever asks later.")
DRY_RUN = Field(default=False, description="Show what would become of whom, and do nothing.")


class Asked(BaseModel):
    """What every decision may say."""

    model_config = ConfigDict(extra="forbid")
    reason: str | None = REASON
    dry_run: bool = DRY_RUN


class MergeRequest(Asked):
    """One person."""

    other: str = Field(alias="with", description="The other profile's id.")


class SplitRequest(Asked):
    """Two people: what an operation joined, or some records and the rest."""

    operation: int | None = Field(default=None, ge=1, lt=2**63, description="Its number, as `why` tells it.")
    records: list[str] = Field(default=[], description="Record ids, or `source:key`, that are somebody else's.")
    keeps: list[str] = Field(default=[], description="Identifiers that go with them: `email:ann@example.com`.")


class WithdrawRequest(Asked):
    """A decision was wrong."""


class Merge(BaseModel):
    """A profile takes others in."""

    profile_id: str
    absorbed: list[str]


class Split(BaseModel):
    """Others come out of a profile."""

    profile_id: str
    parts: list[str]


class Decided(BaseModel):
    """Decisions, and what becomes of whom by them as far as is known now."""

    decisions: list[dict[str, Any]] = Field(description="Each with its id, its type, its time and its data.")
    merges: list[Merge]
    splits: list[Split]
    state: Literal["dry run", "done", "on its way"]


class WhyRecord(BaseModel):
    """A record of the profile."""

    id: str
    source: str
    kind: str
    key: str
    names: list[str]
    first_at: str
    activities: int
    trusted: bool = Field(description="Whether anybody trusted speaks through it.")


class WhyEdge(BaseModel):
    """What joins two records, or points from one to the other in vain."""

    one: str
    other: str
    other_profile: str | None = Field(description="Where the record that is not of this profile is.")
    by: str = Field(description="The sort of identifier, or `decision`.")
    value: str
    refusal: str | None
    sentence: str


class WhyDecision(BaseModel):
    """What somebody decided about one of its records."""

    id: str
    type: str
    at: str
    by: str | None
    reason: str | None
    in_force: bool


class WhyMove(BaseModel):
    """A record that changed its profile."""

    model_config = ConfigDict(serialize_by_alias=True)
    record: str
    before: str | None = Field(alias="from")
    to: str


class WhyOperation(BaseModel):
    """What happened at once, and because of which event."""

    operation: int
    at: str
    rules: int
    cause: str | None
    cause_type: str | None
    moves: list[WhyMove]


class Why(BaseModel):
    """Why these records are one person."""

    profile_id: str
    rules: int = Field(description="The version of the rules.")
    records: list[WhyRecord] = Field(description="The founder first.")
    joined: list[WhyEdge]
    apart: list[WhyEdge]
    decisions: list[WhyDecision]
    operations: list[WhyOperation]
    redirects: list[str] = Field(description="Ids that lead here.")
