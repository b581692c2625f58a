"""The shapes of an erasure."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from hub.api.deciding_shapes import WhyRecord
from schemas.identifiers import Identifier

LONGEST_REQUEST = 256
"""Letters of a request's number."""


class EraseRequest(BaseModel):
    """Everything that this person said is to be forgotten. It cannot be undone."""

    model_config = ConfigDict(extra="forbid")
    records: list[str] | None = Field(
        default=None, min_length=1, description="Record ids, or `source:key`; without this all records."
    )
    request: str | None = Field(
        default=None,
        max_length=LONGEST_REQUEST,
        description="The number of the request. It is kept: name nobody in it.",
    )
    dry_run: bool = Field(default=False, description="Show what would be erased, and do nothing.")


class ErasedRecord(WhyRecord):
    """A record of the profile, and what ties it to the others."""

    sure: bool = Field(description="False: a phone or a device alone ties it to the others; it may be somebody else's.")
    because: list[str] = Field(description="What ties it to the others.")


class Erased(BaseModel):
    """What is erased, and what is not."""

    profile_id: str
    records: list[ErasedRecord]
    stay: list[ErasedRecord] = Field(description="The profile's other records: somebody else's from now on.")
    identifiers: list[Identifier] = Field(description="Nobody else's: events until now that arrive late are dropped.")
    state: Literal["dry run", "done", "on its way"]
