"""Conditions once more, from their YAML words alone and in the plainest way: what the hub's evaluation has to equal.

True is 1, an error one half, false 0; `all` is the least, `any` the greatest, `not` what is left to 1.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

DIGITS = set("0123456789")
UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
FORMS = ("%Y-%m-%d", "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%M:%S%z")
HALF = Fraction(1, 2)


def truth(tree: dict[str, Any], world: dict[str, Any]) -> str:
    """true, false or error."""
    return {Fraction(1): "true", HALF: "error", Fraction(0): "false"}[_weight(tree, world)]


def _weight(tree: dict[str, Any], world: dict[str, Any]) -> Fraction:
    if "all" in tree:
        return min(_weight(one, world) for one in tree["all"])
    if "any" in tree:
        return max(_weight(one, world) for one in tree["any"])
    if "not" in tree:
        return 1 - _weight(tree["not"], world)
    if "segment" in tree:
        return Fraction((tree["segment"] in world["segments"]) == tree.get("is", True))
    words = {word: wanted for word, wanted in tree.items() if word not in {"event", "profile", "count"}}
    if "count" in tree:
        value: Any = _count(tree, world)
        words.pop("within", None)
    else:
        value = _looked_up(tree, world)
    answers = [_answer(word, value, wanted, world["at"]) for word, wanted in words.items()]
    return HALF if None in answers else Fraction(all(answers))


def _count(tree: dict[str, Any], world: dict[str, Any]) -> int:
    types = [tree["count"]] if isinstance(tree["count"], str) else tree["count"]
    back = _span(tree["within"]) if "within" in tree else timedelta(days=100_000)
    return sum(kind in types and timedelta(0) <= world["at"] - time < back for kind, time in world["activities"])


def _looked_up(tree: dict[str, Any], world: dict[str, Any]) -> Any:
    path = tree.get("event") or tree["profile"]
    if "profile" in tree:
        known = world | {"activities": len(world["activities"])}
        return world["fields"].get(path.removeprefix("fields.")) if "fields." in path else known[path]
    if path in {"type", "source"}:
        return world[path]
    found = world["data"]
    for step in path.split("."):
        if isinstance(found, list):
            found = [one[step] for one in found if isinstance(one, dict) and one.get(step) is not None] or None
        else:
            found = found.get(step) if isinstance(found, dict) else None
    return found


def _answer(word: str, value: Any, wanted: Any, at: datetime) -> bool | None:
    """None where the question has no answer."""
    absent = value is None or value in ([], {}) or (isinstance(value, str) and value.strip() == "")
    if word == "exists":
        return absent is not wanted
    if absent:
        return word in {"is_not", "not_in"}
    if word in {"within", "older_than"}:
        time = _time(value)
        if time is None:
            return None
        return timedelta(0) <= at - time < _span(wanted) if word == "within" else at - time >= _span(wanted)
    if word in {"at_least", "at_most", "more_than", "less_than"}:
        return _ordered(word, value, wanted)
    return _alike(word, value, wanted)


def _alike(word: str, value: Any, wanted: Any) -> bool | None:
    if word == "contains" and isinstance(value, list):
        return any(_equal(one, wanted) for one in value if not isinstance(one, list | dict | None))
    if word in {"contains", "starts_with"}:
        if not isinstance(value, str):
            return None
        inside, part = _plain(value), _plain(wanted)
        return part in inside if word == "contains" else inside[: len(part)] == part
    if isinstance(value, list | dict):
        return None
    if word in {"in", "not_in"}:
        return any(_equal(value, one) for one in wanted) is (word == "in")
    return _equal(value, wanted) is (word == "is")


def _ordered(word: str, value: Any, wanted: Any) -> bool | None:
    one: Any = _number(value)
    other: Any = _number(wanted)
    if other is None:
        one, other = _time(value), _time(wanted)
    if one is None or other is None:
        return None
    return bool({"at_least": one >= other, "at_most": one <= other, "more_than": one > other}.get(word, one < other))


def _equal(one: Any, other: Any) -> bool:
    numbers = [type(value) in {int, float} for value in (one, other)]
    if any(numbers):
        return _number(one) is not None and _number(one) == _number(other)
    times = _time(one), _time(other)
    return times[0] == times[1] if None not in times else _plain(one) == _plain(other)


def _plain(value: Any) -> str:
    return str(value).strip().lower()


def _number(value: Any) -> Fraction | None:
    if type(value) in {int, float}:
        return Fraction(str(value))
    text = value.strip() if isinstance(value, str) else ""
    whole, _, rest = text.removeprefix("-").partition(".")
    digits = bool(whole) and set(whole + rest) <= DIGITS and not text.endswith(".")
    return Fraction(text) if digits else None


def _time(value: Any) -> datetime | None:
    for form in FORMS if isinstance(value, str) else ():
        try:
            found = datetime.strptime(value.strip(), form)  # noqa: DTZ007 - given its zone in the next line
        except ValueError:
            continue
        return found if found.tzinfo else found.replace(tzinfo=UTC)
    return None


def _span(duration: str) -> timedelta:
    return timedelta(**{UNITS[duration[-1]]: int(duration[:-1])})
