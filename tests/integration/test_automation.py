"""Rules on a real PostgreSQL: what fires and what does not, each deed once, through replays, kills and company."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest
import pytest_asyncio

from consumers.reading import read
from hub.components import Record
from hub.embedded import Addresses
from hub.identity.evidence import Words
from hub.identity.ids import as_text
from hub.storage import automation, journeys, ledger, outbox
from hub.storage.pool import transaction
from hub.streams.publish import open_publisher
from producers.relay import relay_once
from schemas.topics import ACTIVITIES, HUB_TOPIC, INBOUND
from tests.support.acting import TEAMS, House, a_rule, happens, hour
from tests.support.line import batch_connections, read_all, topics
from tests.support.memory import fact, record

pytestmark = pytest.mark.integration


@pytest_asyncio.fixture
async def house(database_url: str) -> AsyncIterator[House]:
    async with batch_connections(database_url) as connections:
        yield House(connections)


async def test_what_fires_is_done_once_and_told_as_an_event_about_the_triggers_record(house: House) -> None:
    await house.rules(a_rule(steps=[{"add_tag": {"tag": "buyer"}}, {"set_stage": {"stage": "customer"}}]))
    order = happens("order.placed")
    await house.live(order)
    assert await house.done() == [("some", order.id, step, "done") for step in ("1", "2")]
    await house.relay()
    said = [(one.type, orjson.loads(bytes(one.value)), one.at) for one in house.said]
    own = {"by": "rule:some", "rule": "some", "record": as_text(record(order))}
    assert said == [
        ("tag.added", own | {"tag": "buyer"}, hour(0)),
        ("stage.set", own | {"stage": "customer"}, hour(0).replace(".000Z", ".001Z")),
    ]
    assert len({one.id for one in house.said}) == 2
    (journey,) = await house.pool.fetch("SELECT state, outcome FROM journey")
    assert tuple(journey) == ("ended", "done")


async def test_every_decision_is_written_down_with_its_reason_and_the_values_seen(house: House) -> None:
    """As much as a rule can come to: it fires, it does not, it is asked too late, again, or what nobody can answer."""
    await house.rules(a_rule(if_={"event": "total", "at_least": 5}, again="30d"))
    await house.live(
        happens("order.placed", "ann", hour(0), {"total": 7}),
        happens("order.placed", "ann", hour(1), {"total": 7}),
        happens("order.placed", "bob", hour(2), {"total": 1}),
        happens("order.placed", "cy", hour(3), {"total": "much"}),
        happens("order.placed", "dee", hour(4), {"total": 7}, received=hour(4 + 73)),
        happens("ticket.opened", "dee", hour(80)),
    )
    assert [verdict for _, _, verdict in await house.verdicts()] == ["fired", "again", "no", "error", "too_old"]
    rows = await house.pool.fetch(
        "SELECT reason, seen FROM rule_decision JOIN activity USING (event_id) ORDER BY received_at"
    )
    seen = [[one["value"] for one in orjson.loads(row[1])] for row in rows]
    assert seen == [[7], [7], [1], ["much"], []]
    assert orjson.loads(rows[3][1])[0] == {
        "place": "if", "asked": "event total at_least 5", "value": "much", "truth": "error",
        "reason": "is the text 'much', no number",
    }  # fmt: skip
    assert "3.0 days" in rows[4][0]
    assert len(await house.done()) == 1


async def test_a_version_on_trial_decides_beside_the_live_one_and_does_nothing(house: House) -> None:
    await house.rules(a_rule(if_={"event": "total", "at_least": 5}, again="once"))
    await house.rules(a_rule(version=2, mode="trial", again="once"))
    await house.live(
        happens("order.placed", at=hour(0), data={"total": 1}), happens("order.placed", at=hour(1), data={"total": 9})
    )
    assert await house.verdicts() == [
        ("some", 1, "no"), ("some", 2, "trial"), ("some", 1, "fired"), ("some", 2, "again"),
    ]  # fmt: skip
    assert len(await house.done()) == 1


async def test_a_first_order_is_the_one_before_which_there_was_none(house: House) -> None:
    await house.rules(a_rule(if_={"count": "order.placed", "is": 0}))
    first, second = happens("order.placed", at=hour(1)), happens("order.placed", at=hour(2))
    await house.hear(await house.happen(second, first))
    assert [key[1] for key in await house.done()] == [first.id]


async def test_counts_go_back_from_the_events_own_time_and_follow_a_merge(house: House) -> None:
    await house.rules(a_rule(when={"event": "ticket.opened"}, if_={"count": "order.placed", "within": "4h", "is": 1}))
    other = fact("desk", Words("x", "ann@customers.org"), hour(9))._replace(type="ticket.opened")
    await house.live(happens("order.placed", at=hour(1)), happens("order.placed", at=hour(6)), other)
    assert [key[1] for key in await house.done()] == [other.id]


async def test_nothing_is_set_off_by_what_a_rule_did_or_by_what_became_of_profiles(house: House) -> None:
    await house.rules(a_rule(when={"event": ["tag.added", "note.added"]}))
    by_rule = happens("tag.added", data={"by": "rule:x", "rule": "x", "tag": "t"})._replace(source="hub")
    by_person = happens("tag.added", at=hour(1), data={"by": "eve", "tag": "t"})._replace(source="hub")
    await house.live(by_rule, by_person, happens("note.added", at=hour(2)))
    assert [verdict for _, _, verdict in await house.verdicts()] == ["fired", "fired"]
    merged = Record("activities", 0, 1, 0, b"", b'{"absorbed": []}', [("ce_type", b"profile.merged")])
    before = await house.untouched()
    await house.hear([merged])
    assert await house.untouched() == before


async def test_what_arrived_before_a_rule_was_there_sets_nothing_off(house: House) -> None:
    await house.rules(a_rule(), since=hour(1))
    await house.live(happens("order.placed", at=hour(0)), happens("order.placed", at=hour(1)))
    assert await house.verdicts() == []
    await house.live(happens("order.placed", at=hour(1.1)))
    assert len(await house.done()) == 1


async def test_a_replay_of_everything_twice_and_under_a_new_version_does_nothing_more(house: House) -> None:
    rule = a_rule(if_={"event": "total", "at_least": 5}, steps=[{"assign_owner": {"team": "sales"}}])
    await house.rules(rule, a_rule("other", again="7d", steps=[{"wait": {"for": "2d"}}, {"set_stage": {"stage": "x"}}]))
    await house.live(*(happens("order.placed", f"p{n % 3}", hour(n), {"total": n}) for n in range(12)))
    await house.relay()
    before = await house.untouched()
    for _ in range(2):
        await house.hear(house.heard)
        await house.hear(reversed(house.heard))
    await house.rules(a_rule(version=2, steps=[{"assign_owner": {"team": "sales"}}]))
    await house.hear(house.heard)
    assert await house.untouched() == before


STATEMENTS = [
    (automation, "decided"), (automation, "whose"), (automation, "counted"), (automation, "fired"),
    (automation, "write_decisions"), (journeys, "begin"), (ledger, "turns"), (ledger, "write"), (outbox, "add"),
]  # fmt: skip


@pytest.mark.parametrize(("where", "name"), STATEMENTS, ids=[name for _, name in STATEMENTS])
async def test_killed_behind_any_statement_the_next_try_does_everything_once(
    house: House, where: Any, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await house.rules(
        a_rule(again="once", if_={"count": "order.placed", "is": 0}, steps=[{"assign_owner": {"team": "sales"}}])
    )
    records = await house.happen(*(happens("order.placed", f"p{n}", hour(n)) for n in range(4)))
    real = getattr(where, name)

    async def killed(*words: Any) -> Any:
        await real(*words)
        raise RuntimeError(name)

    monkeypatch.setattr(where, name, killed)
    before = await house.untouched()
    with pytest.raises(RuntimeError, match=name):
        await house.hear(records)
    assert await house.untouched() == before
    monkeypatch.undo()
    await house.hear(records)
    await house.relay()
    owners = Counter(orjson.loads(bytes(one.value))["owner"] for one in house.said)
    assert sorted(owners.values()) == [1, 1, 2]
    assert await house.pool.fetchval("SELECT turn FROM team_turn") == 4


async def test_four_consumers_give_everybody_of_a_team_as_much_give_or_take_one(house: House) -> None:
    await house.rules(
        a_rule(steps=[{"assign_owner": {"team": "sales"}}]),
        a_rule("second", if_={"event": "total", "is": 1}, again="once", steps=[{"assign_owner": {"team": "sales"}}]),
    )
    chance = random.Random(7)
    facts = [happens("order.placed", f"p{n % 60}", hour(n / 60), {"total": n % 2}) for n in range(400)]
    records = await house.happen(*facts)
    lanes: list[list[Record]] = [[], [], [], []]
    for one in records:
        lanes[(one.key or b"0")[0] % 4].append(one)

    async def consume(own: list[Record]) -> None:
        while own:
            size = chance.randint(1, 25)
            batch, own = own[:size], own[size:]
            await house.hear(batch)

    await asyncio.gather(*map(consume, lanes))
    await house.relay()
    owners = Counter(orjson.loads(bytes(one.value))["owner"] for one in house.said)
    assert set(owners) == set(TEAMS["sales"])
    assert max(owners.values()) - min(owners.values()) <= 1
    assert owners.total() == 400 + 30


async def test_one_person_under_two_keys_is_decided_about_by_one_consumer_at_a_time(house: House) -> None:
    """Records of a merge lie in several partitions: `once` is once all the same."""
    await house.rules(a_rule(again="once"))
    one = await house.happen(happens("order.placed", "ann", hour(0)))
    other = await house.happen(fact("desk", Words("e", "eve@customers.org"), hour(1))._replace(type="order.placed"))
    await house.happen(*(fact("crm", Words("k", f"{name}@customers.org"), hour(2)) for name in ("ann", "eve")))
    assert await house.pool.fetchval("SELECT count(*) FROM profile") == 1
    await asyncio.gather(house.hear(one), house.hear(other))
    assert sorted(verdict for _, _, verdict in await house.verdicts()) == ["again", "fired"]
    assert len(await house.done()) == 1


async def test_a_deed_that_cannot_be_done_is_written_down_and_stops_nobody(house: House) -> None:
    await house.rules(a_rule(steps=[{"assign_owner": {"team": "gone"}}, {"add_tag": {"tag": "x"}}]))
    await house.live(happens("order.placed"))
    assert [(step, state) for _, _, step, state in await house.done()] == [("1", "failed"), ("2", "done")]
    effect = await house.pool.fetchval("SELECT effect FROM ledger WHERE state = 'failed'")
    assert orjson.loads(effect) == {"error": "hub.toml has no team gone any more"}


async def test_what_a_rule_says_is_on_its_topic_as_the_room_of_profiles_reads_it(
    house: House, servers: Addresses
) -> None:
    await house.rules(a_rule())
    order = happens("order.placed")
    await house.hear(await house.happen(order))
    async with transaction(house.pool) as connection:
        _, messages = await outbox.claim(connection, 10)
        (told,) = (one for one in messages if one.topic == HUB_TOPIC)
    (hub,) = [topic for topic in INBOUND if topic.name == HUB_TOPIC]
    async with topics(servers.kafka, [hub, ACTIVITIES]) as kafka, open_publisher(kafka, bulk=True) as publisher:
        assert await relay_once(house.pool, publisher) == len(messages)
        (found,) = await read_all(kafka, HUB_TOPIC)
    one = read(found, {})
    assert (one.id, one.type, one.source, one.at, one.received_at) == (told.id, "tag.added", "hub", hour(0), hour(0))
    assert orjson.loads(one.payload)["record"] == as_text(record(order))
