"""The weights of the levels, as `bench.identity.train` has learned them; data that is shipped with the hub."""

from __future__ import annotations

from importlib.resources import files
from math import log2
from typing import NamedTuple

import msgspec

from hub.identity.suspects.comparison import MISSING, SAME

FEWEST_PEOPLE = 1_000
DUPLICATES_PER_PERSON = 0.1
"""How many pairs there are to be found per person, by assumption: training data is made to be full of them."""


class Chance(msgspec.Struct):
    """How often a level is met: `m` among pairs of one person, `u` among pairs of two. `origin` says who knows that."""

    m: float
    u: float
    origin: str


class Names(msgspec.Struct):
    """How frequent names are; one that is not listed counts as `other`."""

    frequency: dict[str, float]
    other: float


class File(msgspec.Struct):
    """`weights.json`."""

    version: str
    trained_on: list[str]
    duplicates_per_record: float
    levels: dict[str, dict[str, Chance]]
    names: dict[str, Names]


class Weights(NamedTuple):
    """What a pair is scored with. All numbers are bits: binary logarithms of odds and of their factors.

    `bits` has trait → level → weight, `names` trait → name → weight of two people who both bear it, `rare` the same for
    a name that is not listed. `prior` is for two people by chance, out of as many as `among` was told; `duplicates` is
    how many pairs per record the training data held.
    """

    version: str
    prior: float
    duplicates: float
    bits: dict[str, dict[str, float]]
    names: dict[str, dict[str, float]]
    rare: dict[str, float]

    def among(self, people: int, duplicates: float = DUPLICATES_PER_PERSON) -> Weights:
        """The weights for so many people: the more there are, the less a likeness says.

        `duplicates` is how many pairs per person there are to be found: of n²/2 pairs n times as many are true.
        """
        return self._replace(prior=log2(2 * duplicates / max(people, FEWEST_PEOPLE)))


def weights_of(written: bytes) -> Weights:
    """Weights out of a file's bytes. Raises msgspec.DecodeError where they are none."""
    file = msgspec.json.decode(written, type=File)
    bits = {
        trait: {MISSING: 0.0} | {level: log2(chance.m / chance.u) for level, chance in levels.items()}
        for trait, levels in file.levels.items()
    }
    same = {trait: file.levels[trait][SAME].m for trait in file.names}
    names = {
        trait: {name: log2(same[trait] / often) for name, often in known.frequency.items()}
        for trait, known in file.names.items()
    }
    rare = {trait: log2(same[trait] / known.other) for trait, known in file.names.items()}
    return Weights(file.version, 0.0, file.duplicates_per_record, bits, names, rare).among(FEWEST_PEOPLE)


WEIGHTS = weights_of(files(__package__).joinpath("weights.json").read_bytes())
"""The weights that the hub is shipped with, for a small company; see `among`."""
