"""Two profiles side by side, field by field, with a verdict each. Pure: it compares what is told of the two."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import product
from typing import Any

import orjson
from rapidfuzz.distance import OSA, JaroWinkler

from hub.identity.normalise import fold

EQUAL, SIMILAR, DIFFERENT, ONLY_ONE = "equal", "similar", "different", "only one"
FIRST = ("name", "given_name", "family_name", "birth_date", "email", "phone", "address", "company")
"""The fields that come first, in this order; the others follow by name."""
_LISTED = ("email", "phone")
_NEARLY = 0.88
_PARTS = ("street", "postcode", "city", "region")

Line = Mapping[str, Any]
"""A profile as it is told: `schemas.profile.Profile`."""


def side_by_side(one: Line, other: Line) -> list[dict[str, str]]:
    """A row per field that one of the two has: what each says, and the verdict. Several values stand with commas."""
    mine, its = _values(one), _values(other)
    ordered = [field for field in FIRST if field in mine or field in its]
    ordered += sorted((mine.keys() | its.keys()) - set(FIRST))
    return [_row(field, mine.get(field, []), its.get(field, [])) for field in ordered]


def called(line: Line | None) -> str:
    """What people call somebody: the name, else an address, else what a source calls them."""
    if line is None:
        return "nobody"
    said = {field: one["value"] for field, one in line["fields"].items()}
    name = said.get("name") or " ".join(filter(None, (said.get("given_name"), said.get("family_name"))))
    others = (*(one["value"] for one in line["identifiers"]), *(one["key"] for one in line["records"]))
    return name or next(iter(others), "nobody")


def verdict(mine: Sequence[str], its: Sequence[str]) -> str:
    """How the values of the two compare: one that both have makes them equal, whatever else they have."""
    if not mine or not its:
        return ONLY_ONE
    ours, theirs = {_plain(value) for value in mine}, {_plain(value) for value in its}
    if not ours.isdisjoint(theirs):
        return EQUAL
    return SIMILAR if any(_near(one, other) for one, other in product(ours, theirs)) else DIFFERENT


def _row(field: str, mine: Sequence[str], its: Sequence[str]) -> dict[str, str]:
    return {"field": field, "one": ", ".join(mine), "other": ", ".join(its), "verdict": verdict(mine, its)}


def _values(line: Line) -> dict[str, list[str]]:
    found = {field: [_readable(said["value"])] for field, said in line["fields"].items() if said["value"]}
    for kind in _LISTED:
        if values := [one["value"] for one in line["identifiers"] if one["type"] == kind]:
            found[kind] = values
    return found


def _readable(value: str) -> str:
    """An address is told as the JSON of its parts."""
    if not value.startswith("{"):
        return value
    try:
        parts = orjson.loads(value)
    except orjson.JSONDecodeError:
        return value
    return ", ".join(_written(parts, (*_PARTS, *sorted(parts.keys() - set(_PARTS)))))


def _written(parts: Mapping[str, Any], order: Iterable[str]) -> list[str]:
    return [str(parts[part]) for part in order if parts.get(part)]


def _plain(value: str) -> str:
    return fold(value) or value.casefold()


def _near(one: str, other: str) -> bool:
    """Numbers and dates are near by a slip, or with day and month turned; words by Jaro–Winkler."""
    if OSA.distance(one, other, score_cutoff=1) <= 1 or sorted(one.split("-")) == sorted(other.split("-")):
        return True
    digits = any(sign.isdigit() for sign in one) and any(sign.isdigit() for sign in other)
    return not digits and JaroWinkler.normalized_similarity(one, other) >= _NEARLY
