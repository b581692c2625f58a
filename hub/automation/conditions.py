"""Does a condition hold? Evaluated whole, so that every value it asked for can be told afterwards.

A question that its value cannot answer (`at_least: 5` of a text) is an error of the rule and never simply "no". It
stays one where it matters: `all` with a part that is false is false, `any` with a part that is true is true, everything
else above an error is an error (the strong logic of Kleene). So the order of the parts never matters.

A count that nobody has made yet is unknown, and so is what hangs on it: only then it has to be made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Any, NamedTuple

from hub.automation.problems import Place
from hub.automation.values import Incomparable, age, before, contains, is_missing, order, same, starts_with
from hub.automation.view import Person, View
from hub.automation.walk import Leaf
from schemas.conditions import AllOf, AnyOf, Condition, CountAsked, EventAsked, Not, ProfileAsked, SegmentAsked
from schemas.rules import span

SHOWN = 200
"""Characters of a value that an explanation keeps."""
NOT_COUNTED = "not counted, for it makes no difference"
MOST_VALUES = 1000
"""Entries of a list that are looked at; a path through lists gathers no more."""


class Truth(StrEnum):
    """What comes out of a condition."""

    TRUE = "true"
    FALSE = "false"
    ERROR = "error"
    UNKNOWN = "unknown"


class Seen(NamedTuple):
    """One question: where it stands, what was asked, which value was there, what came out."""

    place: Place
    asked: str
    value: Any
    truth: Truth
    reason: str | None = None


class Outcome(NamedTuple):
    """Whether the condition holds, and every value seen, in the order of the file."""

    truth: Truth
    seen: tuple[Seen, ...] = ()

    @property
    def holds(self) -> bool:
        """True, without doubt."""
        return self.truth is Truth.TRUE


def evaluate(tree: Condition | None, view: View, place: Place = ("if",)) -> Outcome:
    """Whether the tree holds of what is seen; no tree always holds."""
    if tree is None:
        return Outcome(Truth.TRUE)
    looking = _Looking(view)
    truth = looking.at(tree, place)
    return Outcome(truth, tuple(looking.seen))


@dataclass(slots=True)
class _Looking:
    view: View
    seen: list[Seen] = field(default_factory=list)

    def at(self, tree: Condition, place: Place) -> Truth:
        match tree:
            case AllOf(parts=parts):
                return _all([self.at(one, (*place, "all", number)) for number, one in enumerate(parts)])
            case AnyOf(parts=parts):
                return _not(_all([_not(self.at(one, (*place, "any", n))) for n, one in enumerate(parts)]))
            case Not(part=part):
                return _not(self.at(part, (*place, "not")))
            case _:
                return self._leaf(tree, place)

    def _leaf(self, leaf: Leaf, place: Place) -> Truth:
        value = _value(leaf, self.view)
        if value is None and isinstance(leaf, CountAsked):
            self.seen.append(Seen(place, asked(leaf), None, Truth.UNKNOWN, NOT_COUNTED))
            return Truth.UNKNOWN
        reason = None
        try:
            truth = Truth.TRUE if _holds(leaf, value, self.view) else Truth.FALSE
        except Incomparable as error:
            truth, reason = Truth.ERROR, str(error)
        self.seen.append(Seen(place, asked(leaf), _shown(value), truth, reason))
        return truth


def _all(truths: list[Truth]) -> Truth:
    for found in (Truth.FALSE, Truth.UNKNOWN, Truth.ERROR):
        if found in truths:
            return found
    return Truth.TRUE


def _not(truth: Truth) -> Truth:
    return {Truth.TRUE: Truth.FALSE, Truth.FALSE: Truth.TRUE}.get(truth, truth)


def _value(leaf: Leaf, view: View) -> Any:
    match leaf:
        case CountAsked(types=types, window=window):
            since = before(view.at, span(window)) if window else None
            return view.counts(types, since, view.at)
        case SegmentAsked(segment=name):
            return name in view.segments
        case EventAsked(path=path):
            return _of_event(path, view)
        case ProfileAsked(path=path):
            return of_profile(path, view.profile)


def of_profile(path: str, person: Person) -> Any:
    """What `{profile: path}` asks for; None where there is nothing."""
    return person.fields.get(path[7:]) if path.startswith("fields.") else getattr(person, path)


def _of_event(path: str, view: View) -> Any:
    if view.event is None:
        return None
    if path in {"type", "source"}:
        return getattr(view.event, path)
    return reached(view.event.data, path)


def reached(data: object, path: str) -> Any:
    """What lies behind the path; through a list, what lies behind it in each entry. None where nothing does."""
    found, through = [data], False
    for step in path.split("."):
        entries = list(_entries(found))
        through = through or any(isinstance(one, list | tuple) for one in found)
        found = [one[step] for one in entries if isinstance(one, Mapping) and one.get(step) is not None]
        if not found:
            return None
    return found[:MOST_VALUES] if through else found[0]


def _entries(found: list[Any]) -> Iterator[Any]:
    """The values, lists replaced by their entries."""
    left = MOST_VALUES
    for one in found:
        several = one if isinstance(one, list | tuple) else (one,)
        yield from several[:left]
        left -= len(several)
        if left <= 0:
            return


def _holds(leaf: Leaf, value: Any, view: View) -> bool:
    if isinstance(leaf, SegmentAsked):
        return bool(value == leaf.is_)
    if isinstance(leaf, CountAsked):
        answers = [OPERATORS[word](value, wanted, view) for word, wanted in leaf.operators]
    else:
        missing = is_missing(value)
        answers = [_answers(word, value, wanted, view, missing=missing) for word, wanted in leaf.operators]
    return all(answers)  # of a list: what one operator cannot answer is an error, whatever the others say


def _answers(word: str, value: Any, wanted: Any, view: View, *, missing: bool) -> bool:
    if word == "exists":
        return bool(wanted) != missing
    if missing:
        return word in {"is_not", "not_in"}
    return OPERATORS[word](value, wanted, view)


Operator = Callable[[Any, Any, View], bool]
NOTHING = timedelta(0)
OPERATORS: dict[str, Operator] = {
    "is": lambda value, wanted, _: same(value, wanted),
    "is_not": lambda value, wanted, _: not same(value, wanted),
    "in": lambda value, wanted, _: any(same(value, one) for one in wanted),
    "not_in": lambda value, wanted, _: not any(same(value, one) for one in wanted),
    "contains": lambda value, wanted, _: contains(value, wanted),
    "starts_with": lambda value, wanted, _: starts_with(value, wanted),
    "at_least": lambda value, wanted, _: order(value, wanted) >= 0,
    "at_most": lambda value, wanted, _: order(value, wanted) <= 0,
    "more_than": lambda value, wanted, _: order(value, wanted) > 0,
    "less_than": lambda value, wanted, _: order(value, wanted) < 0,
    "within": lambda value, wanted, view: NOTHING <= age(value, view.at) < span(wanted),
    "older_than": lambda value, wanted, view: age(value, view.at) >= span(wanted),
}


def asked(leaf: Leaf) -> str:
    """The question in the words of the file: `profile fields.language is de`."""
    match leaf:
        case SegmentAsked(segment=name):
            return f"segment {name} is {str(leaf.is_).lower()}"
        case CountAsked(types=types, window=window):
            what = f"count {', '.join(types)}{f' within {window}' if window else ''}"
        case EventAsked(path=path):
            what = f"event {path}"
        case ProfileAsked(path=path):
            what = f"profile {path}"
    return f"{what} {leaf.compared}"


def _shown(value: Any, *, inside: bool = False) -> Any:
    """A value small enough to keep: long texts cut, large lists and objects by their size alone."""
    if isinstance(value, str):
        return value if len(value) <= SHOWN else f"{value[:SHOWN]}…"
    if isinstance(value, list | tuple) and not inside and len(value) <= 20:
        return [_shown(one, inside=True) for one in value]
    if isinstance(value, list | tuple | Mapping):
        return f"{'an object' if isinstance(value, Mapping) else 'a list'} of {len(value)}"
    return value
