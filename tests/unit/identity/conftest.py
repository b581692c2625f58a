"""Hypothesis, here: every ordinary run sees the same examples, so that what turns red is the change's own doing.

`pytest -m nightly tests/unit/identity` looks for new ones: ten thousand for every property of who is who,
a thousand for every other one in this folder.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from hub.identity import outcome, resolve

HERE = Path(__file__).parent
NIGHT_SECONDS = 3600
SLOW_IS_FINE = (HealthCheck.too_slow, HealthCheck.function_scoped_fixture)
EVERY_DAY = settings(
    max_examples=40, derandomize=True, database=None, deadline=None, suppress_health_check=SLOW_IS_FINE
)
BY_NIGHT = settings(EVERY_DAY, derandomize=False)


def pytest_configure(config: pytest.Config) -> None:
    """Before the tests of this folder are read, which take `few` or `many` where they are about who is who."""
    night = config.getoption("markexpr") == "nightly"
    settings.register_profile(
        "few", settings(BY_NIGHT, max_examples=10_000) if night else settings(EVERY_DAY, max_examples=15)
    )
    settings.register_profile("many", settings(BY_NIGHT, max_examples=10_000) if night else EVERY_DAY)
    settings.register_profile(
        "others", settings(BY_NIGHT, max_examples=1_000) if night else settings(EVERY_DAY, max_examples=30)
    )
    settings.load_profile("others")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """By night every property of this folder is a nightly test."""
    if config.getoption("markexpr") != "nightly":
        return
    for item in items:
        if HERE in item.path.parents and getattr(getattr(item, "obj", None), "is_hypothesis_test", False):
            item.add_marker(pytest.mark.nightly)
            item.add_marker(pytest.mark.timeout(NIGHT_SECONDS))


@pytest.fixture
def small_caps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shared and crowded values are frequent: permutations of ordinary data hardly ever meet one."""
    monkeypatch.setattr(resolve, "MOST_CLAIMERS", {"email": 3, "mailbox": 3, "phone": 2, "device": 2})
    monkeypatch.setattr(resolve, "MOST_CODES", 2)
    monkeypatch.setattr(outcome, "MOST_CODES", 2)


@pytest.fixture
def no_caps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is shared: a value that was found to be so stays so, also when those who claimed it are erased."""
    for name in resolve.MOST_CLAIMERS:
        monkeypatch.setitem(resolve.MOST_CLAIMERS, name, 1000)
    monkeypatch.setattr(resolve, "MOST_CODES", 1000)
