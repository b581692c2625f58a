"""The measures by which suspected duplicates are judged, on cases that are counted by hand."""

from __future__ import annotations

import pytest

from bench.identity.measures import Quality, b_cubed, best, closure, largest, pairwise, together

TRUTH = ("ann", "ann", "ann", "bob", "bob", "zed")
TRUE = {(0, 1), (0, 2), (1, 2), (3, 4)}


def test_people_are_together_by_their_label() -> None:
    assert together(TRUTH) == TRUE


def test_precision_is_of_the_found_and_recall_of_the_true() -> None:
    assert pairwise({(0, 1), (4, 5)}, TRUE) == Quality(0.5, 0.25)
    assert pairwise(set(), TRUE) == Quality(1.0, 0.0)
    assert pairwise(set(), TRUE).f1 == 0
    assert Quality(0.5, 0.25).f1 == pytest.approx(1 / 3)


def test_the_best_threshold_is_the_one_with_the_highest_f1() -> None:
    ranked = [(9.0, (0, 1)), (8.0, (0, 2)), (7.0, (4, 5)), (6.0, (1, 2)), (-5.0, (2, 5))]
    assert best(ranked, TRUE) == Quality(3 / 4, 3 / 4)


def test_joining_pairs_joins_what_they_have_in_common() -> None:
    labels = closure([(4, 3), (1, 2), (0, 1)], 6)
    assert together(labels) == TRUE
    assert largest(labels) == 3


def test_b_cubed_is_a_mean_over_records() -> None:
    assert b_cubed(TRUTH, TRUTH) == Quality(1.0, 1.0)
    assert b_cubed("xxxxxx", TRUTH) == pytest.approx(((9 + 4 + 1) / 36, 1.0))
    assert b_cubed("uvwxyz", TRUTH) == pytest.approx((1.0, (3 / 3 + 2 / 2 + 1) / 6))
