"""A file's text as a rule or a segment, or everything that is wrong with it at once."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from pydantic import ValidationError

from hub.automation.plan import body_of
from hub.automation.problems import Place, Problem, Where, found_by
from hub.automation.reader import Reading, Unread
from hub.automation.walk import depth, leaves, nodes, roots, steps_of
from schemas.conditions import EventAsked
from schemas.rules import Rule, Segment

LARGEST = 64 * 1024
"""Bytes of a file."""
DEEPEST, MOST_NODES, MOST_STEPS = 8, 100, 50
"""Of a condition tree: levels, and conditions in all. Of a rule: steps, those of its branches among them."""

_TRIED = re.compile(rb"mode:[ \t]+(trial|'trial'|\"trial\")[ \t]*(#.*)?")


@dataclass(frozen=True, slots=True)
class Loaded:
    """What became of a file: `value` is None where it is refused."""

    where: Where
    value: Rule | Segment | None
    problems: tuple[Problem, ...] = ()


def read(file: str, content: bytes) -> Loaded:
    """The rule or segment in a file of this name. Never raises: what is wrong stands in `problems`."""
    where = Where(file, {})
    if len(content) > LARGEST:
        return _refused(where, [Problem(file, 1, (), f"is larger than {LARGEST // 1024} KiB")])
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        return _refused(where, [Problem(file, line, (), "is not UTF-8")])
    reading = Reading(text)
    try:
        value = reading.value()
    except Unread as stop:
        return _refused(where, [Problem(file, stop.line, stop.place, stop.reason)])
    where = Where(file, reading.lines)
    twice = [Problem(file, line, place, "is said twice") for place, line in reading.twice]
    return _modelled(where, value, twice)


def _modelled(where: Where, value: object, problems: list[Problem]) -> Loaded:
    if not isinstance(value, Mapping) or ("rule" in value) == ("segment" in value):
        wanted = "has to begin with `rule: its-name` or `segment: its-name`"
        return _refused(where, [*problems, where.problem((), wanted)])
    model: type[Rule | Segment] = Rule if "rule" in value else Segment
    try:
        made = model.model_validate(value)
    except ValidationError as error:
        return _refused(where, [*problems, *(where.problem(*one) for one in found_by(error, model))])
    problems += [where.problem(place, reason) for place, reason in (*_misnamed(where, made), *_limits(made))]
    problems += [where.problem(place, reason) for place, reason in _of_segments(made)]
    return _refused(where, problems) if problems else Loaded(where, made)


def _refused(where: Where, problems: list[Problem]) -> Loaded:
    return Loaded(where, None, tuple(sorted(problems, key=lambda one: one.line)))


def _misnamed(where: Where, made: Rule | Segment) -> Iterator[tuple[Place, str]]:
    name = PurePath(where.file).stem
    if made.name != name:
        word = "rule" if isinstance(made, Rule) else "segment"
        yield (word,), f"is called {made.name}, the file {name}: they have to be the same"


def _limits(made: Rule | Segment) -> Iterator[tuple[Place, str]]:
    for place, tree in roots(made):
        if (deep := depth(tree)) > DEEPEST:
            yield place, f"is {deep} levels deep, {DEEPEST} at the most: a segment may hold a part of it"
        if (many := nodes(tree)) > MOST_NODES:
            yield place, f"holds {many} conditions, {MOST_NODES} at the most: a segment may hold a part of it"
    if isinstance(made, Rule) and (count := sum(1 for _ in steps_of(made.steps))) > MOST_STEPS:
        yield ("steps",), f"are {count}, those of branches among them; {MOST_STEPS} at the most"


def _of_segments(made: Rule | Segment) -> Iterator[tuple[Place, str]]:
    """A segment is about people: there is no event when somebody asks who is in it."""
    if isinstance(made, Segment):
        for place, leaf in leaves(made.condition, ("if",)):
            if isinstance(leaf, EventAsked):
                yield (*place, "event"), "a segment knows no event: ask the profile or a count"


def without_trial(file: str, content: bytes) -> bytes | None:
    """The text of a rule on trial without its line `mode: trial`; None where there is no one line that can go."""
    lines = content.splitlines(keepends=True)
    told = [number for number, line in enumerate(lines) if _TRIED.fullmatch(line.rstrip(b"\r\n"))]
    left = b"".join(line for number, line in enumerate(lines) if number not in told)
    before, after = (read(file, text).value for text in (content, left))
    if len(told) != 1 or before is None or not isinstance(after, Rule) or after.mode == "trial":
        return None
    return left if body_of(before) == body_of(after) else None


def parsed(value: Mapping[str, Any]) -> Rule | Segment:
    """A rule or segment that was checked before, out of its JSON. Raises pydantic's ValidationError."""
    return Rule.model_validate(value) if "rule" in value else Segment.model_validate(value)
