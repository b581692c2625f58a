"""When to stop pouring records into the dead letters: a bad deploy must not eat a partition.

Counts unexpected exceptions of our own code alone; an event that cannot be read is its sender's affair and counts
for nothing here.
"""

from __future__ import annotations

from collections import deque

IN_A_ROW = 5
SHARE = 0.10
OF_THE_LAST = 500


class Limit:
    """The limit of one partition: more than 5 in a row, or more than 10 % of the last 500."""

    def __init__(self) -> None:
        self._recent: deque[bool] = deque(maxlen=OF_THE_LAST)
        self._in_a_row = 0
        self._failed = 0

    def succeeded(self, records: int) -> None:
        """So many records went well."""
        self._in_a_row = 0
        for _ in range(min(records, OF_THE_LAST)):
            self._push(failed=False)

    def failed(self) -> bool:
        """One record made our code fail; says whether that is one too many."""
        self._in_a_row += 1
        self._push(failed=True)
        return self._in_a_row > IN_A_ROW or self._failed > SHARE * OF_THE_LAST

    def _push(self, *, failed: bool) -> None:
        if len(self._recent) == OF_THE_LAST and self._recent[0]:
            self._failed -= 1
        self._recent.append(failed)
        self._failed += failed
