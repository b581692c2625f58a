"""Lag as Kafka itself has it: messages, seconds, how long until something is lost, and what it means."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio

from consumers.monitor import Monitor, looks, rows_of
from hub import clock
from hub.embedded import Addresses
from hub.errors import Retry
from hub.settings import Kafka, check
from hub.storage import samples
from hub.storage.pool import Pool
from hub.streams.clients import admin, started
from hub.streams.lag import Reading, Watched, open_lag_reader, watched
from tests.support.lagging import Lagging

pytestmark = pytest.mark.integration
RETENTION = 3600.0


@pytest_asyncio.fixture
async def lagging(servers: Addresses) -> Lagging:
    return Lagging(servers.kafka)


class Found(dict[tuple[str, int], Reading]):
    """Readings by group (without the test's prefix) and partition; when they were asked for and there."""

    asked = answered = 0.0

    def age(self, sent_at: float) -> Any:
        """How old a record of that time was when it was read, within half a second."""
        return pytest.approx(self.asked - sent_at, abs=0.5 + self.answered - self.asked)


async def read(lagging: Lagging, *groups: str) -> Found:
    found = Found()
    async with open_lag_reader(lagging.kafka) as reader:
        found.asked = clock.now().timestamp()
        readings = await reader.read(lagging.watched(*groups))
        found.answered = clock.now().timestamp()
    found.update({(one.group.removeprefix(lagging.kafka.prefix), one.partition): one for one in readings})
    return found


async def test_the_age_of_the_first_unread_record_is_the_lag_in_seconds(lagging: Lagging) -> None:
    await lagging.make()
    await lagging.send(0, 5, age=100)
    sent_at = await lagging.send(0, 3, age=8)
    await lagging.commit("slow", {0: 5})
    found = await read(lagging, "slow")
    behind, fine = found["slow", 0], found["slow", 1]
    assert (behind.messages, behind.committed, behind.end) == (3, 5, 8)
    assert behind.seconds == found.age(sent_at)
    assert behind.seconds_to_loss == pytest.approx(RETENTION - (behind.seconds or 0), abs=0.01)
    assert (fine.messages, fine.seconds, fine.seconds_to_loss) == (0, 0, None)


async def test_two_groups_at_different_places_are_read_at_once(lagging: Lagging) -> None:
    await lagging.make()
    oldest, older, old = [await lagging.send(1, 2, age=age) for age in (50, 30, 10)]
    for group, offset in (("first", 0), ("second", 2), ("third", 4), ("same", 4), ("done", 6)):
        await lagging.commit(group, {1: offset})
    found = await read(lagging, "first", "second", "third", "same", "done")
    assert [found[group, 1].messages for group in ("first", "second", "third", "same", "done")] == [6, 4, 2, 2, 0]
    ages = [found[group, 1].seconds for group in ("first", "second", "third", "same", "done")]
    assert ages == [found.age(oldest), found.age(older), found.age(old), found.age(old), 0]


async def test_a_group_that_nobody_knows_lags_from_the_start_of_the_log(lagging: Lagging) -> None:
    await lagging.make()
    sent_at = await lagging.send(0, 4, age=20)
    found = await read(lagging, "nobody")
    one = found["nobody", 0]
    assert (one.committed, one.members, one.messages) == (None, 0, 4)
    assert one.seconds == found.age(sent_at)


async def test_a_reader_reads_again_and_again(lagging: Lagging) -> None:
    await lagging.make()
    async with open_lag_reader(lagging.kafka) as reader:
        for count in (1, 2, 3):
            await lagging.send(0)
            readings = await reader.read(lagging.watched("any"))
            assert [one.messages for one in readings] == [count, 0]


async def test_a_topic_that_does_not_exist_has_no_rows(lagging: Lagging) -> None:
    async with open_lag_reader(lagging.kafka) as reader:
        assert await reader.read(lagging.watched("any")) == []
        assert await reader.read([]) == []


async def test_records_deleted_unread_are_a_loss_that_has_happened(lagging: Lagging) -> None:
    await lagging.make()
    sent_at = await lagging.send(0, 6, age=9)
    await lagging.commit("late", {0: 2})
    client = admin(lagging.kafka)
    async with started(client):
        from aiokafka import TopicPartition
        from aiokafka.admin import RecordsToDelete

        await client.delete_records({TopicPartition(lagging.topic, 0): RecordsToDelete(before_offset=4)})
    found = await read(lagging, "late")
    late = found["late", 0]
    assert (late.committed, late.beginning, late.messages) == (2, 4, 4)
    assert late.seconds_to_loss == 0
    assert late.seconds == found.age(sent_at)


@pytest.mark.parametrize(("retention_ms", "compacted"), [(-1, False), (-1, True), (60_000, True)])
async def test_where_nothing_can_be_lost_there_is_no_time_to_loss(
    lagging: Lagging, retention_ms: int, compacted: bool
) -> None:
    await lagging.make(retention_ms=retention_ms, compacted=compacted)
    await lagging.send(0, 1, age=9)
    found = (await read(lagging, "any"))["any", 0]
    assert (found.messages, found.seconds_to_loss) == (1, None)


async def test_members_are_counted_while_they_are_there(lagging: Lagging) -> None:
    await lagging.make()
    async with lagging.member("live"):
        assert (await read(lagging, "live"))["live", 0].members == 1
    assert (await read(lagging, "live"))["live", 0].members == 0


async def test_without_a_broker_it_is_a_retry() -> None:
    with pytest.raises(Retry, match="Kafka does not answer"):
        async with open_lag_reader(Kafka(servers=("127.0.0.1:1",))):
            pass


def test_the_hub_s_groups_carry_the_prefix_on_group_and_topic() -> None:
    profiles, duplicates, automation, sales, shop = watched(Kafka(prefix="eu."), ["shop", "sales"])
    assert profiles.group == "eu.profiles"
    assert "eu.inbound.forms" in profiles.topics
    assert len(profiles.topics) == 7
    assert duplicates == Watched("eu.duplicates", ("eu.profiles", "eu.inbound.hub"))
    assert automation == Watched("eu.automation", ("eu.activities",))
    assert sales == Watched("eu.sync.sales", ("eu.profiles",))
    assert shop.group == "eu.sync.shop"


async def test_a_stopped_group_is_told_as_stopped_and_a_living_one_is_not(lagging: Lagging) -> None:
    await lagging.make()
    await lagging.send(0, 3)
    await lagging.commit("dead", {0: 1})
    async with lagging.member("live") as member:
        await member.commit({place: 1 for place in member.assignment() if place.partition == 0})
        async with open_lag_reader(lagging.kafka) as reader:
            readings = await reader.read(lagging.watched("dead", "live"))
    rows = {row["group"]: row for row in rows_of(readings, {}, clock.now()) if row["partition"] == 0}
    assert rows[lagging.group("dead")]["state"] == "stopped"
    assert rows[lagging.group("live")]["state"] == "ok"


async def test_looks_are_kept_for_ten_minutes_and_tell_a_group_that_hangs(lagging: Lagging, pool: Pool) -> None:
    await lagging.make()
    await lagging.send(0, 3, age=700)
    async with lagging.member("hangs") as member:
        await member.commit({place: 1 for place in member.assignment() if place.partition == 0})
        async with open_lag_reader(lagging.kafka) as reader:
            readings = await reader.read(lagging.watched("hangs"))
    now = clock.now()
    for ago in (700, 620, 300, 20, 5):
        await samples.add(pool, looks(readings, now - timedelta(seconds=ago)))
    history = await samples.history(pool, [lagging.group("hangs")])
    assert [round((now - look.at).total_seconds()) for look in history[lagging.group("hangs")]] == [300, 20, 5]
    (row, _) = rows_of(readings, history, now)
    assert row == {
        "group": lagging.group("hangs"),
        "topic": lagging.topic,
        "partition": 0,
        "messages": 2,
        "seconds": pytest.approx(700, abs=15),
        "state": "stalled",
        "seconds_to_loss": pytest.approx(RETENTION - 700, abs=15),
    }


async def test_a_report_tells_every_queue_and_keeps_its_look(lagging: Lagging, pool: Pool) -> None:
    await lagging.make(name="inbound.forms")
    settings = check({"kafka": lagging.kafka.model_dump(), "destinations": {"sales": {"kind": "webhook"}}})
    async with Monitor(settings, pool) as monitor:
        report = await monitor.report(keep=True)
        assert (await monitor.report())["groups"] == report["groups"]
    kept = await samples.history(pool, [one.group for one in monitor.groups])
    assert {group: len(found) for group, found in kept.items()} == {
        lagging.group("profiles"): 1,
        lagging.group("duplicates"): 0,  # its topics are not there
        lagging.group("automation"): 0,
        lagging.group("sync.sales"): 0,
    }
    assert [row["state"] for row in report["groups"]] == ["ok", "ok"]
    assert report["outbox"] == {"pending": 0, "oldest_seconds": None}
    assert report["timers"] == {"pending": 0, "oldest_seconds": None}
    assert report["deliveries"]["destinations"] == {}
    assert report["dead_letters"] == 0
