"""Rules and segments for tests, as text and as what is read from it."""

from __future__ import annotations

from typing import Any

import orjson

from hub.automation.files import Loaded, read
from hub.automation.problems import Problem

STEPS: list[dict[str, Any]] = [{"add_tag": {"tag": "seen"}}]


def rule(**words: Any) -> Loaded:
    """A rule `some` with these words (`if_` for `if`); JSON is YAML."""
    said = {"rule": "some", "version": 1, "about": "A rule.", "when": {"event": "order.placed"}, "steps": STEPS}
    return read("some.yaml", orjson.dumps(said | {word.rstrip("_"): value for word, value in words.items()}))


def segment(name: str, condition: dict[str, Any]) -> Loaded:
    """A segment of this name."""
    said = {"segment": name, "version": 1, "about": "A segment.", "if": condition}
    return read(f"{name}.yaml", orjson.dumps(said))


def lines(*several: str) -> bytes:
    """A rule `some` that is fine, and these lines behind it; the first of them is line 6."""
    head = ("rule: some", "version: 1", "about: A rule.", "when: {event: order.placed}", "steps: [{end: {}}]")
    return "\n".join((*head, *several)).encode()


def told(problems: tuple[Problem, ...] | list[Problem]) -> list[str]:
    """The problems as a person reads them."""
    return [str(problem) for problem in problems]
