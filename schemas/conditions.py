"""Conditions of rules and segments: a tree of questions over the event, the profile and counts of activities.

`docs/reference/rules.md` has the language for people. A tag in angle brackets names the branch of a union in the place
of an error, so that whoever tells the error can leave it out.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    PlainValidator,
    StrictBool,
    StrictInt,
    StringConstraints,
    Tag,
    model_validator,
)

NAME = r"^[a-z][a-z0-9-]{0,63}$"
DURATION = r"^[1-9][0-9]{0,3}[smhdw]$"
EVENT_TYPE = r"^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)+$"
PATH = r"^[^.\s][^.]*(\.[^.]+)*$"
OF_PROFILE = r"^(owner|stage|tags|activities|fields\.\S+)$"
NUMBER = re.compile(r"[+-]?[0-9]{1,30}(\.[0-9]{1,30})?")
TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,9})?)?(Z|[+-][0-9]{2}:?[0-9]{2})?)?"
)

Name = Annotated[str, StringConstraints(pattern=NAME)]
Duration = Annotated[str, StringConstraints(pattern=DURATION)]
EventType = Annotated[str, StringConstraints(pattern=EVENT_TYPE, max_length=256)]


def one_or_several(value: object) -> object:
    """A text as a list of one, everything else as it is."""
    return [value] if isinstance(value, str) else value


EventTypes = Annotated[
    tuple[EventType, ...],
    Field(min_length=1, max_length=20),
    BeforeValidator(one_or_several, json_schema_input_type=str | list[str]),
]


def _scalar(value: object) -> object:
    match value:
        case float() if not math.isfinite(value):
            raise ValueError("is no number that anything could be compared with")
        case str() if not value.strip():
            raise ValueError("is empty; `exists: false` asks whether a value is missing")
        case str() | int() | float():
            return value
        case _:
            raise ValueError("has to be a text, a number, true or false")


def _measure(value: object) -> object:
    text = value.strip() if isinstance(value, str) else ""
    number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if number or NUMBER.fullmatch(text) or TIME.fullmatch(text):
        return value
    raise ValueError("has to be a number or a time, as 100 or 2026-01-31 or 2026-01-31T09:00:00Z")


Scalar = Annotated[str | int | float | bool, PlainValidator(_scalar, json_schema_input_type=str | float | bool)]
Measure = Annotated[str | int | float, PlainValidator(_measure, json_schema_input_type=str | float)]
HowMany = Annotated[StrictInt, Field(ge=0)]


class Words(BaseModel):
    """A part of a file: a word that is not known is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Asking(Words):
    """A question: beside what it asks for, at least one operator. Several have to hold together."""

    @model_validator(mode="after")
    def _asks_something(self) -> Asking:
        said = [name for name in self.operator_fields() if name in self.model_fields_set]
        if not said:
            raise ValueError("asks nothing: it needs an operator, as `is` or `at_least`")
        if any(getattr(self, name) is None for name in said):
            raise ValueError("compares with nothing; `exists: false` asks for a missing value")
        return self

    @classmethod
    def operator_fields(cls) -> list[str]:
        """The fields that are operators."""
        return [name for name in cls.model_fields if name not in {"path", "types", "window"}]

    @cached_property
    def operators(self) -> tuple[tuple[str, Any], ...]:
        """The operators that are asked, by the words of the file, each with what it compares with."""
        said = (name for name in self.operator_fields() if name in self.model_fields_set)
        return tuple((name.rstrip("_"), getattr(self, name)) for name in said)

    @cached_property
    def compared(self) -> str:
        """The operators as the file writes them: `at_least 10 and less_than 100`."""
        return " and ".join(f"{word} {written(wanted)}" for word, wanted in self.operators)


def written(wanted: Any) -> str:
    """A value as the file writes it."""
    if isinstance(wanted, tuple):
        return f"[{', '.join(map(written, wanted))}]"
    return str(wanted).lower() if isinstance(wanted, bool) else str(wanted)


