"""How sure it is that two people are one, by Fellegi and Sunter: the weights of the levels, added up.

A weight is log2(m / u): how much more often a level is met among pairs of one person than among pairs of two. A name
that both bear weighs more the rarer it is. (I. Fellegi, A. Sunter, A Theory for Record Linkage, JASA 64, 1969.)
"""

from __future__ import annotations

from typing import NamedTuple

from hub.identity.ids import hash_id
from hub.identity.suspects.comparison import (
    ALIKE,
    DIFFERENT,
    LEVELS,
    MISSING,
    REGION,
    SAME,
    SLIP,
    TOWN,
    TURNED,
    Levels,
    compare,
)
from hub.identity.suspects.traits import Traits
from hub.identity.suspects.weights import WEIGHTS, Weights

LIKELY, POSSIBLE = "likely", "possible"
LEAST_LIKELY, LEAST_POSSIBLE = 0.99, 0.90
MOST_IN_DOUBT = 0.98
"""Where something speaks clearly against it, a pair is never more than possible."""
FREQUENT = "the same, but frequent"
_FREQUENT_BITS = 7.0
_SIGNS = ((10.0, "+++"), (5.0, "++"), (0.5, "+"), (-0.5, "0"), (-2.0, "−"), (-5.0, "−−"))
_LEAST_SIGN = "−−−"
_TRAITS = tuple(LEVELS)
_SAYS_NOTHING = frozenset({MISSING, DIFFERENT, REGION, TOWN})
_NEAR = frozenset({SAME, ALIKE})
_PERHAPS_ANOTHER = frozenset({MISSING, DIFFERENT})
_SAME_DAY = frozenset({SAME, SLIP, TURNED})
_MOST_BITS = 1_000.0


class Reason(NamedTuple):
    """Why a pair is scored as it is, for people: the trait, how alike it is in words, and how much that says.

    `sign` is one of +++ ++ + 0 − −− −−−; it is empty where one of the two says nothing.
    """

    trait: str
    level: str
    sign: str


class Score(NamedTuple):
    """How sure it is. `weight` is in bits, without the prior; `band` is None where the pair is not worth a look."""

    weight: float
    probability: float
    band: str | None
    levels: Levels
    bits: tuple[float, ...]

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """What was compared, trait by trait, in a fixed order: all of it, also what says nothing."""
        return tuple(map(_reason, _TRAITS, self.levels, self.bits))


def score(one: Traits, other: Traits, weights: Weights = WEIGHTS) -> Score:
    """How sure it is that two people are one; the same whichever comes first.

    Never more than possible: people whose given names are not known to be alike, unless their birth dates are (a
    household shares the rest), and those who are alike in nothing but name and town. By their weights alone such pairs
    would be sure, for weights take traits to be independent of each other.
    """
    levels = compare(one, other)
    bits = [known[level] for known, level in zip(weights.bits.values(), levels, strict=True)]
    if levels.given in _NEAR:
        bits[0] = _name_bits("given", (one.given, other.given), weights, bits[0], levels.given)
    if levels.family in _NEAR:
        bits[1] = _name_bits("family", (one.family, other.family), weights, bits[1], levels.family)
    weight = sum(bits)
    probability = _probability(weight + weights.prior)
    if probability > MOST_IN_DOUBT and _in_doubt(levels):
        probability = MOST_IN_DOUBT
    return Score(weight, probability, _band(probability), levels, tuple(bits))


def _name_bits(trait: str, names: tuple[str, str], weights: Weights, bits: float, level: str) -> float:
    """What a name says: as much as it is rare; one that is nearly a frequent name says no more than that one."""
    known, rare = weights.names[trait], weights.rare[trait]
    if level == SAME:
        return known.get(names[0], rare)
    return min(bits, known.get(names[0], rare), known.get(names[1], rare))


def _probability(log_odds: float) -> float:
    return 1 / (1 + 2 ** -max(min(log_odds, _MOST_BITS), -_MOST_BITS))


def _band(probability: float) -> str | None:
    if probability >= LEAST_LIKELY:
        return LIKELY
    return POSSIBLE if probability >= LEAST_POSSIBLE else None


def _in_doubt(levels: Levels) -> bool:
    if levels.given in _PERHAPS_ANOTHER and levels.birth_date not in _SAME_DAY:
        return True
    return _SAYS_NOTHING.issuperset(levels[2:])


def _reason(trait: str, level: str, bits: float) -> Reason:
    if level == MISSING:
        return Reason(trait, level, "")
    frequent = level == SAME and trait in {"given", "family"} and bits < _FREQUENT_BITS
    sign = next((sign for least, sign in _SIGNS if bits >= least), _LEAST_SIGN)
    return Reason(trait, FREQUENT if frequent else level, sign)


def fingerprint(one: Traits, other: Traits, weights: Weights = WEIGHTS) -> str:
    """What a score depends on, as 32 hexadecimal digits: a rejected pair comes back when this has changed.

    The number of people, which moves the prior, is left out: growth alone brings nobody back.
    """
    return hash_id("suspects", weights.version, *sorted(map(repr, (one, other)))).hex()
