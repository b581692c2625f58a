"""What happens in a storm, and what has to come of it: a function of its size and its begin."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple

import orjson

from hub import clock
from hub.components import Reading
from hub.identity.ids import as_text, event_id, hash_id
from hub.streams.publish import Message
from producers.gateway import event_data, records
from producers.gateway.records import Edge, Occasion

RULE, BACKFILLED = "storm", "thanks"
WAIT = timedelta(hours=1)
"""How long the rule waits. The events that set it off came so long ago that all waits end a while after the begin."""
SPREAD_SECONDS = 20.0
CRM = Edge("crm", public=False)
FIRST = f"""
rule: {RULE}
version: 1
about: Whoever asks is tagged, and when nobody called in time they are written to and given to somebody.
when: {{event: note.added}}
again: once
steps:
  - add_tag: {{tag: asked}}
  - wait: {{event: call.logged, timeout: 1h, then: end}}
  - send_email: {{template: storm, source: "subject: Hello\\n---\\nMay we help you?\\n"}}
  - assign_owner: {{team: sales}}
"""
SECOND = f"""
rule: {RULE}
version: 2
about: Whoever asks is tagged.
when: {{event: note.added}}
again: once
steps:
  - add_tag: {{tag: asked in another way}}
"""
THANKS = f"""
rule: {BACKFILLED}
version: 1
about: Whoever orders is thanked.
when: {{event: order.placed}}
steps:
  - add_tag: {{tag: ordered}}
"""
Kind = Literal["note", "call", "order"]
TYPES: dict[Kind, str] = {"note": "note.added", "call": "call.logged", "order": "order.placed"}

Key = tuple[str, bytes, str]
"""Of the ledger: rule, event, step."""


class Pair(NamedTuple):
    """Two people whom somebody takes for one; `parted`: not for long. `called`: after that the second one calls."""

    first: int
    second: int
    parted: bool
    called: bool


@dataclass(frozen=True)
class Plan:
    """`people` wait, `later` come when the rule was changed, `old` orders are filled in; waits end from `end` on."""

    seed: int
    people: int
    later: int
    old: int
    end: datetime

    @property
    def pairs(self) -> list[Pair]:
        """One in twenty-five has a double: half of them for good."""
        count = self.people // 50
        return [Pair(2 * n, 2 * n + 1, parted=n % 2 == 1, called=n % 3 == 0) for n in range(count)]

    @property
    def callers(self) -> list[int]:
        """Who calls in time: half of those who have no double."""
        alone = range(2 * len(self.pairs), self.people)
        return sorted(random.Random(self.seed).sample(alone, len(alone) // 2))

    def asked(self) -> list[Message]:
        """Everybody asks."""
        return [self._message("note", number, self._asked_at(number)) for number in range(self.people)]

    def called(self) -> list[Message]:
        """Some call, some of them twice."""
        twice = self.callers[::10]
        return [self._message("call", number, self._called_at(number)) for number in (*self.callers, *twice)]

    def doubles_call(self) -> list[Message]:
        """The second of some pairs call."""
        return [self._message("call", pair.second, self._called_at(pair.second)) for pair in self.pairs if pair.called]

    def asked_later(self, now: datetime) -> list[Message]:
        """Others ask when the rule is another one."""
        return [self._message("note", number, now) for number in self._later]

    def ordered_long_ago(self, now: datetime) -> list[Message]:
        """Orders of last year, filled in now."""
        return [
            self._message("order", number, now, at=now - timedelta(days=300, minutes=number))
            for number in range(self.old)
        ]

    def deeds(self) -> dict[Key, int]:
        """What has to be done, each once, and on which version of the rule."""
        silent = set(range(self.people)) - set(self.callers)
        for pair in self.pairs:
            if not pair.parted:
                silent -= {pair.first, pair.second} if pair.called else {pair.second}
            elif pair.called:
                silent -= {pair.second}
        tagged = {(RULE, self.asks(number), "1"): 1 for number in range(self.people)}
        acted = {(RULE, self.asks(number), step): 1 for number in silent for step in ("3", "4")}
        return tagged | acted | {(RULE, self.asks(number), "1"): 2 for number in self._later}

    def asks(self, number: int) -> bytes:
        """The id of the event with which somebody asks."""
        return event_id(CRM.name, f"note {number}")

    @property
    def _later(self) -> range:
        return range(self.people, self.people + self.later)

    def _asked_at(self, number: int) -> datetime:
        return self.end - WAIT + timedelta(seconds=SPREAD_SECONDS * number / self.people)

    def _called_at(self, number: int) -> datetime:
        return self._asked_at(number) + WAIT / 2

    def _message(self, kind: Kind, number: int, received: datetime, at: datetime | None = None) -> Message:
        """A record as the gateway would publish it."""
        event_type, natural = TYPES[kind], f"{kind} {number}"
        data = event_data.checked(event_type, _said(kind, number))
        reading = Reading(event_type, natural, data, time=clock.text(at or received))
        body = records.raw(orjson.dumps(data), "application/json", "")
        return records.record(Occasion(CRM, CRM.name, clock.text(received)), reading, body)[1]


def _said(kind: Kind, number: int) -> dict[str, Any]:
    contact = {"id": f"c{number}", "email": f"c{number}@customers.org", "name": f"Customer {number}"}
    what = {"order": {"id": f"o{number}"}} if kind == "order" else {"text": "hello"}
    return {"contact": contact, **what}


def mails(keys: Iterable[Key]) -> set[bytes]:
    """The ids of the mails that these deeds are."""
    return {hash_id("mail", f"rule {rule}:{as_text(event)}:{step}") for rule, event, step in keys if step == "3"}


def chunks(messages: Sequence[Message], size: int) -> list[Sequence[Message]]:
    """So many at a time."""
    return [messages[start : start + size] for start in range(0, len(messages), size)]
