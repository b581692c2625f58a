"""What is to be done when: a task's bucket is a function of the task, of now and of the house's zone. Pure."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

Bucket = Literal["overdue", "today", "later", "waiting", "done"]
BUCKETS: tuple[Bucket, ...] = ("overdue", "today", "later", "waiting", "done")
"""In the order in which somebody looks at them."""
OPEN, WAITING, ENDED = ("open",), ("waiting",), ("done", "dropped")


class Standing(NamedTuple):
    """What the bucket of a task asks: its status, until when it is due, and since when it has the status.

    `heard_at` is when something last came in from the customer.
    """

    status: str
    due: datetime
    since: datetime
    heard_at: datetime | None = None

    @property
    def is_answered(self) -> bool:
        """Whether we waited for the customer, and something came in since."""
        return self.status in WAITING and self.heard_at is not None and self.heard_at > self.since


def bucket(task: Standing, now: datetime, zone: ZoneInfo) -> Bucket:
    """Where a task lies. One that waits for the customer is there again today once something came in from them."""
    if task.status in ENDED:
        return "done"
    if task.status in WAITING:
        return "today" if task.is_answered else "waiting"
    if task.due < now:
        return "overdue"
    return "today" if task.due < tomorrow(now, zone) else "later"


def tomorrow(now: datetime, zone: ZoneInfo) -> datetime:
    """The first moment of the next day of this zone."""
    return datetime.combine(now.astimezone(zone).date() + timedelta(days=1), time(), zone)


class Range(NamedTuple):
    """What is looked for: tasks of these statuses; open ones that are due in [`since`, `until`); of those that wait for
    the customer only the ones that are answered, or not.
    """

    statuses: tuple[str, ...]
    since: datetime | None = None
    until: datetime | None = None
    is_answered: bool | None = None


def among(wanted: Bucket | None, now: datetime, zone: ZoneInfo) -> Range:
    """The tasks of a bucket, and no others. None: everything that is not done."""
    if wanted == "overdue":
        return Range(OPEN, until=now)
    if wanted == "today":
        return Range(OPEN + WAITING, since=now, until=tomorrow(now, zone), is_answered=True)
    if wanted == "later":
        return Range(OPEN, since=tomorrow(now, zone))
    if wanted == "waiting":
        return Range(WAITING, is_answered=False)
    return Range(ENDED if wanted == "done" else OPEN + WAITING)
