"""The shapes of answers that are not told to tools; profiles and timeline entries have theirs in `schemas`."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

from hub.telemetry.lagstate import State
from schemas.profile import TimelineEntry


class TimelinePage(BaseModel):
    """Entries, newest first."""

    entries: list[TimelineEntry]
    next: str | None = Field(description="Pass it as `before` for the page after this one; null on the last.")


class LagRow(BaseModel):
    """One group on one partition."""

    group: str
    topic: str
    partition: int
    messages: int = Field(description="Records not read yet: Kafka's lag.")
    seconds: float | None = Field(description="Age of the first of them; 0 without one, null where it is not known.")
    state: State
    seconds_to_loss: float | None = Field(
        description="Until that record may be deleted; 0: records were deleted unread; null: nothing can be lost."
    )


class Queue(BaseModel):
    """Something that waits."""

    pending: int
    oldest_seconds: float | None


class ToolQueue(BaseModel):
    """Deliveries that are not at their end, and those that were given up on."""

    pending: int
    sending: int
    retry: int
    dead: int
    oldest_seconds: float | None = Field(description="How long the longest due has been due.")


class Deliveries(ToolQueue):
    """All tools together, and each by its name."""

    destinations: dict[str, ToolQueue]


class LagReport(BaseModel):
    """Everything that waits anywhere."""

    groups: list[LagRow]
    outbox: Queue
    deliveries: Deliveries
    timers: Queue
    dead_letters: int = Field(description="Letters that are not resolved.")


class DeadLetter(BaseModel):
    """A record that was given up on."""

    id: int
    state: Literal["open", "replaying", "resolved"]
    reason: str
    error: str
    field: str | None
    stage: str
    source: str | None
    group: str
    topic: str
    partition: int
    offset: int
    event_id: str | None
    at: str
    created_at: str
    failures: int
    replays: int


class DeadLetterPage(BaseModel):
    """Letters, newest first."""

    dead_letters: list[DeadLetter]
    next: int | None = Field(description="Pass it as `before` for the page after this one; null on the last.")


class DeadLetterWhole(DeadLetter):
    """A letter with its bytes."""

    headers: list[tuple[str, str]]
    raw_base64: str = Field(description="The original bytes: the request's body, else the record's value.")
    content_type: str | None


DeliveryState = Literal["pending", "sending", "retry", "delivered", "folded", "dead"]


class Delivery(BaseModel):
    """What a tool is told, and how that stands."""

    id: str = Field(description="The webhook-id.")
    destination: str
    profile_id: str
    type: str
    version: int = Field(description="Of the profile; 0 for `action.fired`.")
    state: DeliveryState
    attempts: int
    status: int | None = Field(description="What the tool answered last.")
    error: str | None
    created_at: str
    due_at: str | None
    first_try_at: str | None
    last_try_at: str | None
    ended_at: str | None


class DeliveryPage(BaseModel):
    """Deliveries, newest first."""

    deliveries: list[Delivery]
    next: str | None = Field(description="Pass it as `before` for the page after this one; null on the last.")


class Try(BaseModel):
    """One try of a delivery."""

    attempt: int
    at: str
    status: int | None
    error: str | None
    milliseconds: int | None
    response: str | None


class DeliveryWhole(Delivery):
    """A delivery with its body and its tries."""

    body: str | None = Field(description="The bytes that every try carried, as text; null before the first.")
    tries: list[Try]


class Refusal(BaseModel):
    """The last time that a post was refused."""

    at: str
    status: int
    field: str | None = Field(description="The field or header that was wrong.")
    detail: str


class Refused(BaseModel):
    """Posts that were refused: nothing of them is kept. Figures of Redis, which may forget."""

    count: int
    statuses: dict[str, int] = Field(description="How many by HTTP status.")
    last: Refusal | None


class SourceRow(BaseModel):
    """A source of hub.toml, and what was heard of it."""

    name: str
    kind: str
    address: str = Field(description="Where it hears: its posts, its listener, or the mailbox that it reads.")
    last_heard_at: str | None = Field(description="When its newest event arrived.")
    events: int = Field(description="Its activities.")
    dead_letters: int = Field(description="Its letters that are not resolved.")
    refused: Refused | None = Field(description="null: Redis does not answer.")


class DoorRow(BaseModel):
    """A door, or a key, whose posts belong to no source."""

    door: str
    refused: Refused


class SourceReport(BaseModel):
    """Every source, and what was refused before a source was known."""

    sources: list[SourceRow]
    elsewhere: list[DoorRow]


class Health(BaseModel):
    """Whether all is well, check by check."""

    status: Literal["ok", "failing"]
    checks: dict[str, str]
