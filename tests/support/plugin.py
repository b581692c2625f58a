"""Fixtures for every test that needs a real server, and what holds for every run."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from hub.embedded import Addresses


def pytest_collection_finish() -> None:
    """What was imported and collected stays to the end: the garbage collector need not look at it again and again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def servers() -> Iterator[Addresses]:
    """Kafka, PostgreSQL and Redis, one set for the whole session: a test makes its own database and topic names."""
    from tests.support import servers as real  # every process of a test run loads this file, and few start servers

    with real.servers() as addresses:
        yield addresses
