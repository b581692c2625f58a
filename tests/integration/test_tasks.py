"""Tasks on a real PostgreSQL: any order is the same row, rules make each once, and they go where their record goes."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest
import pytest_asyncio

from consumers import slow_lane
from consumers.profiles import Profiles
from hub.api import people
from hub.cache import LocalHints
from hub.errors import Reject
from hub.identity.decisions import SAME, WITHDRAWN
from hub.identity.evidence import Fact, Words
from hub.identity.ids import as_text
from hub.storage.pool import Pool
from tests.support.acting import House, a_rule, happens, hour
from tests.support.duties import added, listed, marked, said_by_rule, shown
from tests.support.histories import batches
from tests.support.line import audit, batch_connections, lines, versions, write
from tests.support.memory import day, decided, erased, fact, record
from tests.support.remarks import on_its_topic, said_of

pytestmark = pytest.mark.integration
ROOM = Profiles(LocalHints(), {})
X, Y = "x@firm.org", "y@firm.org"
ANN, BOB = fact("shop", Words("a", X, name="Ann Lee")), fact("crm", Words("b", Y, given_name="Bob"))
TASK = as_text(b"t" * 16)


@pytest_asyncio.fixture
async def batch_pool(database_url: str) -> AsyncIterator[Pool]:
    async with batch_connections(database_url) as connections:
        yield connections


def said(event_type: str, at: str, number: int, **data: str | None) -> Fact:
    """A word about the task, as it comes back from its topic."""
    blank = said_of(record(ANN), "", "x", at, natural_id=f"task {number}")
    value = {"by": "eve", "record": as_text(record(ANN)), "task": TASK, **data}
    return ROOM.read(on_its_topic(blank._replace(type=event_type, payload=orjson.dumps(value))))


MADE = {"title": "Call", "kind": "task", "to": "Eve@Firm.example", "team": None, "due": "2026-11-22T10:00:00+01:00"}
HISTORY = [
    said("task.created", day(2), 1, **MADE),
    said("task.waiting", day(3), 2),
    said("task.assigned", day(3), 3, to="joe@firm.example"),
    said("task.postponed", day(4), 4, due="2026-12-01T09:00:00Z"),
    said("task.done", day(5), 5),
    said("task.reopened", day(6), 6),
]


async def row(pool: Pool) -> tuple[Any, ...]:
    """The task, without what depends on when the hub heard of it."""
    (found,) = await pool.fetch(
        "SELECT id, record_id, parts, kind, title, assignee, team, due, status, since FROM task"
    )
    return tuple(found)


async def takes(pool: Pool, *facts: Fact) -> None:
    await write(pool, facts)
    while await slow_lane.once(pool, ROOM):
        pass


async def test_any_order_in_any_batches_is_the_same_row_and_a_replay_writes_nothing(batch_pool: Pool) -> None:
    await write(batch_pool, [ANN, *HISTORY])
    once = await row(batch_pool)
    assert once[3:6] == ("task", "Call", "joe@firm.example")
    assert once[8] == "open"
    for number in range(12):
        chance = random.Random(number)
        await batch_pool.execute("TRUNCATE task, activity, source_record, identifier, claim, link_group, profile")
        for batch in batches([ANN, *HISTORY], chance):
            await write(batch_pool, batch)
        assert await row(batch_pool) == once, number
        await audit(batch_pool)
    where = await batch_pool.fetchval("SELECT ctid::text || xmin FROM task")
    await write(batch_pool, [ANN, *HISTORY])
    assert await batch_pool.fetchval("SELECT ctid::text || xmin FROM task") == where


async def test_four_writers_of_one_task_come_one_after_the_other(database_url: str) -> None:
    async with batch_connections(database_url) as connections:
        await write(connections, [ANN])
        await asyncio.gather(*(write(connections, [one], tries=20) for one in (*HISTORY, *HISTORY)))
        alone = await row(connections)
        await connections.execute("TRUNCATE task, activity")
        await write(connections, HISTORY)
        assert await row(connections) == alone


async def shown_on_timeline(pool: Pool) -> list[str]:
    page = await people.timeline_page(pool, record(ANN), 50, None)
    return [entry["type"] for entry in page["entries"] if entry["type"].startswith("task.")]


async def test_tasks_change_no_profile_and_stand_on_the_timeline(batch_pool: Pool) -> None:
    await write(batch_pool, [ANN])
    before = await lines(batch_pool), await versions(batch_pool)
    await batch_pool.execute("DELETE FROM outbox")
    await write(batch_pool, HISTORY)
    assert (await lines(batch_pool), await versions(batch_pool)) == before
    told = [one for found in await batch_pool.fetch("SELECT body FROM outbox") for one in orjson.loads(found[0])]
    types = sorted(one.type for one in HISTORY)
    assert sorted((one[0], one[2]) for one in told) == [("activities", one) for one in types]
    assert sorted(await shown_on_timeline(batch_pool)) == types
    await audit(batch_pool)


async def test_a_task_on_a_record_that_nobody_has_heard_of_waits_for_it(batch_pool: Pool) -> None:
    await write(batch_pool, HISTORY)
    assert await listed(batch_pool) == []
    await audit(batch_pool)
    await write(batch_pool, [ANN])
    assert [one["id"] for one in await listed(batch_pool)] == [TASK]


async def test_a_rule_makes_a_task_once_through_a_replay_and_sets_nothing_off_by_it(batch_pool: Pool) -> None:
    house = House(batch_pool)
    steps = [{"create_task": {"title": "Call the new lead", "to": "owner", "due": "1d"}}, {"wait": {"for": "2h"}},
             {"create_task": {"title": "Call again", "team": "sales"}}]  # fmt: skip
    await house.rules(a_rule(steps=steps), a_rule("echo", when={"event": ["task.created", "task.done"]}))
    order = happens("order.placed")
    await house.live(order)
    await house.walk()
    for _ in range(2):
        await house.relay()
        await house.live(*(ROOM.read(said_by_rule(one)) for one in house.said))
        await house.hear(house.heard)
    tasks = await listed(batch_pool)
    assert [(one["title"], one["to"], one["team"], one["due"]) for one in tasks] == [
        ("Call the new lead", None, None, hour(24)), ("Call again", None, "sales", hour(26)),
    ]  # fmt: skip
    assert {one["created_by"] for one in tasks} == {"rule:some"}
    assert {rule for rule, _, _, _ in await house.done()} == {"some"}, "what a rule did sets nothing off"
    await marked(batch_pool, tasks[0]["id"], "task.done")
    await house.hear(await house.relay())
    assert [one for one, _, verdict in await house.verdicts() if (one, verdict) == ("echo", "fired")] == ["echo"]


async def test_the_next_deed_of_a_rule_knows_whom_it_has_just_made_the_owner(batch_pool: Pool) -> None:
    house = House(batch_pool)
    task = {"create_task": {"title": "Call", "to": "owner"}}
    await house.rules(a_rule(steps=[task, {"assign_owner": {"team": "sales"}}, task, {"assign_owner": {"to": "pool"}}]))
    first = happens("order.placed")
    await house.live(first, happens("order.placed", "bob", hour(1)))
    await house.relay()
    told = [(one.type, orjson.loads(bytes(one.value))) for one in house.said]
    assert [data.get("to", data.get("owner")) for _, data in told] == [
        None, "ann@example.com", "ann@example.com", None, None, "bob@example.com", "bob@example.com", None
    ]  # fmt: skip
    await write(batch_pool, [said_of(record(first), "owner", "eve@firm.example", hour(2))])
    house.said.clear()
    await house.live(happens("order.placed", at=hour(3)))
    await house.relay()
    to = [data["to"] for data in (orjson.loads(bytes(one.value)) for one in house.said) if "to" in data]
    assert to == ["eve@firm.example"] * 2, "a person's word stands"


async def test_a_task_goes_where_its_record_goes(batch_pool: Pool) -> None:
    await write(batch_pool, [ANN, BOB._replace(at=day(2))])
    task = await added(batch_pool, record(BOB), to="eve@firm.example")
    merge = decided(SAME, [record(ANN)], [record(BOB)], day(5))
    await write(batch_pool, [merge])
    (one,) = await listed(batch_pool, profile=as_text(record(ANN)))
    assert (one["id"], one["profile_id"]) == (task, as_text(record(ANN)))
    await marked(batch_pool, task, "task.waiting")
    await write(batch_pool, [decided(WITHDRAWN, [record(ANN)], [record(BOB)], day(6), withdraws=[merge])])
    assert await listed(batch_pool, profile=as_text(record(ANN))) == []
    assert await shown(batch_pool, profile=as_text(record(BOB))) == [("Call", "waiting")]


async def test_who_is_erased_takes_their_tasks_along_for_good(batch_pool: Pool) -> None:
    history = [said("task.created", day(2), 1, **MADE | {"title": "Annabella's lamp"}), *HISTORY[1:]]
    await takes(batch_pool, ANN, BOB, *history, erased([record(ANN)], at=day(9)))
    assert await batch_pool.fetchval("SELECT count(*) FROM task") == 0
    await takes(batch_pool, *history, said("task.done", day(12), 9))
    assert await batch_pool.fetchval("SELECT count(*) FROM task") == 0
    assert "nnabella" not in str(await batch_pool.fetch("SELECT data::text FROM activity"))


async def test_what_waits_for_the_customer_comes_back_when_something_comes_in(batch_pool: Pool) -> None:
    await write(batch_pool, [ANN])
    task = await added(batch_pool, record(ANN), due="9d")
    await marked(batch_pool, task, "task.waiting")
    assert await shown(batch_pool) == [("Call", "waiting")]
    assert await shown(batch_pool, bucket="today") == []
    late = fact("web", Words(email=X, name="Ann Lee"), day(3))._replace(received_at="2099-01-01T00:00:00.000Z")
    await write(batch_pool, [late])
    (one,) = await listed(batch_pool, bucket="today")
    assert (one["status"], one["answered_at"]) == ("waiting", "2099-01-01T00:00:00.000Z")
    assert await shown(batch_pool, bucket="waiting") == []
    await write(batch_pool, [BOB])
    bobs = await added(batch_pool, record(BOB), "Bob's", due="1s")
    await marked(batch_pool, bobs, "task.waiting")
    assert await shown(batch_pool, bucket="today", limit=1) == [("Call", "today")]
    assert await shown(batch_pool, bucket="waiting", limit=1) == [("Bob's", "waiting")]


async def test_everybody_finds_their_own_and_each_bucket_its_tasks(batch_pool: Pool) -> None:
    await write(batch_pool, [ANN, BOB])
    await added(batch_pool, record(ANN), "late", to="Eve@firm.example", due="2020-01-01T00:00:00Z")
    await added(batch_pool, record(ANN), "far", team="sales", due="30d")
    done = await added(batch_pool, record(BOB), "over", to="eve@firm.example")
    await marked(batch_pool, done, "task.dropped")
    assert await shown(batch_pool) == [("late", "overdue"), ("far", "later")]
    assert await shown(batch_pool, to="eve@FIRM.example") == [("late", "overdue")]
    assert await shown(batch_pool, team="sales") == [("far", "later")]
    assert await shown(batch_pool, bucket="done") == [("over", "done")]
    assert await shown(batch_pool, profile=as_text(record(BOB))) == []
    assert await shown(batch_pool, limit=1) == [("late", "overdue")]
    assert (await listed(batch_pool))[0]["customer"] == "Ann Lee"


@pytest.mark.parametrize(
    ("words", "field"),
    [({"team": "sail"}, "team"), ({"team": "sales", "to": "eve@firm.example"}, "to"), ({"due": "soon"}, "due"),
     ({"to": "eve"}, "to"), ({"title": " "}, "title"), ({"due": "0d"}, "due")],
)  # fmt: skip
async def test_what_is_said_wrongly_is_refused(batch_pool: Pool, words: dict[str, str], field: str) -> None:
    await write(batch_pool, [ANN])
    with pytest.raises(Reject) as wrong:
        await added(batch_pool, record(ANN), **{"title": "Call"} | words)
    assert wrong.value.field == field
