"""The forms that a value may be brought into on its way into an event; each by the word that `as` holds.

A form is a function of the value and of a text beside it (a currency, a country). It gives None for what says nothing
(null, blank, an empty list), and raises ValueError for what is not of its sort.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import orjson

from hub import clock
from hub.identity import normalise

Form = Callable[[Any, str | None], Any]

WITHOUT_DECIMALS = frozenset("BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF".split())
THREE_DECIMALS = frozenset("BHD JOD KWD OMR TND".split())
"""Currencies whose smallest unit is no hundredth, as Stripe counts them: ISK and UGX in hundredths all the same."""


def text(value: Any, _beside: str | None = None) -> str | None:
    """A text as it was written; numbers, true and false as JSON spells them."""
    if value is None or (isinstance(value, dict | list) and not value):  # PHP writes an empty object as an empty list
        return None
    if isinstance(value, str):
        return value if value.strip() else None
    if isinstance(value, dict | list):
        raise ValueError("is no text")  # noqa: TRY004 - what a sender wrote is wrong, not our call
    return orjson.dumps(value).decode()


def texts(value: Any, _beside: str | None = None) -> str | list[str] | None:
    """A text, or several where it is a list; objects as JSON text."""
    if not isinstance(value, list):
        return _any_text(value)
    found = [one for one in map(_any_text, value) if one is not None]
    return found[0] if len(found) == 1 else found or None


def _any_text(value: Any) -> str | None:
    try:
        return text(value)
    except ValueError:
        pass
    try:
        return orjson.dumps(value).decode()
    except orjson.JSONEncodeError as error:
        raise ValueError(f"is nested too deep: {error}") from error


def integer(value: Any, _beside: str | None = None) -> int | None:
    """A whole number, also where it is written as a text."""
    written = text(value)
    if written is None:
        return None
    try:
        return int(Decimal(written)) if Decimal(written) % 1 == 0 else _refuse("is no whole number")
    except ArithmeticError as error:
        raise ValueError("is no whole number") from error


def upper(value: Any, _beside: str | None = None) -> str | None:
    """A text in capitals, as currencies are written."""
    written = text(value)
    return written and written.upper()


def seconds(value: Any, _beside: str | None = None) -> str | None:
    """Seconds since 1970 as RFC 3339."""
    count = integer(value)
    return None if count is None else _time(count * 1000)


def milliseconds(value: Any, _beside: str | None = None) -> str | None:
    """Milliseconds since 1970 as RFC 3339."""
    count = integer(value)
    return None if count is None else _time(count)


def minor_units(value: Any, currency: str | None) -> str | None:
    """An amount in the currency's smallest unit as decimal text: 1990 is `19.90`, in yen `1990`."""
    count = integer(value)
    if count is None:
        return None
    known = (currency or "").upper()
    places = 0 if known in WITHOUT_DECIMALS else 3 if known in THREE_DECIMALS else 2
    return format(Decimal(count).scaleb(-places), "f")


def phone(value: Any, country: str | None) -> str | None:
    """A phone number as it was written; where it is a valid one of that country (two letters), as E.164."""
    written = text(value)
    if written is None or not country or written.strip().startswith("+"):
        return written
    number = normalise.phone(written, country.strip().upper())
    return number.value if number else written


def as_it_is(value: Any, _beside: str | None = None) -> Any:
    """Any JSON value."""
    return value


FORMS: dict[str, Form] = {
    "text": text,
    "texts": texts,
    "integer": integer,
    "upper": upper,
    "seconds": seconds,
    "milliseconds": milliseconds,
    "minor_units": minor_units,
    "phone": phone,
    "json": as_it_is,
}


def _time(count: int) -> str:
    try:
        return clock.from_milliseconds(count)
    except (ValueError, OverflowError, OSError) as error:
        raise ValueError("is no time") from error


def _refuse(message: str) -> int:
    raise ValueError(message)
