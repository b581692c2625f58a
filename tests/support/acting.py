"""Rules without Kafka: events become profiles, their activities are heard, and whatever was done can be counted."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import orjson
from typer.testing import CliRunner

from consumers.automation import Automation
from consumers.journeys import Walker
from consumers.looks import Looks
from consumers.reading import read
from consumers.tide import Tide
from consumers.ways import Manner
from hub.automation.plan import changed, plan
from hub.cache import LocalHints
from hub.cli.rules import app
from hub.clock import parse, text
from hub.components import Record
from hub.identity.evidence import Fact, Words
from hub.identity.ids import as_text
from hub.storage import outbox, rules
from hub.storage.outbox import Message
from hub.storage.pool import Pool, transaction
from schemas.envelope import HUB
from schemas.rules import Rule, Segment
from schemas.topics import ACTIVITIES
from tests.support.line import write
from tests.support.memory import fact

BEGIN = datetime.fromisoformat("2024-03-01T12:00:00+00:00")
TEAMS = {"sales": ("ann@example.com", "bob@example.com", "cy@example.com")}
TABLES = ("rule_decision", "journey", "ledger", "team_turn", "outbox")
_OFFSETS = count(1)


def hour(number: float) -> str:
    """So many hours after the begin."""
    return text(BEGIN + timedelta(hours=number))


def a_rule(name: str = "some", version: int = 1, **words: Any) -> Rule:
    """A rule that tags whoever orders; `if_` is `if`."""
    said = {"rule": name, "version": version, "about": "A rule.", "when": {"event": "order.placed"},
            "steps": [{"add_tag": {"tag": "buyer"}}]}  # fmt: skip
    return Rule.model_validate(said | {word.rstrip("_"): value for word, value in words.items()})


def a_segment(name: str, if_: Any, version: int = 1) -> Segment:
    """A segment of whoever fits."""
    return Segment.model_validate({"segment": name, "version": version, "about": "A segment.", "if": if_})


def happens(
    what: str, who: str = "ann", at: str = hour(0), data: dict[str, Any] | None = None, *, received: str = ""
) -> Fact:
    """An event of somebody, known by an address; it arrives when it happens, unless it says otherwise."""
    one = fact("shop", Words(who, f"{who}@customers.org"), at)
    payload = orjson.dumps({"contact": {"id": who}, **(data or {})})
    return one._replace(type=what, received_at=received or at, payload=payload)


@dataclass
class House:
    """The rooms `profiles` and `automation` on one database."""

    pool: Pool
    manner: Manner = field(default_factory=lambda: Manner(TEAMS))
    heard: list[Record] = field(default_factory=list)
    said: list[Message] = field(default_factory=list)
    changed: list[dict[str, Any]] = field(default_factory=list)

    async def rules(self, *several: Rule | Segment, since: str = "2020-01-01") -> None:
        """These count, for everything that arrived since then."""
        async with transaction(self.pool) as connection:
            await rules.alone(connection)
            changes = changed(plan(several, await rules.standing(connection)))
            await rules.write(connection, changes, [one.name for one in changes], "a test")
            moment = parse(since)
            await connection.execute("UPDATE rule_state SET live_since = $1, trial_since = $1", moment)
            await connection.execute("UPDATE rule SET applied_at = $1 WHERE kind = 'segment'", moment)

    async def happen(self, *facts: Fact) -> list[Record]:
        """These become profiles; gives what stands on `activities` of them."""
        await write(self.pool, facts)
        return await self.relay()

    async def relay(self) -> list[Record]:
        """What lies in the outbox goes: activities are heard, what rules say is kept apart."""
        async with transaction(self.pool) as connection:
            rows, messages = await outbox.claim(connection, 10_000)
            await outbox.done(connection, rows)
        new = [_record(one) for one in messages if one.topic == ACTIVITIES.name]
        self.heard += new
        self.said += [one for one in messages if one.topic == "inbound.hub"]
        self.changed += [orjson.loads(bytes(one.value)) for one in messages if one.type.startswith("segment.")]
        return new

    async def hear(self, records: Iterable[Record]) -> None:
        """One batch of the room `automation`."""
        room = Automation(LocalHints(), self.manner)
        items = [room.read(one) for one in records]
        async with transaction(self.pool) as connection:
            await room.write(connection, items)

    async def live(self, *facts: Fact) -> None:
        """Each of these happens, and is heard, one after the other."""
        for one in facts:
            await self.hear(await self.happen(one))

    async def happen_ours(self, message: Message) -> None:
        """What a rule said comes in again, becomes part of the profile, and is heard."""
        headers = {"ce_specversion": "1.0", "ce_id": message.id, "ce_source": HUB, "ce_edge": HUB,
                   "ce_type": message.type, "ce_time": message.at, "ce_receivedtime": message.at}  # fmt: skip
        written = [(name, value.encode()) for name, value in headers.items()]
        record = Record(message.topic, 0, next(_OFFSETS), 0, message.key.encode(), bytes(message.value), written)
        await self.live(read(record, {}))

    async def walk(self, tide: str = "2030-01-01") -> int:
        """Whoever is due goes on, until nobody is; everything that arrived before the tide was heard of."""
        past = Tide()
        past.past = datetime.fromisoformat(tide).replace(tzinfo=UTC)
        walker, rounds = Walker(self.pool, self.manner, past), 0
        while await walker.turn():
            rounds += 1
            assert rounds < 1000
        return rounds

    async def look(self, tide: str = "2030-01-01") -> int:
        """Timers of segments that ran out before the tide, everybody for a new one; says how much there was to do."""
        past = Tide()
        past.past = datetime.fromisoformat(tide).replace(tzinfo=UTC)
        looks, found = Looks(self.pool, past), 0
        while moved := await looks.turn():
            found += moved
        return found

    async def told(self) -> list[dict[str, Any]]:
        """What was said of segments since this was asked last; all of it is heard."""
        await self.hear(await self.relay())
        told, self.changed = self.changed, []
        return told

    async def members(self) -> dict[str, set[str]]:
        """Segment → those who are in it, by what stands before the @ of their address."""
        rows = await self.pool.fetch(
            "SELECT segment, split_part(line->'fields'->'email'->>'value', '@', 1)"
            " FROM segment_member LEFT JOIN profile USING (profile_id)"
        )
        found: dict[str, set[str]] = {}
        for segment, name in rows:
            found.setdefault(segment, set()).add(name)
        return found

    async def changes(self) -> list[tuple[str, str, str, str]]:
        """Who came and went, in the order of their times: verb, segment, because, time."""
        rows = await self.pool.fetch(
            "SELECT type, data->>'segment', data->>'because', at FROM activity"
            " WHERE type LIKE 'segment.%' ORDER BY at, 2, 1"
        )
        return [(row[0].removeprefix("segment."), row[1], row[2], text(row[3])) for row in rows]

    async def journeys(self) -> list[str]:
        """How journeys stand, in the order of their triggers: an outcome, or that they wait."""
        rows = await self.pool.fetch("SELECT coalesce(outcome, state) FROM journey ORDER BY happened_at, rule")
        return [row[0] for row in rows]

    async def verdicts(self) -> list[tuple[str, int, str]]:
        """What was decided, in the order of the events' times."""
        rows = await self.pool.fetch(
            "SELECT rule, version, verdict FROM rule_decision d JOIN activity a USING (event_id)"
            " ORDER BY a.received_at, rule, version"
        )
        return [tuple(row) for row in rows]

    async def done(self) -> list[tuple[str, str, str, str]]:
        """What was done: rule, trigger, step, state."""
        rows = await self.pool.fetch("SELECT rule, event_id, step, state FROM ledger ORDER BY 1, 2, 3")
        return [(row[0], as_text(row[1]), row[2], row[3]) for row in rows]

    async def untouched(self, tables: Sequence[str] = TABLES) -> dict[str, list[Any]]:
        """Where every row lies and who wrote it: the same again means that nobody wrote anything."""
        return {
            table: [tuple(row) for row in await self.pool.fetch(f"SELECT ctid::text, xmin::text FROM {table}")]
            for table in tables
        }


async def explained(event: Fact, profile: bytes) -> dict[str, Any]:
    """What `hub rules explain --json` prints, in a thread since it brings an event loop of its own."""
    words = ["explain", event.id, as_text(profile), "--json"]
    result = await asyncio.to_thread(CliRunner().invoke, app, words)
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = orjson.loads(result.stdout)
    return found


def _record(message: Message) -> Record:
    headers = [("ce_type", message.type.encode()), ("ce_id", message.id.encode())]
    return Record(ACTIVITIES.name, 0, next(_OFFSETS), 0, message.key.encode(), bytes(message.value), headers)
