"""The shapes of tasks, and of the pool."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from hub.api.remarks_shapes import Asked
from hub.automation.buckets import Bucket
from schemas.events.hub import Owner, Title
from schemas.identifiers import Text

MOST_LISTED = 500


class TaskFilter(Asked):
    """Which tasks are asked for; without a bucket everything that is not done."""

    model_config = ConfigDict(strict=False)
    to: str | None = Field(default=None, description="Only theirs.")
    team: str | None = Field(default=None, description="Only this team's.")
    profile: str | None = Field(default=None, description="Only about this customer.")
    bucket: Bucket | None = Field(default=None, description="Only these; without it everything that is not done.")
    limit: Annotated[int, Field(ge=1, le=MOST_LISTED)] = 100


class TaskRequest(Asked):
    """Something is to be done about a customer."""

    title: Title
    kind: Literal["task", "reminder"] = Field(default="task", description="reminder: a mail when it comes due.")
    to: Owner | None = Field(default=None, description="Whose it is; neither this nor `team`: nobody's in particular.")
    team: Text | None = Field(default=None, description="A team of hub.toml.")
    due: Text = Field(default="1d", description="From now on (`90m`, `4h`, `2d`), or a time (RFC 3339).")


class AssignRequest(Asked):
    """Whose a task is from now on."""

    to: Owner | None = Field(description="An address; null: nobody's in particular.")


class PostponeRequest(Asked):
    """Until when a task is to be done now."""

    due: Text = Field(description="From now on (`90m`, `4h`, `2d`), or a time (RFC 3339).")


class Task(BaseModel):
    """A task about a customer."""

    id: str
    profile_id: str
    customer: str = Field(description="Their name, else an address, else what a source calls them.")
    title: str
    kind: Literal["task", "reminder"]
    to: str | None
    team: str | None
    due: str
    status: Literal["open", "waiting", "done", "dropped"]
    since: str = Field(description="When it came to its status.")
    bucket: Bucket
    answered_at: str | None = Field(description="We waited for the customer, and heard of them then.")
    created_at: str
    created_by: str = Field(description="A person, or `rule:<name>`.")
    reminded_for: str | None = Field(description="The time that a reminder was sent for.")
    reminded_to: list[str] | None = Field(description="Who got it; empty: nobody was there to get it.")


class TaskList(BaseModel):
    """Tasks, what is due first first."""

    tasks: list[Task]


class TakeRequest(Asked):
    """Who takes the customer."""

    owner: Owner


class Taken(BaseModel):
    """Whose the customer is now."""

    id: str | None = Field(description="The event's id; null: they had them already.")
    profile_id: str
    owner: str
    state: Literal["done", "on its way"]


class Unowned(BaseModel):
    """Somebody whom nobody looks after."""

    profile_id: str
    customer: str = Field(description="Their name, else an address, else what a source calls them.")
    email: str | None
    phone: str | None
    stage: str | None
    since: str = Field(description="When the hub first heard of them.")
    touched: bool = Field(description="Somebody wrote a note or a call about them.")


class PoolPage(BaseModel):
    """Customers without an owner, the oldest first."""

    profiles: list[Unowned]
    next: str | None = Field(description="For `after`; null: that was all.")
