"""What is wrong with a file: where, why, and the nearest right word."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, get_args

from pydantic import BaseModel, ValidationError
from rapidfuzz import fuzz, process

from schemas.conditions import CONDITIONS, DURATION, EVENT_TYPE, NAME, OF_PROFILE, PATH, EventAsked
from schemas.rules import AGAIN, MOMENT, STEPS, TAGGED, TRIGGERS, VERB

Place = tuple[str | int, ...]
"""Where in a file: keys and positions from the outside in."""

NEAR = 60
"""How alike two words are, of 100, for one to be offered in the place of the other."""
FEW = 9
"""So many words are named where none is near."""

PATTERNS = {
    NAME: "has to be small letters, digits and -, beginning with a letter, 64 at the most",
    DURATION: "has to be a duration, as 90s, 15m, 4h, 2d, 1w",
    AGAIN: "has to be always, once or a duration, as 30d",
    MOMENT: "has to be a time of day, as 09:00",
    EVENT_TYPE: "has to be the type of an event, as order.placed",
    PATH: "has to be a path into the event, as order.total",
    OF_PROFILE: "has to be owner, stage, tags, activities or fields.<name>",
    VERB: "has to be a verb in small letters, digits and _",
}
SORTS = {
    "string_type": "has to be a text",
    "int_type": "has to be a whole number",
    "bool_type": "has to be true or false",
    "tuple_type": "has to be a list",
    "list_type": "has to be a list",
    "dict_type": "has to hold words and their values, as {word: value}",
    "model_type": "has to hold words and their values, as {word: value}",
    "model_attributes_type": "has to hold words and their values, as {word: value}",
}


@lru_cache(maxsize=4096)
def path(place: Place) -> str:
    """A place as people write it: `if.all[0].count`."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place).removeprefix(".")


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong in a file; a warning is no reason to refuse it."""

    file: str
    line: int
    place: Place
    reason: str
    grade: Literal["error", "warning"] = "error"

    @property
    def path(self) -> str:
        """The place as people write it: `if.all[0].count`."""
        return path(self.place)

    def __str__(self) -> str:
        where = f"{self.path}: " if self.place else ""
        return f"{self.file}:{self.line}: {where}{'warning: ' * (self.grade == 'warning')}{self.reason}"


@dataclass(frozen=True, slots=True)
class Where:
    """A file's name and the line of each place in it."""

    file: str
    lines: Mapping[Place, int]

    def problem(self, place: Place, reason: str, grade: Literal["error", "warning"] = "error") -> Problem:
        """A problem at this place, or at the nearest place around it that the file names."""
        known = place
        while known and known not in self.lines:
            known = known[:-1]
        return Problem(self.file, self.lines.get(known, 1), place, reason, grade)


def nearest(word: str, words: Iterable[str], near: int = NEAR) -> str | None:
    """The word that was meant, or None where none is near."""
    found = process.extractOne(word, sorted(words), scorer=fuzz.ratio, score_cutoff=near)
    return found[0] if found else None


def meant(word: str, words: Iterable[str]) -> str:
    """The nearest right word as the end of a sentence; empty where none is near."""
    found = nearest(word, words)
    return f"; did you mean {found}?" if found and found != word else ""


def no_such(what: str, word: str, words: Iterable[str]) -> str:
    """The sentence for a name that nothing bears."""
    known = sorted(words)
    all_of_them = f"; there are {', '.join(known)}" if 1 < len(known) <= FEW else ""
    return f"no such {what}{meant(word, known) or all_of_them}"


def found_by(error: ValidationError, model: type[BaseModel]) -> Iterator[tuple[Place, str]]:
    """What a model says is wrong with a value, in words and by the file's own places."""
    details = error.errors(include_url=False)
    for detail in details:
        loc = detail["loc"]
        if detail["type"] == "too_short" and any(other["loc"][: len(loc)] == loc != other["loc"] for other in details):
            continue  # what it counts is what is wrong with the entries
        yield from _told(detail["type"], loc, detail, model)


def _told(sort: str, loc: Place, detail: Any, model: type[BaseModel]) -> Iterator[tuple[Place, str]]:
    place = tuple(part for part in loc if part not in TAGGED and part != "[key]")
    given, context = detail["input"], detail.get("ctx", {})
    match sort:
        case "extra_forbidden":
            yield place, no_such("word", str(loc[-1]), words_at(model, loc))
        case "missing":
            yield place, "is missing"
        case "condition":
            operators = [field.alias or name for name, field in EventAsked.model_fields.items() if name != "path"]
            yield from _unsorted(place, given, [*CONDITIONS], operators, detail["msg"])
        case "trigger":
            yield from _unsorted(place, given, [*TRIGGERS], ["if"], detail["msg"])
        case "step":
            yield from _unsorted(place, given, [*STEPS], [], detail["msg"])
        case "string_pattern_mismatch":
            yield place, PATTERNS.get(context["pattern"], "is empty")
        case "literal_error":
            yield place, f"has to be {context['expected'].replace(chr(39), '')}{_guess(given, context['expected'])}"
        case "value_error":
            yield place, str(context["error"])
        case _:
            yield place, SORTS.get(sort, detail["msg"][:1].lower() + detail["msg"][1:])


def _guess(given: object, expected: str) -> str:
    words = [word.strip(" '") for word in expected.replace(" or ", ",").split(",")]
    return meant(given, words) if isinstance(given, str) else ""


def _unsorted(place: Place, given: object, sorts: list[str], others: list[str], message: str) -> Iterator[Any]:
    """A map that holds none, or several, of the words that say what it is."""
    if not isinstance(given, Mapping):
        yield place, message
        return
    strange = [str(word) for word in given if word not in sorts and word not in others]
    near = [word for word in strange if nearest(word, sorts)]
    for word in near if not set(given) & set(sorts) else ():
        yield (*place, word), no_such("word", word, sorts)
    if not near or set(given) & set(sorts):
        several = [word for word in sorts if word in given]
        both = f", not {' and '.join(several)} together" if len(several) > 1 else ""
        yield place, message + both


def words_at(model: type[BaseModel], loc: Place) -> list[str]:
    """The words that the place around the end of `loc` knows."""
    current: type[BaseModel] | None = model
    for part in loc[:-1]:
        if part in TAGGED:
            current = TAGGED[str(part)]
        elif isinstance(part, str) and current is not None:
            field = next((one for name, one in current.model_fields.items() if part in {name, one.alias}), None)
            current = _model_in(field.annotation) if field else None
    return [field.alias or name for name, field in current.model_fields.items()] if current else []


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for one in get_args(annotation) if (found := _model_in(one))), None)
