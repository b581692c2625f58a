"""What people and rules set on a profile, what people write down, and what is to be done, on the topic `inbound.hub`.

The record is named by its id (a UUID).
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints

from schemas.identifiers import Shape, Text

Label = Annotated[str, StringConstraints(pattern=r"\S", max_length=100)]
Owner = Annotated[str, StringConstraints(pattern=r"^[^@\s]+@[^@\s]+$", max_length=320)]
LONGEST_NOTE = 16_384
A_TIME = r"^[12][0-9]{3}(-[0-9]{2}){2}T[0-9]{2}(:[0-9]{2}){2}(\.[0-9]{1,6})?(Z|[+-][0-9]{2}:[0-9]{2})$"
"""How RFC 3339 writes a time."""


def _on_the_calendar(written: str) -> str:
    datetime.fromisoformat(written)
    return written


Moment = Annotated[str, StringConstraints(pattern=A_TIME), AfterValidator(_on_the_calendar)]
Title = Annotated[str, StringConstraints(pattern=r"\S", max_length=300)]


class Said(Shape):
    """Who says it, and of which record: it goes where that record goes."""

    by: Text = Field(description="The person; what a rule set is by `rule:<name>`.")
    record: Text


class Set(Said):
    """What a person or a rule set."""

    rule: Text | None = Field(default=None, description="The name of the rule that did it; absent: a person.")
    hops: Annotated[int, Field(ge=0)] | None = Field(
        default=None, description="How many tools and rules led to it, one by the other."
    )


class OwnerAssigned(Set):
    """Somebody of ours looks after this customer from now on, or nobody does."""

    owner: Owner | None = Field(description="An address; null: the pool, everybody may take it.")


class StageSet(Set):
    """Where in the funnel this customer stands."""

    stage: Label


class TagChanged(Set):
    """A tag more, or one less."""

    tag: Label


class NoteWritten(Said):
    """`note.added`: somebody of ours wrote something down."""

    text: Annotated[str, Field(max_length=LONGEST_NOTE)]


class CallWritten(NoteWritten):
    """`call.logged`: somebody of ours spoke with the customer."""

    outcome: Text | None = Field(default=None, description="What came of it, in a word or two.")
    duration_seconds: Annotated[int, Field(ge=0)] | None = None


class TaskCreated(Set):
    """Something is to be done about this customer."""

    task: Text = Field(description="Its id, a UUID.")
    title: Title
    kind: Literal["task", "reminder"] = Field(description="reminder: whose it is gets a mail when it comes due.")
    to: Owner | None = Field(default=None, description="Whose it is; null: nobody's in particular.")
    team: Label | None = Field(default=None, description="The team whose it is.")
    due: Moment = Field(description="Until when, RFC 3339.")


class TaskMarked(Said):
    """`task.done`, `task.waiting` (for the customer), `task.reopened`, `task.dropped`: what became of a task."""

    task: Text


class TaskAssigned(TaskMarked):
    """A task is somebody's from now on, or nobody's in particular."""

    to: Owner | None


class TaskPostponed(TaskMarked):
    """A task has another time."""

    due: Moment
