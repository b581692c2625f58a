"""The shapes of what people say of a profile."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from schemas.events.hub import LONGEST_NOTE, Label, Owner
from schemas.identifiers import Text

NoteText = Annotated[str, StringConstraints(pattern=r"\S", max_length=LONGEST_NOTE)]


class Asked(BaseModel):
    """Nothing but what is asked for."""

    model_config = ConfigDict(extra="forbid", strict=True)


class OwnerRequest(Asked):
    """Who looks after this customer."""

    owner: Owner | None = Field(description="An address; null: the pool, everybody may take it.")


class StageRequest(Asked):
    """Where in the funnel this customer stands."""

    stage: Label


class TagRequest(Asked):
    """A tag more, or one less."""

    tag: Label
    remove: bool = False


class NoteRequest(Asked):
    """Something to remember."""

    text: NoteText


class CallRequest(NoteRequest):
    """Somebody spoke with the customer."""

    outcome: Text | None = Field(default=None, description="What came of it, in a word or two.")
    duration_seconds: Annotated[int, Field(ge=0)] | None = None


class Remarked(BaseModel):
    """What was said, as its event."""

    id: str = Field(description="The event's id.")
    profile_id: str
    type: str
    at: str
    data: dict[str, Any]
    state: Literal["done", "on its way"]
