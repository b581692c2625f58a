"""A segment, and people of two tools who turn out to be one."""

from __future__ import annotations

from hub.identity.evidence import Fact, Words
from tests.support.acting import House, a_segment, happens, hour
from tests.support.memory import fact

TABLES = ("segment_member", "segment_round", "activity", "outbox", "ledger", "rule_decision", "journey")
"""What a replay must not touch."""
BUYERS = a_segment("buyers", {"count": "order.placed", "within": "2d", "at_least": 2})


def twins(at: float, other: float = 0) -> list[Fact]:
    """Two orders of somebody who is two people yet, in the shop and at the desk."""
    return [happens("order.placed", "ann", hour(at)), desk(hour(at + other))]


def desk(at: str, kind: str = "order.placed", mail: str = "lee@customers.org") -> Fact:
    return fact("desk", Words("9", mail), at)._replace(type=kind)


async def one_person(house: House, at: float) -> Fact:
    """Two events of an account by which they are one; gives the last."""
    said = [fact("crm", Words("k", f"{name}@customers.org"), hour(at)) for name in ("ann", "lee")]
    await house.hear(await house.happen(*said))
    assert await house.pool.fetchval("SELECT count(*) FROM profile") == 1
    return said[-1]
