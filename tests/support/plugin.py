"""Fixtures for every test that needs a real server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from hub.embedded import Addresses
from tests.support import servers as real


@pytest.fixture(scope="session")
def servers() -> Iterator[Addresses]:
    """Kafka, PostgreSQL and Redis, one set for the whole session: a test makes its own database and topic names."""
    with real.servers() as addresses:
        yield addresses
