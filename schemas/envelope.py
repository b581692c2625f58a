"""The envelope: CloudEvents 1.0, and the extensions that the hub adds at its edge."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from schemas.identifiers import Shape

Attribute = Annotated[str, StringConstraints(min_length=1, max_length=1024)]


class Envelope(Shape):
    """A CloudEvent in structured form. On Kafka its attributes are headers `ce_<name>`, its data is the value."""

    specversion: Literal["1.0"]
    id: Attribute = Field(description="Unique within `source`; on the hub's own topics the event id, a UUID.")
    source: Attribute = Field(description="Who says it.")
    type: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)+$", max_length=256)] = Field(
        description="What happened: <noun>.<verb in the past tense>."
    )
    time: Attribute | None = Field(default=None, description="When it happened, RFC 3339.")
    subject: Attribute | None = None
    datacontenttype: Attribute | None = None
    dataschema: Attribute | None = None
    receivedtime: Attribute | None = Field(default=None, description="When the hub's edge took it in; stamped once.")
    edge: Attribute | None = Field(
        default=None, description="Source instance or key name: the event came through the hub's edge."
    )
    trust: Literal["public"] | None = Field(default=None, description="The proof was public: anybody may have said it.")
    origin: Attribute | None = Field(default=None, description="The tools it passed, with commas.")
    hops: Attribute | None = Field(default=None, description="How many of them; beyond 8 no rule acts on it.")
    traceparent: Attribute | None = None
    data: Any = None
    data_base64: str | None = None


class Raw(Shape):
    """A request body exactly as received: `text` where it is UTF-8 without NUL, else `base64`."""

    content_type: str
    content_encoding: str | None = None
    text: str | None = None
    base64: str | None = None


HUB_ONLY = ("profile.", "segment.", "action.")
"""Types that the hub alone makes begin so; `email.sent` is one as well."""
HUB = "hub"
"""The name of the hub itself, where an event says which source or key it came through."""
MERGED, PARTED, WITHDRAWN = "records.merged", "records.parted", "decision.withdrawn"
ERASED = "records.erased"
SEGMENT_ENTERED, SEGMENT_LEFT = "segment.entered", "segment.left"
SEGMENT_CHANGES = frozenset({SEGMENT_ENTERED, SEGMENT_LEFT})
"""Who came into a segment and who left it: activities that the hub alone makes, and nobody sends."""
ACTION_FIRED = "action.fired"
"""What a rule did, as it is told on `activities` and to tools."""
DEEDS = frozenset({MERGED, PARTED, WITHDRAWN, ERASED})
"""What people decide about who is who: it stands on the topic `inbound.hub` alone."""
OWNER_ASSIGNED, STAGE_SET, TAG_ADDED, TAG_REMOVED = "owner.assigned", "stage.set", "tag.added", "tag.removed"
SETTINGS = frozenset({OWNER_ASSIGNED, STAGE_SET, TAG_ADDED, TAG_REMOVED})
"""What people and rules set on a profile: on the topic `inbound.hub` alone as well."""
NOTE_ADDED, CALL_LOGGED = "note.added", "call.logged"
NOTES = frozenset({NOTE_ADDED, CALL_LOGGED})
"""What people write down in the hub, on `inbound.hub`; tools say the same of a contact, on any other topic."""
TASK_CREATED, TASK_ASSIGNED, TASK_POSTPONED = "task.created", "task.assigned", "task.postponed"
TASK_DONE, TASK_WAITING, TASK_REOPENED, TASK_DROPPED = "task.done", "task.waiting", "task.reopened", "task.dropped"
TASKS = frozenset({TASK_CREATED, TASK_ASSIGNED, TASK_POSTPONED, TASK_DONE, TASK_WAITING, TASK_REOPENED, TASK_DROPPED})
"""What is to be done about a customer, and what becomes of it: on `inbound.hub` alone. Rules say the first of them."""
_OURS = DEEDS | SETTINGS | TASKS


def hub_only(event_type: str) -> bool:
    """Whether nobody but the hub may say this type."""
    return event_type.startswith(HUB_ONLY) or event_type == "email.sent" or event_type in _OURS
