"""Why a profile is written: something was said of its person, a decision names them, or today's rules say otherwise."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import msgspec

from hub.identity.evidence import Statement
from hub.identity.resolve import Person
from hub.identity.strategies import Rules
from hub.identity.survivorship import line, lines


@dataclass(frozen=True, slots=True)
class Causes:
    """The event that came for a record: a word about its person, or a decision that names it.

    `set_before` is what was set of a record before the first remark on it, `noted` are records with a new note: these
    move nobody. `lines` is given where no event came and the rules may be other ones: the stored line of every profile.
    """

    told: dict[bytes, bytes] = field(default_factory=dict)
    decided: dict[bytes, bytes] = field(default_factory=dict)
    lines: Mapping[bytes, bytes] | None = None
    set_before: dict[bytes, dict[str, Statement]] = field(default_factory=dict)
    noted: set[bytes] = field(default_factory=set)

    def of(self, records: Iterable[bytes]) -> bytes | None:
        """Why something happened among these records; a decision comes first."""
        among = list(records)
        found = (named[record] for named in (self.decided, self.told) for record in among if record in named)
        return next(found, None)

    def change(self, one: Person, activities: int, rules: Rules) -> bool:
        """Whether there is something to tell of a person whose records stayed together."""
        if self.lines is not None:
            return self.lines.get(one.profile) != line(one, activities, rules)
        if any(known.record in self.told or known.record in self.noted for known in one.records):
            return True
        return bool(self.set_before) and lines(one, activities, rules) != lines(self._before(one), activities, rules)

    def _before(self, one: Person) -> Person:
        """The person as it was before the remarks on it."""
        return one._replace(
            records=tuple(
                known._replace(evidence=msgspec.structs.replace(known.evidence, set=self.set_before[known.record]))
                if known.record in self.set_before
                else known
                for known in one.records
            )
        )
