"""How often customers may be written to: what of it is used up, mail after mail within a transaction as well."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from hub.storage import automation, mails
from hub.storage.pool import Connection
from hub.tables import Allowance, Budget
from schemas.actions import lasting
from schemas.rules import span


@dataclass(slots=True)
class Spending:
    """A budget, whose each record is, and what each profile has had of it."""

    budget: Budget | None = None
    _whose: Mapping[bytes, bytes] = field(default_factory=dict)
    _used: dict[bytes, int] = field(default_factory=dict)

    def allowance(self, record: bytes) -> Allowance | None:
        """How the profile of this record stands; None: nobody counts."""
        if self.budget is None:
            return None
        used = self._used.get(self._whose.get(record, record), 0)
        return Allowance(self.budget.most, lasting(self.budget.within), used)

    def spend(self, record: bytes, number: int) -> None:
        """So many more for the profile of this record."""
        profile = self._whose.get(record, record)
        self._used[profile] = self._used.get(profile, 0) + number


async def mail_spending(
    connection: Connection, budget: Budget | None, scale: float, wanted: Collection[tuple[bytes, bytes]]
) -> Spending:
    """What was spent of the budget for mails by those who are to be written to, (profile, record) each.

    Until this transaction ends nobody else writes to these profiles. Whoever decides what happens once for a profile
    has locked it already, with all others of its transaction: two locks one after the other could wait for each other.
    """
    if budget is None or not wanted:
        return Spending()
    await automation.one_by_one(connection, {profile for profile, _ in wanted})
    seconds = span(budget.within).total_seconds() * scale
    found = await mails.written_to(connection, {record for _, record in wanted}, seconds)
    return Spending(budget, {record: one for record, (one, _) in found.items()}, dict(found.values()))
