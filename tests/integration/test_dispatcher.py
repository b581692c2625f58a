"""From the topic `profiles` to the tools: sync, dispatcher and webhooks on the real PostgreSQL and real HTTP."""

from __future__ import annotations

import asyncio

import pytest
from standardwebhooks import Webhook

from hub import clock
from hub.identity.ids import as_text
from hub.storage.deliveries import retry
from hub.storage.pool import Pool, transaction
from tests.support.told import SECRET, House, a_tool, an_id
from tests.support.tools import OK, FakeTool, Reply, until

pytestmark = pytest.mark.integration
ANN, BOB = an_id("ann"), an_id("bob")
SLOW = [3600.0]


def types(tool: FakeTool) -> list[tuple[str, int]]:
    """What a tool heard, in order: type and version."""
    return [(got.json["type"], got.profile["version"]) for got in tool.got]


async def test_a_new_profile_is_created_and_then_updated(pool: Pool) -> None:
    async with FakeTool().serving() as sales:
        house = House(pool, a_tool("sales", sales.url))
        async with house.dispatching():
            for version in (1, 2):
                await house.puts((ANN, version))
                await until(house.quiet)
        assert types(sales) == [("profile.created", 1), ("profile.updated", 2)]
        assert sales.got[0].profile == {"activities": 1, "fields": {}, "profile_id": as_text(ANN), "version": 1}
        first = (await house.deliveries())[0]
        assert (first["id"], first["body"].encode()) == (sales.got[0].id, sales.got[0].body)
        assert [(one["status"], one["response"]) for one in first["tries"]] == [(200, "ok")]


async def test_every_post_is_signed_as_standard_webhooks_says(pool: Pool) -> None:
    async with FakeTool().serving() as sales:
        house = House(pool, a_tool("sales", sales.url))
        async with house.dispatching():
            await house.puts((ANN, 1), owner="Jürgen 😀")
            await until(house.quiet)
        assert Webhook(SECRET).verify(sales.got[0].body, sales.got[0].headers) == sales.got[0].json


async def test_what_comes_while_nobody_sends_collapses_into_the_newest(pool: Pool) -> None:
    async with FakeTool().serving() as sales, FakeTool().serving() as service:
        house = House(pool, a_tool("sales", sales.url), a_tool("service", service.url))
        for version in (1, 3, 2, 9, 4):
            await house.puts((ANN, version))
        await house.stores((ANN, 9))
        assert await house.states() == ["pending", "pending"]
        async with house.dispatching():
            await until(house.quiet)
        assert types(sales) == types(service) == [("profile.created", 9)]


async def test_a_replay_of_the_topic_tells_nobody_anything(pool: Pool) -> None:
    async with FakeTool().serving() as sales:
        house = House(pool, a_tool("sales", sales.url))
        async with house.dispatching():
            for version in (1, 2):
                await house.puts((ANN, version), (BOB, version))
                await until(house.quiet)
            for version in (1, 2, 1):
                await house.hears((ANN, version), (BOB, version))
            assert await house.quiet()
        assert sorted(types(sales)) == [("profile.created", 1)] * 2 + [("profile.updated", 2)] * 2


async def test_what_changes_while_it_is_on_the_wire_follows_it(pool: Pool) -> None:
    gate = asyncio.Event()
    async with FakeTool(lambda _: Reply(gate=gate)).serving() as sales:
        house = House(pool, a_tool("sales", sales.url))
        async with house.dispatching():
            await house.puts((ANN, 1))
            await sales.until(lambda: len(sales.got) == 1)
            await house.puts((ANN, 2))
            await house.puts((ANN, 3))
            gate.set()
            await until(house.quiet)
        assert types(sales) == [("profile.created", 1), ("profile.updated", 3)]


async def test_a_retry_sends_the_same_bytes_under_the_same_id(pool: Pool) -> None:
    answers = [Reply(500), Reply(503), Reply(reset=True), OK]
    async with FakeTool(lambda _: answers.pop(0)).serving() as sales:
        house = House(pool, a_tool("sales", sales.url))
        async with house.dispatching():
            await house.puts((ANN, 1))
            await until(house.quiet)
        assert len(sales.got) == 4
        assert len({(got.id, got.body) for got in sales.got}) == 1
        (delivery,) = await house.deliveries()
        assert [one["status"] for one in delivery["tries"]] == [500, 503, None, 200]
        assert (delivery["state"], delivery["attempts"]) == ("delivered", 4)


async def test_a_retry_is_folded_into_a_newer_version(pool: Pool) -> None:
    answers = [Reply(500)]
    async with FakeTool(lambda _: answers.pop(0) if answers else OK).serving() as sales:
        house = House(pool, a_tool("sales", sales.url, retry_seconds=[0.3] * 9))
        async with house.dispatching():
            await house.puts((ANN, 1))
            await sales.until(lambda: len(sales.got) == 1)
            await house.puts((ANN, 2))
            await until(house.quiet)
        assert types(sales) == [("profile.created", 1), ("profile.created", 2)]
        assert len({got.id for got in sales.got}) == 2
        assert await house.states() == ["folded", "delivered"]


