"""The shapes of what is told of segments."""

from __future__ import annotations

from pydantic import BaseModel, Field


class SegmentRow(BaseModel):
    """A segment that counts."""

    name: str
    version: int
    sentence: str = Field(description="Who is in it, for people.")
    members: int
    waiting: int = Field(description="Profiles that are still to be looked at since it was taken over or changed.")


class SegmentList(BaseModel):
    """Every segment that counts, by name."""

    segments: list[SegmentRow]


class MemberRow(BaseModel):
    """Somebody in a segment."""

    profile_id: str
    name: str = Field(description="What people call them.")
    email: str | None
    since: str


class MemberPage(BaseModel):
    """Members, those who came in last first."""

    members: list[MemberRow]
    next: str | None = Field(description="Pass it as `before` for the page after this one; null on the last.")