class _ValueAsked(Asking):
    is_: Scalar | None = Field(default=None, alias="is", description="The same: numbers as numbers, text in any case.")
    is_not: Scalar | None = Field(default=None, description="Another one, or none at all.")
    in_: tuple[Scalar, ...] | None = Field(
        default=None, alias="in", min_length=1, max_length=500, description="One of these."
    )
    not_in: tuple[Scalar, ...] | None = Field(
        default=None, min_length=1, max_length=500, description="None of these, or none at all."
    )
    contains: Scalar | None = Field(default=None, description="A text within the text, or an entry of the list.")
    starts_with: Annotated[str, StringConstraints(min_length=1)] | None = None
    exists: StrictBool | None = Field(default=None, description="Whether there is a value that is not empty.")
    at_least: Measure | None = None
    at_most: Measure | None = None
    more_than: Measure | None = None
    less_than: Measure | None = None
    within: Duration | None = Field(default=None, description="A time that lies no longer back than this.")
    older_than: Duration | None = Field(default=None, description="A time that lies at least this long back.")


class EventAsked(_ValueAsked):
    """A value of the event: `source`, `type`, or a path into its data."""

    path: Annotated[str, StringConstraints(pattern=PATH, max_length=200)] = Field(alias="event")


class ProfileAsked(_ValueAsked):
    """A value of the profile: `owner`, `stage`, `tags`, `activities`, or `fields.<name>`."""

    path: Annotated[str, StringConstraints(pattern=OF_PROFILE, max_length=300)] = Field(alias="profile")


class CountAsked(Asking):
    """How many activities of these types the profile had before the event."""

    types: EventTypes = Field(alias="count")
    window: Duration | None = Field(
        default=None, alias="within", description="How far back from the event's time; absent: ever."
    )
    is_: HowMany | None = Field(default=None, alias="is")
    is_not: HowMany | None = None
    at_least: HowMany | None = None
    at_most: HowMany | None = None
    more_than: HowMany | None = None
    less_than: HowMany | None = None


class SegmentAsked(Words):
    """Whether the profile is in a segment."""

    segment: Name
    is_: StrictBool = Field(default=True, alias="is")


class AllOf(Words):
    """Every one of these holds."""

    parts: tuple[Condition, ...] = Field(alias="all", min_length=1, max_length=100)


class AnyOf(Words):
    """At least one of these holds."""

    parts: tuple[Condition, ...] = Field(alias="any", min_length=1, max_length=100)


class Not(Words):
    """It does not hold."""

    part: Condition = Field(alias="not")


CONDITIONS: dict[str, type[Words]] = {
    "all": AllOf,
    "any": AnyOf,
    "not": Not,
    "event": EventAsked,
    "profile": ProfileAsked,
    "count": CountAsked,
    "segment": SegmentAsked,
}


def _sort_of(value: object) -> str | None:
    if isinstance(value, BaseModel):
        return next((f"<{word}>" for word, model in CONDITIONS.items() if isinstance(value, model)), None)
    found = [word for word in CONDITIONS if word in value] if isinstance(value, Mapping) else []
    return f"<{found[0]}>" if len(found) == 1 else None


Condition = Annotated[
    Annotated[AllOf, Tag("<all>")]
    | Annotated[AnyOf, Tag("<any>")]
    | Annotated[Not, Tag("<not>")]
    | Annotated[EventAsked, Tag("<event>")]
    | Annotated[ProfileAsked, Tag("<profile>")]
    | Annotated[CountAsked, Tag("<count>")]
    | Annotated[SegmentAsked, Tag("<segment>")],
    Discriminator(
        _sort_of,
        custom_error_type="condition",
        custom_error_message="has to hold one of " + ", ".join(CONDITIONS),
    ),
]

for _model in (AllOf, AnyOf, Not):
    _model.model_rebuild()