async def test_the_profile_is_told_as_it_is_even_where_the_relay_is_behind(pool: Pool) -> None:
    async with FakeTool().serving() as sales:
        house = House(pool, a_tool("sales", sales.url))
        await house.puts((ANN, 1))
        await house.stores((ANN, 4))
        async with house.dispatching():
            await until(house.quiet)
            await house.puts((ANN, 3))
            await house.puts((ANN, 4))
            await until(house.quiet)
        assert types(sales) == [("profile.created", 4)]


@pytest.mark.parametrize("status", [400, 404, 410])
async def test_a_refusal_is_dead_and_the_next_version_goes_out(pool: Pool, status: int) -> None:
    answers = [Reply(status)]
    async with FakeTool(lambda _: answers.pop(0) if answers else OK).serving() as sales:
        house = House(pool, a_tool("sales", sales.url))
        async with house.dispatching():
            await house.puts((ANN, 1))
            await until(house.quiet)
            assert await house.states() == ["dead"]
            await house.puts((ANN, 2))
            await until(house.quiet)
        assert types(sales) == [("profile.created", 1), ("profile.created", 2)]
        assert await house.states() == ["dead", "delivered"]


async def test_the_tool_says_when_to_come_back_and_429_keeps_the_schedule(pool: Pool) -> None:
    async with FakeTool(lambda _: Reply(429, {"retry-after": "600"})).serving() as sales:
        house = House(pool, a_tool("sales", sales.url, retry_seconds=[1.0, 2.0]))
        async with house.dispatching():
            await house.puts((ANN, 1))
            await until(lambda: in_state(house, "retry"))
        (delivery,) = await house.deliveries()
        assert 599 <= seconds_between(delivery["last_try_at"], delivery["due_at"]) <= 601
        async with transaction(pool) as connection:
            assert await connection.fetchval("SELECT step FROM delivery") == 0


async def test_after_the_last_wait_it_is_given_up_and_may_be_taken_up_again(pool: Pool) -> None:
    async with FakeTool(lambda _: Reply(500)).serving() as sales:
        house = House(pool, a_tool("sales", sales.url, retry_seconds=[0.01, 0.01]))
        async with house.dispatching():
            await house.puts((ANN, 1))
            await until(house.quiet)
            (delivery,) = await house.deliveries()
            assert (delivery["state"], delivery["error"]) == ("dead", "HTTP 500; given up after 3 tries")
            sales.script = lambda _: OK
            assert await retry(pool, [delivery["id"]]) == {delivery["id"]: "due now"}
            await until(house.quiet)
        assert await house.states() == ["delivered"]
        assert len({(got.id, got.body) for got in sales.got}) == 1


async def test_a_redirect_is_a_failure_and_nobody_goes_there(pool: Pool) -> None:
    async with FakeTool().serving() as elsewhere, FakeTool().serving() as sales:
        sales.script = lambda _: Reply(307, {"location": elsewhere.url})
        house = House(pool, a_tool("sales", sales.url, retry_seconds=SLOW))
        async with house.dispatching():
            await house.puts((ANN, 1))
            await until(lambda: in_state(house, "retry"))
        assert elsewhere.got == []
        assert "redirects are not followed" in (await house.deliveries())[0]["error"]


async def test_a_tool_inside_needs_permission(pool: Pool) -> None:
    async with FakeTool().serving() as sales:
        url = sales.url.replace("http:", "https:").replace("127.0.0.1", "localhost")
        house = House(pool, a_tool("sales", url, allow_private=False, retry_seconds=SLOW))
        async with house.dispatching():
            await house.puts((ANN, 1))
            await until(lambda: in_state(house, "retry"))
        assert sales.connections == 0
        assert "allow_private" in (await house.deliveries())[0]["error"]


async def test_what_a_tool_did_not_subscribe_to_is_known_without_a_word(pool: Pool) -> None:
    async with FakeTool().serving() as sales:
        house = House(pool, a_tool("sales", sales.url, events=["profile.updated"]))
        async with house.dispatching():
            for version in (1, 2):
                await house.puts((ANN, version))
                await until(house.quiet)
        assert types(sales) == [("profile.updated", 2)]
        assert await house.states() == ["folded", "delivered"]


async def in_state(house: House, state: str) -> bool:
    """Whether every delivery has come to this state."""
    return set(await house.states()) == {state}


def seconds_between(one: str, other: str) -> float:
    """Between two times as text."""
    start, end = clock.parse(one), clock.parse(other)
    assert start
    assert end
    return (end - start).total_seconds()
