"""What people decide about who is who, on the topic `inbound.hub`. Records are named by their ids (UUIDs)."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from schemas.identifiers import Shape, Text

Records = Annotated[list[Text], Field(min_length=1, max_length=10_000)]


class Decided(Shape):
    """Who decided, and why."""

    by: Text = Field(description="The person who decided.")
    reason: Text | None = None
    withdraws: list[Text] | None = Field(default=None, description="Decisions that this one takes back.")


class RecordsMerged(Decided):
    """These records are one person."""

    records: Annotated[list[Text], Field(min_length=2, max_length=10_000)]


class RecordsParted(Decided):
    """These records are two people: no profile holds records of both sides."""

    sides: Annotated[list[Records], Field(min_length=2, max_length=2)]
    keeps: Annotated[list[list[Text]], Field(min_length=2, max_length=2)] | None = Field(
        default=None, description="Identifiers, as `email:ann@example.com`, that belong to each side."
    )


class DecisionWithdrawn(Decided):
    """Decisions are taken back, as if they had never been made. `records` are those that they name."""

    records: Records


class RecordsErased(Shape):
    """Everything that these records said until now is to be forgotten; ids are hashes, so nothing is named here."""

    by: Text = Field(description="The person who did it.")
    request: Text | None = Field(default=None, description="The number of the request, not the name of the person.")
    records: Records
    identifiers: Annotated[list[Text], Field(max_length=100_000)] | None = Field(
        default=None, description="Ids of identifiers that are nobody else's: late events that state one are dropped."
    )
