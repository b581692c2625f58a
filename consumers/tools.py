"""The departments' tools as the dispatcher sees them: a name, and what every destination's table may say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from hub.destinations import Destination, Fired

PROFILE_TYPES = ("profile.created", "profile.updated", "profile.merged", "profile.split", "profile.erased")
"""What a tool may be told of profiles."""
Seconds = Annotated[float, Field(ge=0, le=604_800)]


class Manners(BaseModel):
    """How a tool is spoken to; a kind adds where and what."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    allow_private: bool = Field(
        default=False, description="The tool may be reached inside: private and loopback addresses, and http://."
    )
    concurrency: int = Field(default=32, ge=1, le=256, description="Requests on the wire at a time, at the most.")
    timeout_seconds: float = Field(default=20.0, gt=0, le=20, description="A try ends after that many seconds.")
    retry_seconds: tuple[Seconds, ...] = Field(
        default=(),
        description="Waits before the second, third … try, for demos and tests. Default: 5 s to 24 h, 3 days.",
    )


@dataclass(frozen=True)
class Tool:
    """An instance of a destination: the name of its table, its kind, its settings."""

    name: str
    destination: Destination
    settings: Manners


def hears_of_profiles(tool: Tool) -> bool:
    """Whether it is told anything of profiles."""
    return any(tool.destination.wants(tool.settings, event_type) for event_type in PROFILE_TYPES)


def action_of(fired: Fired) -> dict[str, Any]:
    """A deed of a rule as programs are told of it: `schemas.profile.Action`."""
    said = {"text": fired.text} if fired.text is not None else {}
    return {
        "key": fired.key,
        "rule": fired.rule,
        "verb": fired.verb,
        "profile_id": fired.profile_id,
        "event_id": fired.event_id,
        "hops": fired.hops,
        "origin": fired.origin,
        **said,
    }
