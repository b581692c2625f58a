"""Link groups while a batch joins them."""

from __future__ import annotations


class Groups:
    """Link groups that become one. A stored group stays before one that is `made` now, so that few rows move."""

    def __init__(self, made: frozenset[bytes]) -> None:
        self._made = made
        self._parent: dict[bytes, bytes] = {}

    def root(self, group: bytes) -> bytes:
        """The id that the group goes by now."""
        while (parent := self._parent.get(group, group)) != group:
            group = parent
        return group

    def join(self, one: bytes, other: bytes) -> None:
        """Make two groups one."""
        stays, goes = sorted((self.root(one), self.root(other)), key=lambda group: (group in self._made, group))
        if stays != goes:
            self._parent[goes] = stays
