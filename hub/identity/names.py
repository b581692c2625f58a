"""Whether two given names may belong to one person (rule 1 of identity-check.md §1)."""

from __future__ import annotations

from functools import lru_cache

from jellyfish import metaphone
from rapidfuzz.distance import OSA

from hub.identity.nicknames import FORMAL, FORMALS

_LEAST_SIGNS = 3
_LONG_NAME = 8


@lru_cache(maxsize=65_536)
def code(given: str) -> str:
    """The phonetic code of a folded given name's formal form; the name itself where it has none (other scripts)."""
    formal = FORMAL.get(given, given)
    return metaphone(formal) or formal


@lru_cache(maxsize=262_144)
def clearly_different(one: str, other: str) -> bool:
    """Two folded given names that hardly belong to one person: no rule of equality, short form or slip fits."""
    if not one or not other or one == other:
        return False
    return not (same_formal(one, other) or _initial(one, other) or _sounds_alike(one, other) or _slip(one, other))


@lru_cache(maxsize=65_536)
def same_formal(one: str, other: str) -> bool:
    """Equal, a nickname of it, or a shared part (Hans and Hans-Peter)."""
    if {one, *FORMALS.get(one, ())} & {other, *FORMALS.get(other, ())}:
        return True
    parts, others = set(one.split("-")), set(other.split("-"))
    return bool(parts & others) and (len(parts) > 1 or len(others) > 1)


def _initial(one: str, other: str) -> bool:
    return min(len(one), len(other)) == 1 and one[0] == other[0]


def _sounds_alike(one: str, other: str) -> bool:
    sound = metaphone(one)
    return len(sound) >= _LEAST_SIGNS and sound == metaphone(other)


def _slip(one: str, other: str) -> bool:
    allowed = 2 if min(len(one), len(other)) >= _LONG_NAME else 1
    return one[0] == other[0] and OSA.distance(one, other, score_cutoff=allowed) <= allowed


def groups_differ(group: frozenset[str], others: frozenset[str]) -> bool:
    """Two groups of given names are clearly different when every pair of them is (rule 2)."""
    return bool(group) and bool(others) and all(clearly_different(one, other) for one in group for other in others)
