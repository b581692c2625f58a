"""Looks into the hub while the demo runs: what its requests have become, what waits, and whether all of it is done."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from hub import clock
from hub.demo.posts import DEPARTMENTS
from hub.demo.screen import ByItself, Heard, Picture
from hub.identity.ids import from_text
from hub.storage import tally
from hub.storage.tally import Doings, Mark, Tally

if TYPE_CHECKING:
    from consumers.monitor import Monitor
    from hub.demo.mailbox import Mailbox
    from hub.demo.sender import Sender
    from hub.demo.tools import Tool
    from hub.storage.pool import Pool

NEWS_OF = "service"
"""The tool whose news are shown; all of them are told the same."""
SETTLED = 2
"""Looks in a row that must find nothing waiting: a look is not one moment, what left one room may be in the next."""


@dataclass(slots=True)
class Fates:
    """What became of the requests of this run. `since` is when it began: what was taken in before is not its doing."""

    since: datetime
    pending: set[bytes] = field(default_factory=set)
    ours: set[bytes] = field(default_factory=set)
    older: set[bytes] = field(default_factory=set)
    accepted: int = 0
    _times: dict[bytes, int] = field(default_factory=lambda: defaultdict(int))

    def add(self, events: Iterable[str]) -> None:
        """These were taken in."""
        for written in events:
            event = from_text(written)
            if event is not None:
                self.accepted += 1
                self._times[event] += 1
                if event not in self.ours and event not in self.older:
                    self.pending.add(event)

    def settle(self, found: Mapping[bytes, datetime]) -> None:
        """These are activities or dead letters, each since it was taken in at that time."""
        for event, at in found.items():
            self.pending.discard(event)
            (self.ours if at >= self.since else self.older).add(event)

    @property
    def dropped(self) -> int:
        """Requests that changed nothing, because their event was there already."""
        waiting = sum(self._times[event] for event in self.pending)
        return self.accepted - waiting - len(self.ours)


class Looks:
    """Makes pictures. One at a time."""

    def __init__(
        self, pool: Pool, monitor: Monitor, sender: Sender, tools: Mapping[str, Tool], mailbox: Mailbox
    ) -> None:
        self._pool = pool
        self._monitor = monitor
        self._sender = sender
        self._tools = tools
        self._mailbox = mailbox
        self._began = clock.monotonic()
        self._quiet = 0
        self._mark = Mark(clock.now(), 0, 0)
        self._seen = Picture()
        self.doing = "The company opens"
        self.fates = Fates(clock.now())
        self.tally = Tally(0, 0, 0, {})
        self.doings = Doings({}, 0, 0, 0, 0, 0, 0)

    async def begin(self) -> None:
        """From here on it counts: before the hub runs. Raises Retry."""
        self._mark = await tally.mark(self._pool)

    def start(self) -> None:
        """From here on it takes the time: the company opens."""
        self._began = clock.monotonic()
        for tool in self._tools.values():
            tool.start()

    @property
    def is_over(self) -> bool:
        """Whether everything was sent and nothing waits anywhere."""
        return self._quiet >= SETTLED

    @property
    def seconds(self) -> float:
        """Since the run began."""
        return clock.monotonic() - self._began

    @property
    def sent(self) -> int:
        """Requests that were taken in."""
        return self._sender.sent

    @property
    def all_sent(self) -> bool:
        """Whether the run's last request was answered."""
        return self._sender.is_done

    @property
    def waiting(self) -> str:
        """What still waits, in words; empty where nothing does."""
        unsettled = f"{len(self.fates.pending)} events on the way" if self.fates.pending else ""
        return ", ".join(part for part in (unsettled, self._seen.waiting) if part)

    @property
    def refusals(self) -> str:
        """What the front door refused, in words; empty where it took everything in."""
        refused = self._sender.refused
        return f"The front door refused {len(refused)} requests; the first: {refused[0]}" if refused else ""

    async def look(self) -> None:
        """Look into every room. Raises Retry where Kafka or PostgreSQL is away."""
        all_sent = self.all_sent
        self.fates.add(one.event for one in self._sender.fresh())
        if self.fates.pending:
            self.fates.settle(await tally.settled(self._pool, self.fates.pending))
        self.tally = await tally.since(self._pool, self._mark)
        self.doings = await tally.doings(self._pool, self._mark)
        self._seen = self._painted(await self._monitor.report())
        self._quiet = self._quiet + 1 if all_sent and not self.waiting else 0

    def now(self, planned: int | None) -> Picture:
        """The last look, with what this process knows itself brought up to date."""
        sender, seen = self._sender, self._seen.tools
        return replace(
            self._seen,
            doing=self.doing,
            seconds=self.seconds,
            planned=planned,
            came_in={
                name: (sum(sender.accepted[one] for one in sources), sum(sender.again[one] for one in sources))
                for name, sources in DEPARTMENTS.items()
            },
            tools={
                name: Heard(tool.told, tool.turned_away, seen.get(name, Heard()).waits, tool.last, tool.is_out)
                for name, tool in self._tools.items()
            },
            news=list(self._tools[NEWS_OF].news),
            letters=list(self._mailbox.news),
        )

    def _painted(self, report: Mapping[str, Any]) -> Picture:
        waits = report["deliveries"]["destinations"]
        return Picture(
            people=self.tally.people,
            activities=len(self.fates.ours) - self.tally.dead_letters,
            merges=self.tally.merges,
            dropped=self.fates.dropped,
            dead_letters=self.tally.dead_letters,
            lag=_by_group(report["groups"]),
            outbox=report["outbox"]["pending"],
            tools={name: Heard(waits=_open(waits.get(name, {}))) for name in self._tools},
            by_itself=self._by_itself(report["timers"]["pending"]),
        )

    def _by_itself(self, timers: int) -> ByItself:
        done = self.doings
        coming = done.unsent + self._mailbox.unanswered
        return ByItself(
            done.fired, done.held, done.mails, done.replies, done.silences, max(timers, done.journeys), coming
        )

    def summary(self) -> dict[str, Any]:
        """What `--summary` writes: the counts of this run (design §9), and what rules held back and waited for."""
        return {
            "events_in": self.fates.accepted,
            "duplicates_dropped": self.fates.dropped,
            "profiles": self.tally.people,
            "merges": self.tally.merges,
            "actions_fired": self.doings.actions,
            "mails_sent": self.doings.mails,
            "deliveries": {name: self.tally.delivered.get(name, 0) for name in self._tools},
            "dead_letters": self.tally.dead_letters,
            "lag": {group: messages for group, (messages, _) in self._seen.lag.items()},
            "seconds": round(self.seconds, 1),
            "held_back": self.doings.held,
            "waits_ended": {"by_reply": self.doings.replies, "by_timeout": self.doings.silences},
        }


def _open(states: Mapping[str, int]) -> int:
    return sum(states.get(state, 0) for state in ("pending", "sending", "retry"))


def _by_group(rows: Sequence[Mapping[str, Any]]) -> dict[str, tuple[int, float | None]]:
    """Group → records that it has not read, and the age of the oldest of them."""
    found: dict[str, tuple[int, float | None]] = {}
    for row in rows:
        messages, seconds = found.get(row["group"], (0, 0.0))
        known = [age for age in (seconds, row["seconds"]) if age is not None]
        found[row["group"]] = (messages + row["messages"], max(known, default=None))
    return found
