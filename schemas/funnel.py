"""The way of a customer through the house, as `[funnel]` of hub.toml tells it."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

Stage = Annotated[str, StringConstraints(pattern=r"^\S(.*\S)?$", max_length=100)]
"""A stage's name, as `hub profiles stage` and the action `set_stage` write it."""


class Funnel(BaseModel):
    """The stages, the first one first; and those of them in which the way has ended without a customer."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    stages: tuple[Stage, ...] = Field(
        default=("lead", "qualified", "offer", "customer", "lost"),
        min_length=1,
        max_length=50,
        description="Where a customer may stand, in their order.",
    )
    out: tuple[Stage, ...] = Field(default=("lost",), description="Stages that lead out: whoever goes there is lost.")

    @model_validator(mode="after")
    def _is_a_way(self) -> Funnel:
        if twice := sorted({one for one in self.stages if self.stages.count(one) > 1}):
            raise ValueError(f"a stage stands there twice: {', '.join(twice)}")
        strange = [one for one in self.out if one not in self.stages]
        if strange and "out" in self.model_fields_set:
            raise ValueError(f"`out` names what is no stage: {', '.join(strange)}")
        return self
