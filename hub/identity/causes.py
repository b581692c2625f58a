"""Why a profile is written: something was said of its person, a decision names them, or today's rules say otherwise."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from hub.identity.resolve import Person
from hub.identity.strategies import Rules
from hub.identity.survivorship import line


@dataclass(frozen=True, slots=True)
class Causes:
    """The event that came for a record: a word about its person, or a decision that names it.

    `lines` is given where no event came and the rules may be other ones: the stored line of every profile.
    """

    told: dict[bytes, bytes] = field(default_factory=dict)
    decided: dict[bytes, bytes] = field(default_factory=dict)
    lines: Mapping[bytes, bytes] | None = None

    def of(self, records: Iterable[bytes]) -> bytes | None:
        """Why something happened among these records; a decision comes first."""
        among = list(records)
        found = (named[record] for named in (self.decided, self.told) for record in among if record in named)
        return next(found, None)

    def change(self, one: Person, activities: int, rules: Rules) -> bool:
        """Whether there is something to tell of a person whose records stayed together."""
        if self.lines is None:
            return any(known.record in self.told for known in one.records)
        return self.lines.get(one.profile) != line(one, activities, rules)
