"""How values compare: numbers as numbers, times as times, texts in any case; and what cannot be compared says so."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from schemas.conditions import NUMBER, TIME

LONGEST = 40
"""Characters that a number or a time may have: longer texts are neither, and are not looked at as such."""


class Incomparable(Exception):
    """A rule asks what the value cannot answer."""


def is_missing(value: object) -> bool:
    """Nothing there: null, a blank text, an empty list or map."""
    if isinstance(value, str):
        return not value or value.isspace()
    return value is None or (isinstance(value, list | tuple | Mapping) and not value)


def number(value: object) -> Decimal | None:
    """A number, or the text of one (as 19.90; no exponents, no thousands); None for anything else."""
    if isinstance(value, str):
        text = value.strip() if len(value) <= 2 * LONGEST else value
        return Decimal(text) if len(text) <= 2 * LONGEST and NUMBER.fullmatch(text) else None
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    if isinstance(value, float):
        return Decimal(repr(value)) if math.isfinite(value) else None
    return Decimal(value)


def moment(value: object) -> datetime | None:
    """A time (RFC 3339, without a zone: UTC) or a day (its first moment, UTC); None for anything else."""
    if not isinstance(value, str) or len(value) > 2 * LONGEST or not TIME.fullmatch(text := value.strip()):
        return None
    try:
        found = datetime.fromisoformat(text)
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):  # the 31st of February, the year 0
        return None


def words(value: object) -> str:
    """A scalar as text to compare: without space around it, in small letters. Raises Incomparable."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value.strip().casefold()
    if isinstance(value, int | float | Decimal):
        return str(value)
    raise Incomparable(f"is {kind(value)}")


def kind(value: object) -> str:
    """What somebody who writes JSON would call it."""
    if isinstance(value, Mapping):
        return "an object"
    if isinstance(value, list | tuple):
        return "a list"
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, int | float | Decimal):
        return "a number"
    return "a text" if isinstance(value, str) else "nothing"


def same(actual: object, wanted: object) -> bool:
    """Whether the value is the one wanted. Raises Incomparable for lists and objects."""
    if isinstance(actual, list | tuple):
        raise Incomparable("is a list: ask what it contains")
    if isinstance(actual, Mapping):
        raise Incomparable("is an object: ask one of its values")
    if any(isinstance(one, int | float | Decimal) and not isinstance(one, bool) for one in (actual, wanted)):
        one, other = number(actual), number(wanted)
        return one is not None and one == other
    earlier, later = moment(actual), moment(wanted)
    if earlier is not None and later is not None:
        return earlier == later
    return words(actual) == words(wanted)


def contains(actual: object, wanted: object) -> bool:
    """Whether a list has this entry, or a text this text within. Raises Incomparable for anything else."""
    if isinstance(actual, list | tuple):
        return any(
            not isinstance(one, list | tuple | Mapping) and one is not None and same(one, wanted) for one in actual
        )
    if not isinstance(actual, str):
        raise Incomparable(f"is {kind(actual)}, no text or list that could contain anything")
    return words(wanted) in words(actual)


def starts_with(actual: object, wanted: str) -> bool:
    """Whether a text begins so. Raises Incomparable for anything but a text."""
    if not isinstance(actual, str):
        raise Incomparable(f"is {kind(actual)}, no text")
    return words(actual).startswith(words(wanted))


def order(actual: object, wanted: object) -> int:
    """-1, 0 or 1: how the value stands to the one wanted. Raises Incomparable where the two are not of one kind."""
    one: Any = number(actual)
    other: Any = number(wanted)
    if other is None:
        one, other = moment(actual), moment(wanted)
    if one is None or other is None:
        raise Incomparable(f"is {_shown(actual)}, no {'time' if isinstance(other, datetime) else 'number'}")
    return int(one > other) - int(one < other)


def age(actual: object, at: datetime) -> timedelta:
    """How long before `at` the time lies; negative for one to come. Raises Incomparable where it is no time."""
    found = moment(actual)
    if found is None:
        raise Incomparable(f"is {_shown(actual)}, no time")
    return at - found


def before(at: datetime, back: timedelta) -> datetime:
    """The time this long before; the first of all times where it would lie before that."""
    try:
        return at - back
    except OverflowError:
        return datetime.min.replace(tzinfo=UTC)


def _shown(value: object) -> str:
    return f"the text {value.strip()[:LONGEST]!r}" if isinstance(value, str) else kind(value)
