"""YAML 1.2 as plain values, with the line of everything: maps, lists and scalars; no anchors, tags or second documents.

Plain scalars follow the core schema of YAML 1.2 (https://yaml.org/spec/1.2.2/#103-core-schema) without octal and
hexadecimal numbers: `no` and `on` are texts, and so is `2026-01-31`. Keys are always texts.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentEndEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from hub.automation.problems import Place

DEEPEST = 64
"""Maps and lists within each other; more than any file within its own limits needs."""
DIRECTIVE = re.compile(r"^%", re.MULTILINE)
WHOLE = re.compile(r"[+-]?[0-9]{1,30}")
MOST = 10_000
"""Values of a file: 64 KiB could hold so many that reading them takes seconds."""
BROKEN = re.compile(r"[+-]?(\.[0-9]{1,30}|[0-9]{1,30}(\.[0-9]{0,30})?)([eE][+-]?[0-9]{1,2})?")
WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}


class Unread(Exception):
    """The text cannot be read further than this line."""

    def __init__(self, line: int, place: Place, reason: str) -> None:
        super().__init__(reason)
        self.line, self.place, self.reason = line, place, reason


class Reading:
    """A text on its way to a value: `lines` has the line of each place, `twice` what a map says a second time."""

    def __init__(self, text: str) -> None:
        self.lines: dict[Place, int] = {}
        self.twice: list[tuple[Place, int]] = []
        self._text = text

    def value(self) -> object:
        """The document. Raises Unread."""
        if found := DIRECTIVE.search(self._text):
            raise Unread(self._text.count("\n", 0, found.start()) + 1, (), "a line that begins with % is not read here")
        events = self._events()
        event = next(events)
        while isinstance(event, DocumentStartEvent) or type(event).__name__ == "StreamStartEvent":
            event = next(events)
        if isinstance(event, StreamEndEvent):
            raise Unread(1, (), "the file is empty")
        value = self._node(event, events, ())
        after = next(events)
        while isinstance(after, DocumentEndEvent):
            after = next(events)
        if not isinstance(after, StreamEndEvent):
            raise Unread(_line(after), (), "a second document begins here: one file is one rule or one segment")
        return value

    def _events(self) -> Iterator[Any]:
        try:
            yield from YAML(typ="safe", pure=True).parse(io.StringIO(self._text))
        except MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            raise Unread(mark.line + 1 if mark else 1, (), f"is no YAML: {error.problem or error.context}") from error
        except (YAMLError, ValueError, IndexError) as error:
            raise Unread(1, (), f"is no YAML: {str(error).splitlines()[0]}") from error

    def _node(self, event: Any, events: Iterator[Any], place: Place) -> object:
        self.lines.setdefault(place, _line(event))
        if isinstance(event, AliasEvent) or event.anchor:
            raise Unread(_line(event), place, "anchors (&) and aliases (*) are not read here; a text is quoted")
        if event.tag and event.tag != "!":
            raise Unread(_line(event), place, f"tags ({event.tag}) are not read here; a text is quoted")
        if len(place) > DEEPEST:
            raise Unread(_line(event), (), f"is nested more than {DEEPEST} times")
        if len(self.lines) > MOST:
            raise Unread(_line(event), (), f"holds more than {MOST} values")
        if isinstance(event, MappingStartEvent):
            return self._map(events, place)
        if isinstance(event, SequenceStartEvent):
            return self._list(events, place)
        return _scalar(event) if isinstance(event, ScalarEvent) else None

    def _map(self, events: Iterator[Any], place: Place) -> dict[str, object]:
        found: dict[str, object] = {}
        while not isinstance(event := next(events), MappingEndEvent):
            if not isinstance(event, ScalarEvent) or event.anchor or (event.tag and event.tag != "!"):
                raise Unread(_line(event), place, "a key has to be a plain word")
            inner = (*place, event.value)
            if event.value in found:
                self.twice.append((inner, _line(event)))
            self.lines.setdefault(inner, _line(event))
            value = self._node(next(events), events, inner)
            found.setdefault(event.value, value)
        return found

    def _list(self, events: Iterator[Any], place: Place) -> list[object]:
        found: list[object] = []
        while not isinstance(event := next(events), SequenceEndEvent):
            found.append(self._node(event, events, (*place, len(found))))
        return found


def _line(event: Any) -> int:
    return int(event.start_mark.line) + 1


def _scalar(event: Any) -> object:
    """A quoted or block scalar is a text; a plain one what the core schema says."""
    written: str = event.value
    if event.style not in {None, ""}:
        return written
    if written in WORDS:
        return WORDS[written]
    if WHOLE.fullmatch(written):
        return int(written)
    return float(written) if BROKEN.fullmatch(written) else written
