"""The contracts, made once: that making them again gives the same is a test of its own."""

from __future__ import annotations

import pytest

from hub.cli.contracts import Json, contracts


@pytest.fixture(scope="session")
def made() -> dict[str, Json]:
    """What the code says today; not to be changed."""
    return contracts()
