"""Fixtures for every test that needs a real server, and what holds for every run."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from hub.embedded import Addresses

TOLD = "told"

# At every request httpcore tries to import it: three quarters of what a request costs, where it is not installed.
if find_spec("sniffio") is None:
    sys.modules["sniffio"] = None  # type: ignore[assignment] # how Python is told that there is none


def pytest_collection_finish() -> None:
    """What was imported and collected stays to the end: the garbage collector need not look at it again and again."""
    gc.collect()
    gc.freeze()


@pytest.fixture
def tell(record_property: Callable[[str, object], None]) -> Callable[[str], None]:
    """Say a line to whoever runs the tests, whatever becomes of the test. It is shown at the end of the run: beside
    others, a test has no terminal.
    """
    return lambda line: record_property(TOLD, line)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show what tests told."""
    reports = [one for found in terminalreporter.stats.values() for one in found if isinstance(one, pytest.TestReport)]
    told = [line for one in reports if one.when == "call" for name, line in one.user_properties if name == TOLD]
    if told:
        terminalreporter.section("what tests tell")
    for line in told:
        terminalreporter.write_line(str(line))


@pytest.fixture(scope="session")
def servers() -> Iterator[Addresses]:
    """Kafka, PostgreSQL and Redis, one set for the whole session: a test makes its own database and topic names."""
    from tests.support import servers as real  # every process of a test run loads this file, and few start servers

    with real.servers() as addresses:
        yield addresses
