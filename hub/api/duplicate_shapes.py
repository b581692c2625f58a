"""The shapes of suspected duplicates."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

from hub.api.deciding_shapes import Asked, Decided, WhyDecision

Band = Literal["likely", "possible"]
State = Literal["open", "confirmed", "rejected", "superseded"]


class Verdict(Asked):
    """One person, or two."""

    verdict: Literal["same", "different"]


class End(BaseModel):
    """One of the two."""

    record: str = Field(description="The record that founded the profile when the two were suspected.")
    profile_id: str | None = Field(description="The profile that this record belongs to now.")
    name: str = Field(description="What people call them.")


class Sign(BaseModel):
    """A trait, how alike it is in words, and how much that says."""

    trait: str
    level: str
    sign: Literal["+++", "++", "+", "0", "−", "−−", "−−−", ""] = Field(
        description="Empty where one of the two says nothing."
    )


class LastDecision(BaseModel):
    """The last decision about the two; a pair that is open again still names it."""

    id: str
    by: str | None
    at: str | None


class Suspected(BaseModel):
    """Two profiles that may be one person."""

    id: str = Field(description="`{rec_a}~{rec_b}`")
    state: State = Field(description="superseded: they are one person by now, or no longer alike.")
    source: Literal["score", "refused"] = Field(description="refused: a rule found a reason and refused it.")
    band: Band | None = Field(description="How sure it is; null: a rule asks, likeness alone would not.")
    chance: str | None = Field(description="How sure it is in words: `98 in 100`.")
    one: End
    other: End
    reasons: list[Sign]
    why: str = Field(description="Why the hub did not decide itself.")
    since: str
    decision: LastDecision | None


class DuplicatePage(BaseModel):
    """Pairs, the surest first."""

    duplicates: list[Suspected]
    next: str | None = Field(description="Pass it as `before` for the page after this one; null on the last.")


class SideBySide(BaseModel):
    """A field of both."""

    field: str
    one: str
    other: str
    verdict: Literal["equal", "similar", "different", "only one"]


class Duplicate(Suspected):
    """A pair, side by side."""

    fields: list[SideBySide]
    before: list[WhyDecision] = Field(description="What was decided about the two before, newest first.")
    same: Decided | None = Field(description="What would become of whom, were they one; null where it is decided.")
