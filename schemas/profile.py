"""The profile as it is told to everybody: one line of `hub profiles export`, and what webhooks carry."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from schemas.identifiers import Identifier, Shape


class RecordLine(Shape):
    """A source record of the profile: what one source calls this person."""

    source: str = Field(description="Source instance.")
    kind: str = Field(description="account, contact_point, device or object.")
    key: str = Field(description="The account's id, or the normalised e-mail or phone.")


class FieldLine(Shape):
    """A field's winning value and where it comes from."""

    value: str
    source: str
    key: str
    at: str = Field(description="Event time of the statement, RFC 3339 UTC.")


class Profile(Shape):
    """One person, as far as the hub knows; keys in alphabetical order."""

    activities: int = Field(description="Inbound events of all its records.")
    fields: dict[str, FieldLine]
    identifiers: list[Identifier]
    owner: str | None
    profile_id: str
    records: list[RecordLine]
    stage: str | None
    tags: list[str]


class ProfileState(Profile):
    """A record of the topic `profiles` under the profile's id."""

    version: int = Field(description="Never falls; keep the highest you saw.")


class ProfileRedirect(Shape):
    """A record of the topic `profiles` under an id that was absorbed."""

    merged_into: str
    version: int


class ProfileGone(Shape):
    """Nobody is behind this id any more: whatever is kept under it has to go."""

    profile_id: str
    version: int


class ProfileData(Shape):
    """What `profile.created`, `profile.updated`, `profile.merged`, `profile.split` and `profile.erased` carry."""

    profile: ProfileState | ProfileGone = Field(description="profile.erased: the id and a last version, no more.")
    absorbed: list[str] | None = Field(default=None, description="profile.merged: ids that now lead here.")
    parts: list[str] | None = Field(default=None, description="profile.split: ids that came out of it.")
    erased: list[str] | None = Field(default=None, description="profile.erased: ids of which nothing may be kept.")


class Action(Shape):
    """What a rule did. Keys may be added; a reader leaves those that it does not know."""

    key: str = Field(description="The deed, <rule>:<event id>:<step>: once, whatever is tried again.")
    rule: str
    verb: str
    profile_id: str = Field(description="Of the moment of the deed; a merge may have moved the person since.")
    event_id: str = Field(description="The event that set the rule off.")
    hops: int | None = Field(default=None, description="The attribute `hops` of an event that follows from this.")
    origin: str | None = Field(default=None, description="The attribute `origin` of an event that follows from this.")
    text: str | None = Field(default=None, description="What `notify` says.")


class ActionData(Shape):
    """What `action.fired` carries."""

    action: Action


class Told(Shape):
    """The body of a webhook (Standard Webhooks) about a profile."""

    type: str
    timestamp: str
    data: ProfileData


class ToldOfAction(Shape):
    """The body of a webhook (Standard Webhooks) about what a rule did."""

    type: Literal["action.fired"]
    timestamp: str
    data: ActionData


class Activity(Shape):
    """A record of the topic `activities` under the profile's id."""

    id: str = Field(description="The event id that the 202 gave.")
    profile_id: str
    type: str
    source: str
    at: str
    received_at: str
    hops: int | None = Field(
        default=None, description="How many tools the event has passed; absent where none is named."
    )
    origin: str | None = Field(default=None, description="Which, with commas; absent as well.")
    data: dict[str, object]


class ActionFired(Shape):
    """`action.fired` on the topic `activities`: what a rule did, in the shape of an activity."""

    id: str = Field(description="Of the deed: the same whenever it is told.")
    profile_id: str
    type: Literal["action.fired"]
    source: Literal["hub"]
    at: str
    received_at: str
    data: ActionData


class Merged(Shape):
    """`profile.merged` on the topic `activities`: what became of an id."""

    profile_id: str
    absorbed: list[str]
    version: int


class Split(Shape):
    """`profile.split` on the topic `activities`: ids that came out of a profile and live from now on."""

    profile_id: str
    parts: list[str]
    version: int


class TimelineEntry(Shape):
    """One line of a profile's timeline."""

    id: str
    type: str
    source: str
    at: str
    received_at: str
