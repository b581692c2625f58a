"""What rules did is told to tools: each deed once under one id, whatever is replayed, merged, refused or erased."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest
import pytest_asyncio
from standardwebhooks import Webhook

from consumers.plans import claim
from hub.identity.evidence import Words
from hub.identity.ids import as_text
from hub.storage import fired, traces
from hub.storage.deliveries import retry
from hub.storage.pool import Pool, transaction
from schemas.profile import ActionFired, ToldOfAction
from tests.support.acting import a_rule, happens, hour
from tests.support.line import batch_connections
from tests.support.memory import fact, record
from tests.support.telling import World, profile_of
from tests.support.told import SECRET
from tests.support.tools import OK, FakeTool, Reply, until

pytestmark = pytest.mark.integration
CALL: list[dict[str, Any]] = [{"call_webhook": {"destination": "crm"}}]
ACTIONS_ALONE = ["action.*"]
SLOW = [3600.0]


@pytest_asyncio.fixture
async def connections(database_url: str) -> AsyncIterator[Pool]:
    async with batch_connections(database_url) as pool:
        yield pool


@pytest_asyncio.fixture
async def crm() -> AsyncIterator[FakeTool]:
    async with FakeTool().serving() as tool:
        yield tool


async def test_a_rule_calls_a_tool_that_does_not_subscribe_once_through_every_replay(
    connections: Pool, pool: Pool, crm: FakeTool
) -> None:
    world = World(connections, pool, crm)
    await world.house.rules(a_rule(steps=[*CALL, {"add_tag": {"tag": "x"}}]))
    order = happens("order.placed")
    await world.house.live(order)
    for _ in range(2):
        await world.house.hear(world.house.heard)
    await world.sends()
    (got,) = crm.got
    assert Webhook(SECRET).verify(got.body, got.headers) == got.json
    ToldOfAction.model_validate(got.json)
    assert got.json == {
        "type": "action.fired", "timestamp": hour(0),
        "data": {"action": {
            "key": f"some:{order.id}:1", "rule": "some", "verb": "call_webhook",
            "profile_id": await profile_of(world.house, order), "event_id": order.id, "hops": 1, "origin": "hub",
        }},
    }  # fmt: skip
    assert await world.out.states() == ["delivered"]
    effect = await pool.fetchval("SELECT effect FROM ledger WHERE verb = 'call_webhook'")
    assert orjson.loads(effect) == {"events": [], "tools": ["crm"]}


async def test_who_subscribes_hears_of_every_deed_once_and_of_none_that_was_held_or_failed(
    connections: Pool, pool: Pool, crm: FakeTool
) -> None:
    world = World(connections, pool, crm, events=ACTIONS_ALONE)
    steps = [{"add_tag": {"tag": "x"}}, *CALL, {"notify": {"team": "sales", "text": "Look."}},
             {"notify": {"to": "owner", "text": "Held."}}, {"assign_owner": {"team": "gone"}}]  # fmt: skip
    await world.house.rules(a_rule(steps=steps), a_rule("trial", mode="trial"))
    await world.house.live(happens("order.placed"))
    await world.sends()
    told = sorted((one["verb"], one["key"].rpartition(":")[2], one.get("text")) for one in world.actions())
    assert told == [("add_tag", "1", None), ("call_webhook", "2", None), ("notify", "3", "Look.")]
    assert len({got.id for got in crm.got}) == 3
    assert {got.json["type"] for got in crm.got} == {"action.fired"}, "of profiles it wants to hear nothing"


async def test_every_deed_stands_on_activities_under_the_profile_and_sets_nothing_off(
    connections: Pool, pool: Pool, crm: FakeTool
) -> None:
    world = World(connections, pool, crm)
    await world.house.rules(a_rule(), a_rule("echo", when={"event": "order.placed"}, again="once"))
    order = happens("order.placed")
    await world.house.live(order)
    records = await world.house.relay()
    profile = await profile_of(world.house, order)
    told = [ActionFired.model_validate_json(one.value or b"") for one in records]
    assert sorted(one.data.action.key for one in told) == [f"{rule}:{order.id}:1" for rule in ("echo", "some")]
    assert {(one.profile_id, one.data.action.profile_id) for one in told} == {(profile, profile)}
    assert {one.key for one in records} == {profile.encode()}
    before = await world.house.untouched()
    await world.house.hear(records)
    assert await world.house.untouched() == before


async def test_a_retry_has_the_same_id_and_bytes_and_folds_into_nothing(
    connections: Pool, pool: Pool, crm: FakeTool
) -> None:
    answers = [Reply(500), Reply(reset=True), Reply(503)]
    crm.script = lambda _: answers.pop(0) if answers else OK
    world = World(connections, pool, crm)
    await world.house.rules(a_rule(steps=CALL))
    await world.house.live(happens("order.placed"))
    await world.sends()
    assert len(crm.got) == 4
    assert len({(got.id, got.body) for got in crm.got}) == 1
    await world.house.live(happens("order.placed", at=hour(1)), happens("order.placed", at=hour(2)))
    await world.sends()
    assert len({got.id for got in crm.got}) == 3
    assert await world.out.states() == ["delivered"] * 3


async def test_a_deed_waits_for_no_profile_and_no_profile_waits_for_a_deed(
    connections: Pool, pool: Pool, crm: FakeTool
) -> None:
    gate = asyncio.Event()
    crm.script = lambda _: Reply(gate=gate)
    world = World(connections, pool, crm, events=["*"])
    await world.house.rules(a_rule(steps=CALL))
    order = happens("order.placed")
    await world.house.live(order, happens("order.placed", at=hour(1)))
    profile = bytes.fromhex((await profile_of(world.house, order)).replace("-", ""))
    version = await pool.fetchval("SELECT version FROM profile")
    await world.out.hears((profile, version))
    async with world.out.dispatching():
        await crm.until(lambda: len(crm.got) == 3)
        gate.set()
        await until(world.out.quiet)
    assert sorted(got.json["type"] for got in crm.got) == ["action.fired", "action.fired", "profile.created"]


async def test_a_dispatcher_that_died_with_the_answer_sends_the_same_again(
    connections: Pool, pool: Pool, crm: FakeTool
) -> None:
    world = World(connections, pool, crm)
    await world.house.rules(a_rule(steps=CALL))
    await world.house.live(happens("order.placed"))
    (job,) = await claim(pool, world.out.tools, {"crm": 8})
    await pool.execute("UPDATE delivery SET lease_until = clock_timestamp() - interval '1 second'")
    await world.sends()
    assert [(got.id, got.body) for got in crm.got] == [(as_text(job.notice.id), job.notice.body)]
    (delivery,) = await world.out.deliveries()
    assert [one["error"] for one in delivery["tries"]] == ["the hub went silent; the answer is not known", None]


async def test_each_dead_deed_comes_back_by_itself(connections: Pool, pool: Pool, crm: FakeTool) -> None:
    crm.script = lambda _: Reply(422)
    world = World(connections, pool, crm)
    await world.house.rules(a_rule(steps=CALL))
    await world.house.live(happens("order.placed"), happens("order.placed", at=hour(1)))
    await world.sends()
    first, second = await world.out.deliveries()
    assert (first["state"], first["version"], second["state"]) == ("dead", 0, "dead")
    crm.script = lambda _: OK
    assert await retry(pool, [first["id"]]) == {first["id"]: "due now"}
    await world.sends()
    assert [one["state"] for one in await world.out.deliveries()] == ["delivered", "dead"]
    assert await retry(pool, [first["id"]]) == {first["id"]: "was delivered"}
    assert len({(got.id, got.body) for got in crm.got if got.id == first["id"]}) == 1


async def test_nothing_is_sent_any_more_about_somebody_who_was_erased(
    connections: Pool, pool: Pool, crm: FakeTool
) -> None:
    crm.script = lambda _: Reply(500, body=b"ann@customers.org?")
    world = World(connections, pool, crm, retry_seconds=SLOW)
    await world.house.rules(a_rule(steps=CALL))
    ann, bob = happens("order.placed", "ann"), happens("order.placed", "bob", hour(1))
    await world.house.live(ann, bob)
    async with world.out.dispatching():
        await crm.until(lambda: len(crm.got) == 2)
        await until(lambda: tried(pool, 2))
    async with transaction(pool) as connection:
        await traces.empty_deliveries(connection, await traces.profiles_of(connection, [record(ann)]))
    of_ann, of_bob = await world.out.deliveries()
    assert (of_ann["state"], of_ann["error"], of_ann["body"]) == ("folded", "nobody is left", None)
    assert [one["response"] for one in of_ann["tries"]] == [None]
    assert await retry(pool, [of_ann["id"], of_bob["id"]]) == {of_ann["id"]: "nobody is left", of_bob["id"]: "due now"}
    crm.script = lambda _: OK
    await world.sends()
    assert [one["state"] for one in await world.out.deliveries()] == ["folded", "delivered"]
    assert len(crm.got) == 3


async def tried(pool: Pool, times: int) -> bool:
    """Whether so many tries are on record."""
    return bool(await pool.fetchval("SELECT count(*) = $1 FROM delivery_attempt", times))


async def test_whoever_heard_of_somebody_by_a_deed_alone_hears_of_their_merge_and_erasure(
    connections: Pool, pool: Pool, crm: FakeTool
) -> None:
    world = World(connections, pool, crm, events=["profile.merged", "profile.erased"])
    await world.house.rules(a_rule(steps=CALL))
    ann, bob = happens("order.placed", "ann"), happens("order.placed", "bob", hour(1))
    await world.house.live(ann, bob)
    await world.sends()
    one, other = [bytes.fromhex(action["profile_id"].replace("-", "")) for action in world.actions()]
    await world.out.merges(one, other, 9)
    await world.sends()
    await world.out.erases(other)
    await world.sends()
    assert [got.json["type"] for got in crm.got[2:]] == ["profile.merged", "profile.erased"]


async def test_behind_a_wait_the_deed_is_about_whoever_the_record_belongs_to_then(
    connections: Pool, pool: Pool, crm: FakeTool
) -> None:
    world = World(connections, pool, crm)
    await world.house.rules(a_rule(steps=[{"wait": {"for": "2h"}}, *CALL]))
    order = happens("order.placed", "bob", hour(1))._replace(hops=2, origin="erp,crm")
    await world.house.live(order)
    elder = fact("desk", Words("x", "bob@customers.org"), hour(0))._replace(type="ticket.opened")
    await world.house.live(elder)
    assert await profile_of(world.house, order) == await profile_of(world.house, elder)
    await world.house.walk()
    await world.sends()
    (action,) = world.actions()
    assert action["profile_id"] == await profile_of(world.house, elder)
    assert (action["hops"], action["origin"]) == (3, "erp,crm,hub")


async def test_killed_behind_its_delivery_the_deed_is_done_and_told_once(
    connections: Pool, pool: Pool, crm: FakeTool, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(connections, pool, crm)
    await world.house.rules(a_rule(steps=CALL))
    records = await world.house.happen(happens("order.placed"))
    written = fired.put

    async def killed(*given: Any) -> None:
        await written(*given)
        raise KeyboardInterrupt

    with monkeypatch.context() as once:
        once.setattr(fired, "put", killed)
        with pytest.raises(KeyboardInterrupt):
            await world.house.hear(records)
    assert await world.out.states() == []
    await world.house.hear(records)
    await world.sends()
    assert len(crm.got) == 1
