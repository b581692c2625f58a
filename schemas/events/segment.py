"""Who comes into a segment and who leaves it: the hub alone says so, on the topic `activities`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from schemas.identifiers import Shape

Because = Literal["event", "time", "merge", "split", "applied"]


class SegmentChanged(Shape):
    """`segment.entered`, `segment.left`: the data of such an activity."""

    segment: str = Field(description="Its name.")
    version: int = Field(description="The version of the segment that was asked.")
    because: Because = Field(
        description="Something happened, or time passed; or the hub learned who they are, or asks something else now: "
        "merge, split and applied set nothing off."
    )
    by_event: str | None = Field(description="The event that caused it; null: none did.")
    hops: int = Field(default=0, description="How many tools and rules led to it, one by the other.")
