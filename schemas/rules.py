"""Rules and segments as files, one a file: when something happens, if this holds, do that."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from functools import lru_cache
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Discriminator, Field, RootModel, StrictInt, StringConstraints, Tag, model_validator

from schemas.conditions import CONDITIONS, Condition, Duration, EventTypes, Name, Words

AGAIN = r"^(always|once|[1-9][0-9]{0,3}[smhdw])$"
MOMENT = r"^([01][0-9]|2[0-3]):[0-5][0-9]$"
VERB = r"^[a-z][a-z0-9_]{0,63}$"
ABOUT = r"\S"
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}

Version = Annotated[StrictInt, Field(ge=1, le=2**31 - 1)]
About = Annotated[str, StringConstraints(pattern=ABOUT, max_length=300)]


@lru_cache(maxsize=1024)
def span(duration: str) -> timedelta:
    """The length of a duration: `90s`, `15m`, `4h`, `2d`, `1w`."""
    return timedelta(seconds=int(duration[:-1]) * UNITS[duration[-1]])


class OnEvent(Words):
    """An event of one of these types came."""

    event: EventTypes


class OnEnter(Words):
    """Somebody came into a segment."""

    enters: Name


class OnLeave(Words):
    """Somebody left a segment."""

    leaves: Name


class ExitOnEvent(OnEvent):
    """An event that ends the waiting journey."""

    condition: Condition | None = Field(default=None, alias="if")


class ExitOnEnter(OnEnter):
    """Coming into a segment ends the waiting journey."""

    condition: Condition | None = Field(default=None, alias="if")


class ExitOnLeave(OnLeave):
    """Leaving a segment ends the waiting journey."""

    condition: Condition | None = Field(default=None, alias="if")


TRIGGERS: dict[str, type[Words]] = {"event": OnEvent, "enters": OnEnter, "leaves": OnLeave}
EXITS: dict[str, type[Words]] = {"event": ExitOnEvent, "enters": ExitOnEnter, "leaves": ExitOnLeave}


def _trigger(value: object) -> str | None:
    if isinstance(value, BaseModel):
        return next((f"<on {word}>" for word in TRIGGERS if word in type(value).model_fields), None)
    found = [word for word in TRIGGERS if word in value] if isinstance(value, Mapping) else []
    return f"<on {found[0]}>" if len(found) == 1 else None


def _exit(value: object) -> str | None:
    found = _trigger(value)
    return found and found.replace("on", "exit", 1)


_ONE_TRIGGER = "has to hold one of " + ", ".join(TRIGGERS)
Trigger = Annotated[
    Annotated[OnEvent, Tag("<on event>")]
    | Annotated[OnEnter, Tag("<on enters>")]
    | Annotated[OnLeave, Tag("<on leaves>")],
    Discriminator(_trigger, custom_error_type="trigger", custom_error_message=_ONE_TRIGGER),
]
Exit = Annotated[
    Annotated[ExitOnEvent, Tag("<exit event>")]
    | Annotated[ExitOnEnter, Tag("<exit enters>")]
    | Annotated[ExitOnLeave, Tag("<exit leaves>")],
    Discriminator(_exit, custom_error_type="trigger", custom_error_message=_ONE_TRIGGER),
]


class Wait(Words):
    """For a time, until a moment of the day, or for an event with a timeout."""

    for_: Duration | None = Field(default=None, alias="for")
    until: Annotated[str, StringConstraints(pattern=MOMENT)] | None = Field(
        default=None, description="HH:MM in the customer's zone, outside quiet hours."
    )
    event: EventTypes | None = None
    timeout: Duration | None = Field(default=None, description="With `event`: go on after this time all the same.")
    then: Literal["end", "go_on"] = Field(default="go_on", description="With `event`: what happens when it comes.")

    @model_validator(mode="after")
    def _waits_for_one_thing(self) -> Wait:
        if sum(one is not None for one in (self.for_, self.until, self.event)) != 1:
            raise ValueError("has to hold one of for, until, event, and one of them alone")
        if self.event is None and {"timeout", "then"} & self.model_fields_set:
            raise ValueError("holds timeout or then, which belong to a wait for an event")
        return self


class Branch(Words):
    """One way or the other; both go on behind it unless they end."""

    condition: Condition = Field(alias="if")
    then: tuple[Step, ...] = Field(min_length=1, max_length=50)
    else_: tuple[Step, ...] = Field(default=(), alias="else", max_length=50)


class End(Words):
    """The journey ends here."""


class WaitStep(Words):
    """Wait."""

    wait: Wait


class BranchStep(Words):
    """Choose."""

    branch: Branch


class EndStep(Words):
    """End."""

    end: End


class ActionStep(RootModel[dict[Annotated[str, StringConstraints(pattern=VERB)], dict[str, Any]]]):
    """A verb and its settings; which verbs there are, the actions say."""

    @property
    def verb(self) -> str:
        """What is done."""
        return next(iter(self.root))

    @property
    def settings(self) -> dict[str, Any]:
        """How."""
        return self.root[self.verb]


STEPS: dict[str, type[BaseModel]] = {"wait": WaitStep, "branch": BranchStep, "end": EndStep}


def _step(value: object) -> str | None:
    if isinstance(value, BaseModel):
        return next((f"<{word} step>" for word, model in STEPS.items() if isinstance(value, model)), "<action>")
    if not isinstance(value, Mapping) or len(value) != 1:
        return None
    word = next(iter(value))
    return f"<{word} step>" if word in STEPS else "<action>"


Step = Annotated[
    Annotated[WaitStep, Tag("<wait step>")]
    | Annotated[BranchStep, Tag("<branch step>")]
    | Annotated[EndStep, Tag("<end step>")]
    | Annotated[ActionStep, Tag("<action>")],
    Discriminator(
        _step, custom_error_type="step", custom_error_message="has to be one verb and its settings, as `end: {}`"
    ),
]


class Rule(Words):
    """What happens by itself."""

    rule: Name = Field(description="Its name: the file's without .yaml.")
    version: Version = Field(description="Higher with every change: who waits ends on the version they began with.")
    about: About = Field(description="One sentence for people.")
    mode: Literal["live", "trial"] = Field(default="live", description="trial: decide, write it down, do nothing.")
    when: Trigger
    condition: Condition | None = Field(default=None, alias="if")
    max_age: Duration = Field(default="3d", description="An event that arrives later than this fires nothing.")
    again: Annotated[str, StringConstraints(pattern=AGAIN)] = Field(
        default="always", description="always, once, or a duration: not again for the same profile within it."
    )
    exits: tuple[Exit, ...] = Field(default=(), max_length=20, description="Any of these ends a waiting journey.")
    steps: tuple[Step, ...] = Field(min_length=1, max_length=50)

    @property
    def name(self) -> str:
        """What it is called."""
        return self.rule


class Segment(Words):
    """A saved condition over profiles and counts: who is in it is known at every moment."""

    segment: Name = Field(description="Its name: the file's without .yaml.")
    version: Version
    about: About = Field(description="One sentence for people.")
    condition: Condition = Field(alias="if")

    @property
    def name(self) -> str:
        """What it is called."""
        return self.segment


for _model in (Branch, BranchStep, Rule, Segment):
    _model.model_rebuild()

TAGGED: dict[str, type[BaseModel]] = {
    **{f"<{word}>": model for word, model in CONDITIONS.items()},
    **{f"<on {word}>": model for word, model in TRIGGERS.items()},
    **{f"<exit {word}>": model for word, model in EXITS.items()},
    **{f"<{word} step>": model for word, model in STEPS.items()},
    "<action>": ActionStep,
}
"""What the tags in the place of an error stand for."""
