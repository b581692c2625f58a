"""JSONPath, the part of it that field maps need, and where each value was found.

The spelling is that of RFC 9535, so nobody learns another one: `$.a.b`, `$['a b']`, `$.a[0]`, `$.a[-1]`, `$.a[*]`,
`$.a[?@.b.c == 'text']`. The libraries that read all of it (python-jsonpath, jsonpath-ng) take about ten times as long,
300 µs for a filter over ten answers: a form of twenty fields would hold up the gateway for milliseconds. A test
asks python-jsonpath whether both find the same.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from typing import Any, NamedTuple

_NAME = r"[A-Za-z_\u0080-\U0010ffff][\w\u0080-\U0010ffff]*"
_INNER = rf"(?:\.{_NAME}|\['[^'\\]*'\])"
_INNER_NAME = re.compile(rf"\.({_NAME})|\['([^'\\]*)'\]", re.ASCII)
_STEP = re.compile(
    rf"""\.(?P<name>{_NAME})
    |\[\s*(?:'(?P<quoted>[^'\\]*)'
        |"(?P<double>[^"\\]*)"
        |(?P<index>-?\d{{1,9}})
        |(?P<each>\*)
        |\?\s*@(?P<inner>{_INNER}+)\s*==\s*'(?P<text>[^'\\]*)'
    )\s*\]""",
    re.VERBOSE | re.ASCII,
)


class Node(NamedTuple):
    """A value and the element of a list that it was found in: the innermost one, None where no list was passed."""

    value: Any
    element: Any = None


Step = Callable[[Node], list[Node]]


@dataclass(frozen=True, slots=True)
class Path:
    """A path, read once; `written` is what it says."""

    written: str
    steps: tuple[Step, ...]

    def nodes(self, document: Any) -> list[Node]:
        """What it leads to, in the order of the document; nothing where it leads nowhere."""
        return reduce(_walk, self.steps, [Node(document)])


def compile_path(written: str) -> Path:
    """Raises ValueError that shows the place where it is no path."""
    if not written.startswith("$"):
        raise ValueError(f"{written!r} is no path: it begins with $")
    place, steps = 1, []
    while place < len(written):
        found = _STEP.match(written, place)
        if found is None:
            raise ValueError(
                f"{written!r} is no path from {written[place:]!r} on: .name, ['a name'], [0], [*] or a filter"
            )
        steps.append(_step(found))
        place = found.end()
    return Path(written, tuple(steps))


def _walk(nodes: list[Node], step: Step) -> list[Node]:
    return [deeper for node in nodes for deeper in step(node)]


def _step(found: re.Match[str]) -> Step:
    if found["index"] is not None:
        return _at(int(found["index"]))
    if found["each"]:
        return _each
    if found["inner"]:
        names = [plain or quoted for plain, quoted in _INNER_NAME.findall(found["inner"])]
        return _where(names, found["text"])
    return _named(next(name for name in found.group("name", "quoted", "double") if name is not None))


def _named(name: str) -> Step:
    def step(node: Node) -> list[Node]:
        value = node.value
        return [Node(value[name], node.element)] if isinstance(value, dict) and name in value else []

    return step


def _at(index: int) -> Step:
    def step(node: Node) -> list[Node]:
        value = node.value
        there = isinstance(value, list) and -len(value) <= index < len(value)
        return [Node(value[index], value[index])] if there else []

    return step


def _each(node: Node) -> list[Node]:
    value = node.value
    values = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [Node(one, one) for one in values]


def _where(names: list[str], text: str) -> Step:
    def fits(value: Any) -> bool:
        for name in names:
            value = value.get(name) if isinstance(value, dict) else None
        return bool(value == text)

    def step(node: Node) -> list[Node]:
        return [one for one in _each(node) if fits(one.value)]

    return step
