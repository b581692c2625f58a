"""Hypothesis, here: every ordinary run sees the same examples, so that what turns red is the change's own doing.

`pytest -m nightly tests/unit/identity` looks for new ones, a hundred times as many; without `-m` those tests stay out.
"""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings

SLOW_IS_FINE = (HealthCheck.too_slow, HealthCheck.function_scoped_fixture)
settings.register_profile(
    "ci", max_examples=60, derandomize=True, database=None, deadline=None, suppress_health_check=SLOW_IS_FINE
)
settings.load_profile("ci")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Nightly tests are asked for by their mark."""
    if not config.getoption("markexpr"):
        late = [item for item in items if item.get_closest_marker("nightly")]
        config.hook.pytest_deselected(items=late)
        items[:] = [item for item in items if item not in late]
