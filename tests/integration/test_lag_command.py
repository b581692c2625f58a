"""`hub lag --json` beside Kafka's own tool, while a consumer is stopped."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from hub import clock
from hub.embedded import Addresses
from hub.streams.clients import consumer, producer, started
from hub.streams.topics import create_topics
from tests.support.kafka_tools import describe_group
from tests.support.lagging import Lagging

pytestmark = pytest.mark.integration
TOPICS = ("inbound.forms", "inbound.support")


def hub(variables: Mapping[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    """The command as a person runs it."""
    return subprocess.run(
        [sys.executable, "-m", "hub", *words], capture_output=True, text=True, env=dict(variables), timeout=60
    )


@pytest.fixture
def variables(servers: Addresses, database_url: str, tmp_path: Path) -> dict[str, str]:
    """An environment that leads to the tests' servers."""
    return {
        "PATH": "/usr/bin:/bin",
        "HUB_STATE": str(tmp_path),
        "HUB_KAFKA__SERVERS": ",".join(servers.kafka),
        "HUB_KAFKA__PARTITIONS": "2",
        "HUB_POSTGRES__URL": database_url,
        "HUB_REDIS__URL": servers.redis,
    }


async def consume(lagging: Lagging, count: int) -> None:
    """A member of the group `profiles` that reads so many records, says so, and is stopped."""
    client = consumer(lagging.kafka, lagging.group("profiles"))
    client.subscribe([lagging.kafka.prefix + topic for topic in TOPICS])
    async with started(client):
        left = count
        while left:
            for place, records in (await client.getmany(timeout_ms=200, max_records=left)).items():
                left -= len(records)
                await client.commit({place: records[-1].offset + 1})


async def publish(lagging: Lagging, count: int) -> float:
    """Records on both topics; when the first of them was sent, in seconds since 1970."""
    client = producer(lagging.kafka)
    began = clock.now().timestamp()
    async with started(client):
        for number in range(count):
            key = str(number).encode()
            await client.send_and_wait(lagging.kafka.prefix + TOPICS[number % 2], b"x" * 300, key=key)
    return began


async def test_hub_lag_agrees_with_kafka_s_own_tool(servers: Addresses, variables: dict[str, str]) -> None:
    lagging = Lagging(servers.kafka)
    variables["HUB_KAFKA__PREFIX"] = lagging.kafka.prefix
    await create_topics(lagging.kafka)
    await publish(lagging, 40)
    await consume(lagging, 40)
    sent_at = await publish(lagging, 30)
    theirs = await asyncio.to_thread(describe_group, servers.kafka, lagging.group("profiles"))
    asked = clock.now().timestamp()
    answer = await asyncio.to_thread(hub, variables, "lag", "--json")
    took = clock.now().timestamp() - asked
    assert answer.returncode == 0, answer.stderr
    report: dict[str, Any] = json.loads(answer.stdout)
    assert set(report) == {"groups", "outbox", "deliveries", "timers", "dead_letters"}
    ours = {(row["topic"], row["partition"]): row for row in report["groups"]}
    assert {place: said.lag for place, said in theirs.items()} == {
        place: row["messages"] for place, row in ours.items() if place in theirs
    }
    assert sum(said.lag for said in theirs.values()) == sum(row["messages"] for row in ours.values()) == 30
    for row in ours.values():
        assert row["state"] == ("stopped" if row["messages"] else "ok")
        if row["messages"]:
            assert asked - sent_at - 1 <= row["seconds"] <= asked - sent_at + took
        else:
            assert row["seconds"] == 0


async def test_a_partition_of_which_nothing_was_read_lags_from_its_start(
    servers: Addresses, variables: dict[str, str]
) -> None:
    lagging = Lagging(servers.kafka)
    variables["HUB_KAFKA__PREFIX"] = lagging.kafka.prefix
    await create_topics(lagging.kafka)
    await publish(lagging, 10)
    answer = await asyncio.to_thread(hub, variables, "lag", "--json")
    assert sum(row["messages"] for row in json.loads(answer.stdout)["groups"]) == 10
