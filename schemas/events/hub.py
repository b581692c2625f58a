"""What people and rules set on a profile, and what people write down, on the topic `inbound.hub`.

The record is named by its id (a UUID).
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from schemas.identifiers import Shape, Text

Label = Annotated[str, StringConstraints(pattern=r"\S", max_length=100)]
Owner = Annotated[str, StringConstraints(pattern=r"^[^@\s]+@[^@\s]+$", max_length=320)]


LONGEST_NOTE = 16_384


class Said(Shape):
    """Who says it, and of which record: it goes where that record goes."""

    by: Text = Field(description="The person; what a rule set is by `rule:<name>`.")
    record: Text


class Set(Said):
    """What a person or a rule set."""

    rule: Text | None = Field(default=None, description="The name of the rule that did it; absent: a person.")
    hops: Annotated[int, Field(ge=0)] | None = Field(
        default=None, description="Of a rule that a segment set off: how many rules led to it, one by the other."
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
