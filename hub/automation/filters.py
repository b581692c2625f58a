"""What a template may do with a value: a closed list of filters, each bounded before it makes anything large. Pure.

Liquid's own `replace`, `join` and `times` multiply: a line of them takes a machine's memory in one step, before any
limit of the renderer looks. So nothing here gives more than `MOST_LETTERS` letters or numbers beyond `LARGEST`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from liquid import Environment
from liquid.builtin import filters as own
from liquid.exceptions import FilterValueError

MOST_LETTERS = 65_536
MOST_ENTRIES = 1_000
LARGEST = Decimal(10) ** 15
DAYS = ("%A", "%a", "%d", "%-d", "%B", "%b", "%m", "%-m", "%Y", "%y", "%H", "%M", "%S", "%p", "%I", "%-I", "%j", "%%")
"""What the format of a date may hold."""


def install(environment: Environment) -> None:
    """Take every other filter out."""
    environment.filters.clear()
    environment.filters.update(FILTERS)


def _text(value: object) -> str:
    found = "" if value is None else str(value)
    return _bounded(found)


def _bounded(found: str, length: int | None = None) -> str:
    if (len(found) if length is None else length) > MOST_LETTERS:
        raise FilterValueError(f"more than {MOST_LETTERS} letters", token=None)
    return found


def _number(value: object) -> Decimal:
    try:
        found = Decimal(str(value).strip())
    except InvalidOperation:
        found = Decimal("NaN")
    if not found.is_finite() or abs(found) > LARGEST:
        raise FilterValueError(f"no number that can be counted with: {str(value)[:40]!r}", token=None)
    return found


def _shown(found: Decimal) -> int | float:
    _number(found)
    return int(found) if found == found.to_integral_value() else float(found)


def _counting(count: Callable[[Decimal, Decimal], Decimal]) -> Callable[[object, object], int | float]:
    return lambda value, other: _shown(count(_number(value), _number(other)))


def _divide(value: Decimal, other: Decimal) -> Decimal:
    if not other:
        raise FilterValueError("divided by nothing", token=None)
    return value / other


def _round(value: object, digits: object = 0) -> int | float:
    places = int(_number(digits))
    if not 0 <= places <= 10:
        raise FilterValueError("rounds to 0 to 10 places", token=None)
    return _shown(_number(value).quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP))


def _replace(value: object, old: object, new: object = "") -> str:
    text, before, after = _text(value), _text(old), _text(new)
    if not before:
        raise FilterValueError("replaces nothing", token=None)
    _bounded("", len(text) + text.count(before) * max(0, len(after) - len(before)))
    return text.replace(before, after)


def _list(value: object) -> list[Any]:
    found = list(value) if isinstance(value, list | tuple) else [] if value is None else [value]
    if len(found) > MOST_ENTRIES:
        raise FilterValueError(f"more than {MOST_ENTRIES} entries", token=None)
    return found


def _join(value: object, between: object = " ") -> str:
    entries, gap = [_text(one) for one in _list(value)], _text(between)
    _bounded("", sum(map(len, entries)) + len(gap) * len(entries))
    return gap.join(entries)


def _date(value: object, wanted: object = "%d.%m.%Y") -> str:
    """A time of the hub (RFC 3339) by a format; what is no time comes back as it is."""
    pattern, text = _text(wanted), _text(value)
    rest = pattern
    for code in DAYS:
        rest = rest.replace(code, "")
    if "%" in rest or len(pattern) > 100:
        raise FilterValueError(f"a date's format holds {', '.join(DAYS)}", token=None)
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return text
    return at.astimezone(UTC).strftime(pattern) if at.tzinfo else at.strftime(pattern)


def _truncate(value: object, length: object = 50, end: object = "…") -> str:
    text, most, tail = _text(value), int(_number(length)), _text(end)
    return text if len(text) <= most else text[: max(0, most - len(tail))] + tail


FILTERS: dict[str, Callable[..., object]] = {
    "abs": lambda value: _shown(abs(_number(value))),
    "append": lambda value, other: _bounded(_text(value) + _text(other)),
    "at_least": _counting(max),
    "at_most": _counting(min),
    "capitalize": lambda value: _text(value)[:1].upper() + _text(value)[1:],
    "date": _date,
    "default": own.misc.default,
    "divided_by": _counting(_divide),
    "downcase": lambda value: _text(value).lower(),
    "escape": own.string.escape,
    "first": lambda value: next(iter(_list(value)), None),
    "join": _join,
    "last": lambda value: next(iter(reversed(_list(value))), None),
    "minus": _counting(lambda one, other: one - other),
    "plus": _counting(lambda one, other: one + other),
    "prepend": lambda value, other: _bounded(_text(other) + _text(value)),
    "replace": _replace,
    "round": _round,
    "size": lambda value: len(value) if isinstance(value, str | list | tuple) else 0,
    "strip": lambda value: _text(value).strip(),
    "times": _counting(lambda one, other: one * other),
    "truncate": _truncate,
    "upcase": lambda value: _bounded(_text(value).upper()),
}
"""Name → what it does. Numbers are decimals, so 0.1 and 0.2 are 0.3."""
