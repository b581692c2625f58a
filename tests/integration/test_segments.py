"""Segments on a real PostgreSQL: who is in, as events, time, merges and splits make it; each change told once."""

from __future__ import annotations

from collections.abc import AsyncIterator

import orjson
import pytest
import pytest_asyncio

from hub.identity.decisions import APART
from hub.identity.ids import as_text
from schemas.events.segment import SegmentChanged
from tests.support.acting import House, a_rule, a_segment, happens, hour
from tests.support.line import batch_connections
from tests.support.memory import decided, record
from tests.support.segments import BUYERS, TABLES, desk, one_person, twins

pytestmark = pytest.mark.integration


@pytest_asyncio.fixture
async def house(database_url: str) -> AsyncIterator[House]:
    async with batch_connections(database_url) as connections:
        yield House(connections)


async def test_somebody_comes_in_by_an_event_and_goes_when_time_has_passed(house: House) -> None:
    await house.rules(BUYERS)
    await house.look()
    await house.live(happens("order.placed", at=hour(0)))
    assert await house.members() == {}
    second = happens("order.placed", at=hour(5))
    await house.live(second)
    assert await house.members() == {"buyers": {"ann"}}
    (entered,) = await house.told()
    assert entered["type"] == "segment.entered"
    assert entered["profile_id"] == as_text(record(second))
    assert (entered["at"], entered["received_at"], entered["source"]) == (hour(5), hour(5), "hub")
    assert entered["data"] == {
        "segment": "buyers", "version": 1, "because": "event", "by_event": second.id, "hops": 0,
    }  # fmt: skip
    assert SegmentChanged.model_validate(entered["data"]).because == "event"
    assert await house.look(hour(47)) == 0
    assert await house.look(hour(48)) == 1
    assert await house.members() == {}
    (left,) = await house.told()
    assert (left["type"], left["at"]) == ("segment.left", hour(48))
    assert left["data"]["because"] == "time"
    assert await house.look() == 0


async def test_what_sets_off_a_rule_is_who_came_in_or_went_and_a_replay_sets_off_nothing(house: House) -> None:
    await house.rules(
        BUYERS,
        a_rule("welcome", when={"enters": "buyers"}),
        a_rule("miss", when={"leaves": "buyers"}, steps=[{"add_tag": {"tag": "lost"}}]),
    )
    await house.look()
    await house.live(happens("order.placed", at=hour(0)), happens("order.placed", at=hour(5)))
    await house.told()
    assert [(rule, state) for rule, _, _, state in await house.done()] == [("welcome", "done")]
    await house.look()
    await house.told()
    assert [rule for rule, _, _, _ in await house.done()] == ["miss", "welcome"]
    await house.relay()
    before = await house.untouched(TABLES)
    await house.hear(house.heard)
    assert await house.untouched(TABLES) == before
    assert await house.members() == {}


async def test_a_rule_asks_a_segment_as_it_is_with_this_very_event(house: House) -> None:
    await house.rules(BUYERS, a_rule(if_={"segment": "buyers"}))
    await house.look()
    await house.live(*(happens("order.placed", at=hour(number)) for number in range(2)))
    assert [verdict for _, _, verdict in await house.verdicts()] == ["no", "fired"]


async def test_a_segment_may_ask_another_one_and_what_people_and_rules_set(house: House) -> None:
    await house.rules(
        a_segment("vips", {"all": [{"segment": "buyers"}, {"profile": "tags", "contains": "buyer"}]}),
        BUYERS,
        a_rule("tag", when={"enters": "buyers"}),
        a_rule("greet", when={"enters": "vips"}, steps=[{"set_stage": {"stage": "vip"}}]),
    )
    await house.look()
    await house.live(happens("order.placed", at=hour(0)), happens("order.placed", at=hour(1)))
    await house.told()
    await house.relay()
    (tag,) = (one for one in house.said if one.type == "tag.added")
    data = orjson.loads(bytes(tag.value))
    assert data["hops"] == 1
    await house.happen_ours(tag)
    assert await house.members() == {"buyers": {"ann"}, "vips": {"ann"}}
    (entered,) = await house.told()
    assert entered["data"]["hops"] == 1
    await house.relay()
    (stage,) = (one for one in house.said if one.type == "stage.set")
    assert orjson.loads(bytes(stage.value))["hops"] == 2


async def test_rules_and_segments_that_go_round_in_a_circle_stop(house: House) -> None:
    tagged = {"profile": "tags", "contains": "x"}
    await house.rules(
        a_segment("tagged", tagged),
        a_rule("off", when={"enters": "tagged"}, steps=[{"remove_tag": {"tag": "x"}}]),
        a_rule("on", when={"leaves": "tagged"}, steps=[{"add_tag": {"tag": "x"}}]),
        a_rule("begin", steps=[{"add_tag": {"tag": "x"}}]),
    )
    await house.look()
    await house.live(happens("order.placed"))
    await house.relay()
    while house.said:
        await house.happen_ours(house.said.pop())
        await house.told()
        await house.relay()
    verdicts = [verdict for _, _, verdict in await house.verdicts()]
    assert verdicts.count("loop") == 1
    assert verdicts.count("fired") == 10


