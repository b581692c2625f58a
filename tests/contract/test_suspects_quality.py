"""What the hub promises about suspected duplicates, on people whose truth is known; the data is fetched once."""

from __future__ import annotations

import pytest
from rich.console import Console

from bench.identity.quality import SETS, evaluate


@pytest.mark.nightly
@pytest.mark.parametrize("name", SETS)
def test_suspected_duplicates_are_found_and_are_right(name: str) -> None:
    report = evaluate(name, Console(quiet=True))
    assert report.missed() == []
    assert report.largest <= report.true_largest, "joining every likely pair makes nobody too large"
    assert report.skipped_blocks == 0
