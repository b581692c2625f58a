"""Places where a test may end this process as `kill -9` would: between two steps that no transaction joins.

`HUB_CRASH_AT=name` ends it the first time it comes by, `HUB_CRASH_AT=name:3` the third time. Without the variable a
call compares two words and goes on.
"""

from __future__ import annotations

import os

_PLACE, _, _TIMES = os.environ.get("HUB_CRASH_AT", "").partition(":")  # noqa: TID251 - a switch of tests, no setting
_left = int(_TIMES or 1)
KILLED = 137


def crash_here(name: str) -> None:
    """End the process here, without any clean-up, where HUB_CRASH_AT says so."""
    global _left  # noqa: PLW0603 - counts down once per process
    if name != _PLACE:
        return
    _left -= 1
    if _left == 0:
        os._exit(KILLED)
