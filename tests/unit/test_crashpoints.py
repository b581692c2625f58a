"""A process ends where it is told to, at the time it is told, and nowhere else."""

from __future__ import annotations

import subprocess
import sys

import pytest

from hub.crashpoints import KILLED, crash_here

PROGRAM = """
from hub.crashpoints import crash_here
for turn in (1, 2, 3):
    crash_here("elsewhere")
    crash_here("here")
    print(turn, flush=True)
"""


@pytest.mark.parametrize(("place", "turns"), [("here", ""), ("here:1", ""), ("here:3", "1\n2\n")])
def test_it_ends_at_the_place_and_time_that_were_named(place: str, turns: str) -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], env={"HUB_CRASH_AT": place}, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (KILLED, turns)


@pytest.mark.parametrize("place", ["here:4", "nowhere", ""])
def test_it_goes_on_otherwise(place: str) -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], env={"HUB_CRASH_AT": place}, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "1\n2\n3\n")


def test_without_the_variable_nothing_happens() -> None:
    crash_here("here")
