"""The JSON object that a tool posts, looked into by names: what is wrong is refused by its path, `customer.email`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from hub.components import Request
from hub.errors import Reject, Unreadable, WrongType
from producers.texts import media_type, read_json

LONGEST_TEXT = 4096
"""Characters of every text but prose (see schemas.identifiers.Text)."""

DECIMAL = re.compile(r"-?\d+(\.\d+)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Part:
    """An object within the body and where it stands there; one that is absent has no values.

    What is read of it is None where it is absent, null or blank. Raises Reject with the path where it is of another
    type than what is asked for.
    """

    value: Mapping[str, Any]
    path: str = ""

    def text(self, name: str, longest: int | None = LONGEST_TEXT) -> str | None:
        """A text as it was written, or a number as text; of `longest` characters at the most."""
        value = self.value.get(name)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return str(value)
        if value is not None and not isinstance(value, str):
            raise Reject("is no text", self.at(name))
        if value and longest and len(value) > longest:
            raise Reject(f"the text has more than {longest} characters", self.at(name))
        return value if value and value.strip() else None

    def prose(self, name: str) -> str | None:
        """A text of any length, for people to read."""
        return self.text(name, None)

    def first(self, *names: str) -> str | None:
        """The first of these texts that says something."""
        return next(filter(None, map(self.text, names)), None)

    def needed(self, name: str) -> str:
        """A text that must be there."""
        text = self.text(name)
        if text is None:
            raise Reject("is missing", self.at(name))
        return text

    def count(self, name: str) -> int | None:
        """A whole number."""
        value = self.value.get(name)
        if value is not None and (not isinstance(value, int) or isinstance(value, bool)):
            raise Reject("is no whole number", self.at(name))
        return value

    def flag(self, name: str) -> bool | None:
        """Yes or no."""
        value = self.value.get(name)
        if value is not None and not isinstance(value, bool):
            raise Reject("is neither true nor false", self.at(name))
        return value

    def amount(self, name: str) -> str | None:
        """A decimal text, `19.90`."""
        text = self.text(name)
        if text is not None and not DECIMAL.fullmatch(text):
            raise Reject("is no decimal number", self.at(name))
        return text

    def part(self, name: str) -> Part:
        """An object."""
        value = self.value.get(name)
        if value is not None and not isinstance(value, dict):
            raise Reject("is no object", self.at(name))
        return Part(value or {}, self.at(name))

    def parts(self, name: str) -> Iterator[Part]:
        """The objects of a list."""
        value = self.value.get(name)
        if value is not None and not isinstance(value, list):
            raise Reject("is no list", self.at(name))
        for place, one in enumerate(value or ()):
            at = f"{self.at(name)}.{place}"
            if not isinstance(one, dict):
                raise Reject("is no object", at)
            yield Part(one, at)

    def at(self, name: str) -> str:
        """The path of a name in it."""
        return f"{self.path}.{name}" if self.path else name


def check_type(request: Request) -> None:
    """Raises WrongType where the body is labelled as something else than JSON; no label is none."""
    essence, _ = media_type(request.headers.get("content-type", ""))
    if essence not in {"", "application/json", "text/json"} and not essence.endswith("+json"):
        raise WrongType(f"the body is JSON here, not {essence[:100]!r}", "content-type")


def read_object(body: bytes) -> Part:
    """The object that a body is. Raises Unreadable where it is none, Reject for a text that no database can keep."""
    value, unclean = read_json(body)
    if not isinstance(value, dict):
        raise Unreadable("the body is no JSON object")
    if unclean is not None:
        raise Reject("the text holds the character NUL or a lone surrogate", unclean)
    return Part(value)


def told(**words: Any) -> dict[str, Any]:
    """What there is to tell: neither None nor empty."""
    return {name: value for name, value in words.items() if value not in (None, {}, [], "")}
