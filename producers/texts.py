"""Texts from outside: JSON, character sets, and what no text of ours may hold (NUL, lone surrogates).

PostgreSQL stores neither, and UTF-8 has no form for the second, so both are told to the sender by the field's name.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NoReturn

import orjson

from hub.errors import Unreadable, WrongType

BOM = b"\xef\xbb\xbf"
CHARSETS = {
    "utf-8": "utf-8",
    "utf8": "utf-8",
    "us-ascii": "ascii",
    "ascii": "ascii",
    "iso-8859-1": "latin-1",
    "latin-1": "latin-1",
    "latin1": "latin-1",
    "iso-8859-15": "iso-8859-15",
    "windows-1252": "cp1252",
    "cp1252": "cp1252",
}
"""What senders call the character sets that are read, and what Python calls them."""


@lru_cache(maxsize=64)
def media_type(content_type: str) -> tuple[str, Mapping[str, str]]:
    """A Content-Type's essence in lower case and its parameters: `("text/html", {"charset": "utf-8"})`."""
    essence, *parameters = content_type.split(";")
    pairs = (parameter.partition("=") for parameter in parameters)
    return essence.strip().lower(), {name.strip().lower(): value.strip().strip('"') for name, _, value in pairs}


def charset(name: str | None) -> str:
    """Python's name for a declared character set, UTF-8 for none. Raises WrongType for one that is not read."""
    if name is None:
        return "utf-8"
    try:
        return CHARSETS[name.lower()]
    except KeyError:
        raise WrongType(f"the character set {name[:40]!r} is not read here", "content-type") from None


def is_clean(text: str) -> bool:
    """Whether PostgreSQL and UTF-8 can hold the text."""
    return "\0" not in text and (text.isascii() or not any("\ud800" <= sign <= "\udfff" for sign in text))


def read_json(body: bytes) -> tuple[Any, str | None]:
    """The value of a JSON text, and the path of its first text that is not clean (None where all are).

    Raises Unreadable where it is no JSON, or holds a number that no double can hold.
    """
    body = body.removeprefix(BOM)
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        return _with_surrogates(body, error)
    return value, unclean_path(value) if b"\\u0000" in body else None


def _with_surrogates(body: bytes, error: orjson.JSONDecodeError) -> tuple[Any, str]:
    """What the fast reader refuses for a lone surrogate alone, which Python's own reader takes."""
    try:
        value = json.loads(body.decode(), parse_constant=_refuse, parse_float=_finite, parse_int=_finite)
    except (ValueError, RecursionError):
        value = None
    path = unclean_path(value)
    if path is None:
        raise Unreadable(f"the body is no JSON: {error}") from error
    return value, path


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)


def _finite(written: str) -> int | float:
    number = float(written)
    if math.isinf(number):
        raise ValueError(written)
    return int(written) if number.is_integer() and abs(number) < 2**63 and written.lstrip("-").isdigit() else number


def unclean_path(value: Any) -> str | None:
    """Where the first text that is not clean stands: `contact.email`, `lines.0.title`; None where there is none."""
    waiting: list[tuple[str, Any]] = [("", value)]
    while waiting:
        path, one = waiting.pop()
        if isinstance(one, str) and not is_clean(one):
            return path
        if isinstance(one, dict):
            if any(not is_clean(name) for name in one):
                return f"{path}.(name)".lstrip(".")
            waiting += reversed([(f"{path}.{name}".lstrip("."), inner) for name, inner in one.items()])
        elif isinstance(one, list):
            waiting += reversed([(f"{path}.{place}".lstrip("."), inner) for place, inner in enumerate(one)])
    return None
