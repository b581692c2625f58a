"""Measures of found pairs and of the people that come of them, against the truth. All are shares between 0 and 1."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Sequence
from itertools import combinations
from typing import NamedTuple

Pair = tuple[int, int]


class Quality(NamedTuple):
    """Precision, recall and their harmonic mean."""

    precision: float
    recall: float

    @property
    def f1(self) -> float:
        """2PR / (P + R); 0 where nothing was found."""
        both = self.precision + self.recall
        return 2 * self.precision * self.recall / both if both else 0.0


def together(labels: Sequence[Hashable]) -> set[Pair]:
    """Every two that bear the same label, smaller index first."""
    members: defaultdict[Hashable, list[int]] = defaultdict(list)
    for index, label in enumerate(labels):
        members[label].append(index)
    return {pair for one in members.values() for pair in combinations(one, 2)}


def pairwise(found: set[Pair], true: set[Pair]) -> Quality:
    """Of pairs."""
    right = len(found & true)
    return Quality(right / len(found) if found else 1.0, right / len(true))


def best(ranked: Iterable[tuple[float, Pair]], true: set[Pair]) -> Quality:
    """The highest F1 that any threshold gives: `ranked` holds weights and pairs, in any order."""
    top, right = Quality(1.0, 0.0), 0
    for number, (_, pair) in enumerate(sorted(ranked, reverse=True), 1):
        right += pair in true
        now = Quality(right / number, right / len(true))
        top = max(top, now, key=lambda one: one.f1)
    return top


def closure(pairs: Iterable[Pair], size: int) -> list[int]:
    """The label of each of `size` records when every pair is joined: the smallest index of those it is joined with."""
    label = list(range(size))

    def root(one: int) -> int:
        while label[one] != one:
            label[one] = label[label[one]]
            one = label[one]
        return one

    for one, other in pairs:
        low, high = sorted((root(one), root(other)))
        label[high] = low
    return [root(one) for one in range(size)]


def b_cubed(labels: Sequence[Hashable], truth: Sequence[Hashable]) -> Quality:
    """Per record: how much of its cluster is its own, how much of its own is in its cluster; the mean over all.

    A. Bagga, B. Baldwin, Entity-Based Cross-Document Coreferencing Using the Vector Space Model, 1998.
    """
    found, real = Counter(labels), Counter(truth)
    shared = Counter(zip(labels, truth, strict=True))
    total = len(labels)
    precision = sum(number * number / found[label] for (label, _), number in shared.items()) / total
    recall = sum(number * number / real[owner] for (_, owner), number in shared.items()) / total
    return Quality(precision, recall)


def largest(labels: Sequence[Hashable]) -> int:
    """The size of the largest cluster."""
    return max(Counter(labels).values())