async def test_two_members_who_are_one_are_one_member_and_nothing_is_set_off(house: House) -> None:
    await house.rules(BUYERS, a_rule(when={"enters": "buyers"}), a_rule("gone", when={"leaves": "buyers"}))
    await house.look()
    await house.live(*twins(0), *twins(1))
    assert await house.members() == {"buyers": {"ann", "lee"}}
    assert len(await house.told()) == 2
    done = await house.done()
    await one_person(house, 2)
    assert await house.told() == []
    assert await house.pool.fetchval("SELECT count(*) FROM segment_member") == 1
    assert await house.pool.fetchval("SELECT count(*) FROM segment_check") == 1
    assert await house.done() == done


async def test_who_comes_in_because_two_are_one_is_told_as_that_and_sets_nothing_off(house: House) -> None:
    await house.rules(BUYERS, a_rule(when={"enters": "buyers"}))
    await house.look()
    await house.live(*twins(0))
    assert await house.members() == {}
    await one_person(house, 1)
    assert [one["data"]["because"] for one in await house.told()] == ["merge"]
    assert await house.done() == []
    assert await house.pool.fetchval("SELECT count(*) FROM segment_member") == 1
    await house.look()
    assert [one["data"]["because"] for one in await house.told()] == ["time"]


async def test_both_parts_of_a_split_are_where_the_whole_was_and_looked_at_anew(house: House) -> None:
    await house.rules(BUYERS, a_rule("gone", when={"leaves": "buyers"}))
    await house.look()
    lee = desk(hour(0), "ticket.opened")
    ann = happens("order.placed", at=hour(1))
    await house.live(lee, ann, happens("order.placed", at=hour(2)))
    key = await one_person(house, 3)
    await house.told()
    apart = decided(APART, [record(ann), record(key)], [record(lee)], hour(4))
    await house.hear(await house.happen(apart))
    assert await house.pool.fetchval("SELECT profile_id FROM segment_member") == record(ann)
    (left,) = await house.told()
    assert (left["type"], left["profile_id"]) == ("segment.left", as_text(record(lee)))
    assert left["data"]["because"] == "split"
    assert await house.done() == []
    await house.relay()
    await house.hear(house.heard)
    assert await house.told() == []


async def test_a_segment_that_is_taken_over_changed_or_retired_tells_of_everybody_and_sets_nothing_off(
    house: House,
) -> None:
    await house.live(*(happens("order.placed", who, hour(at)) for who in ("ann", "bob", "cy") for at in (0, 1)))
    once = {"count": "order.placed", "at_least": 1}
    await house.rules(a_segment("once", once), a_rule(when={"enters": "once"}), since=hour(1))
    await house.live(happens("order.placed", "ann", hour(2)))
    await house.look()
    assert await house.members() == {"once": {"ann", "bob", "cy"}}
    assert {one["data"]["because"] for one in await house.told()} == {"applied"}
    await house.rules(a_segment("once", {"count": "order.placed", "at_least": 3}, 2), since=hour(3))
    await house.look()
    assert await house.members() == {"once": {"ann"}}
    assert sorted(one["profile_id"] for one in await house.told()) == sorted(
        as_text(record(happens("order.placed", who))) for who in ("bob", "cy")
    )
    await house.pool.execute("UPDATE rule_state SET live = NULL, live_since = NULL WHERE name = 'once'")
    await house.look()
    assert await house.members() == {}
    (gone,) = await house.told()
    assert (gone["type"], gone["data"]["because"]) == ("segment.left", "applied")
    assert await house.done() == []
    assert await house.pool.fetchval("SELECT count(*) FROM segment_round") == 0


async def test_leaving_a_segment_ends_who_waits_with_that_exit(house: House) -> None:
    waits = [{"wait": {"for": "9d"}}, {"add_tag": {"tag": "late"}}]
    await house.rules(BUYERS, a_rule(when={"enters": "buyers"}, exits=[{"leaves": "buyers"}], steps=waits))
    await house.look()
    await house.live(happens("order.placed", at=hour(0)), happens("order.placed", at=hour(1)))
    await house.told()
    assert await house.journeys() == ["waiting"]
    await house.look()
    await house.told()
    await house.walk()
    assert await house.journeys() == ["left at segment.left"]


async def test_how_many_activities_somebody_has_does_not_change(house: House) -> None:
    await house.rules(BUYERS)
    await house.look()
    await house.live(happens("order.placed", at=hour(0)), happens("order.placed", at=hour(1)))
    await house.look()
    await house.told()
    assert await house.pool.fetchval("SELECT (line->>'activities')::int FROM profile") == 2
