"""The commands on real servers: profiles, dead letters, topics, doctor."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable, Coroutine
from typing import Any
from uuid import uuid4

import orjson
import pytest
from typer.testing import CliRunner

from consumers.profiles import Profiles
from hub.cache import LocalHints
from hub.cli import app
from hub.components import Letter, Record
from hub.embedded import Addresses
from hub.identity.evidence import Words
from hub.identity.ids import as_text, event_id, record_id
from hub.settings import Kafka, load
from hub.storage import dead_letters
from hub.storage.offsets import PostgresStore
from hub.storage.pool import Pool, open_pool
from hub.streams.batches import consume
from hub.streams.broker import Broker, open_broker
from hub.streams.clients import admin, started
from tests.support.line import write
from tests.support.memory import day, fact
from tests.support.tools import until

pytestmark = pytest.mark.integration
ANN = as_text(record_id("crm", "account", "1"))
EVENT = event_id("web", "a form")
HEADERS = [
    ("ce_specversion", b"1.0"),
    ("ce_id", as_text(EVENT).encode()),
    ("ce_source", b"web"),
    ("ce_type", b"source.unreadable"),
    ("ce_edge", b"web"),
    ("ce_receivedtime", b"2026-11-20T08:00:00.000Z"),
]
BODY = "email=ann%40example.com&given_name=Ann"
FORM = {"content_type": "application/x-www-form-urlencoded", "content_encoding": None, "text": BODY}

With = Callable[[Callable[[Pool], Coroutine[Any, Any, Any]]], Any]


@pytest.fixture
def kafka(servers: Addresses) -> Kafka:
    """Topics of this test alone."""
    return Kafka(servers=servers.kafka, prefix=f"cmd-{uuid4().hex[:8]}.", partitions=2)


@pytest.fixture(autouse=True)
def _environment(
    servers: Addresses, kafka: Kafka, database_url: str, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "hub.toml"
    config.write_text('[sources.web]\nkind = "web_form"\nkeys = ["pk"]\n[gateway]\nlisten = "127.0.0.1:0"\n')
    for name, value in {
        "HUB_CONFIG": str(config),
        "HUB_STATE": str(tmp_path / "state"),
        "HUB_CONSOLE__LISTEN": "127.0.0.1:0",
        "HUB_KAFKA__SERVERS": ",".join(kafka.servers),
        "HUB_KAFKA__PREFIX": kafka.prefix,
        "HUB_KAFKA__PARTITIONS": "2",
        "HUB_POSTGRES__URL": database_url,
        "HUB_REDIS__URL": servers.redis,
    }.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def within(database_url: str) -> With:
    """Runs something with a pool, in a loop of its own: a command brings its own loop."""

    async def with_pool(work: Callable[[Pool], Coroutine[Any, Any, Any]]) -> Any:
        pool = await open_pool(database_url, 4)
        try:
            return await work(pool)
        finally:
            await pool.close()

    return lambda work: asyncio.run(with_pool(work))


def hub(*words: str, status: int = 0) -> bytes:
    """A command's standard output."""
    answer = CliRunner().invoke(app, words)
    assert answer.exit_code == status, answer.output
    return answer.stdout_bytes


def people(within: With) -> None:
    facts = [
        fact("crm", Words(id="1", email="ann@example.com", name="Ann [Lee]"), day(1)),
        fact("crm", Words(id="1", phone="+4930901820"), day(2)),
        fact("crm", Words(id="2", email="bob@example.com"), day(3)),
    ]
    within(lambda pool: write(pool, facts))


def test_the_export_prints_lines_and_the_same_ones_as_facts(within: With) -> None:
    people(within)
    plain = hub("profiles", "export")
    assert [json.loads(line)["activities"] for line in plain.splitlines()].count(2) == 1
    assert hub("profiles", "export", "--facts") == plain
    versioned = [json.loads(line) for line in hub("profiles", "export", "--with-versions").splitlines()]
    assert all(line.pop("version") >= 1 for line in versioned)
    assert versioned == [json.loads(line) for line in plain.splitlines()]


def test_an_empty_hub_exports_nothing() -> None:
    assert hub("profiles", "export") == b""


def test_a_person_is_looked_up_and_shown(within: With) -> None:
    people(within)
    found = json.loads(hub("profiles", "lookup", "--email", "ANN@example.com", "--json"))
    assert (found["profile_id"], found["version"]) == (ANN, 1)
    assert [entry["at"] for entry in found["timeline"]] == [day(2), day(1)]
    shown = hub("profiles", "show", ANN).decode()
    for part in ("Ann [Lee]", "ann@example.com", "+4930901820", "contact.updated", ANN, "crm"):
        assert part in shown
    hub("profiles", "lookup", "--phone", "+4930999999", status=1)
    hub("profiles", "show", as_text(EVENT), status=1)
    hub("profiles", "show", "ann", status=1)


def give_up(within: With, letter: Letter, group: str = "profiles") -> int:
    """Keep a letter; gives its number."""

    async def keep(pool: Pool) -> int:
        store = PostgresStore(pool)
        async with store.begin() as connection:
            await store.dead_letter(connection, group, [letter])
        (found, *_) = await dead_letters.page(pool, state=None, limit=1)
        return found.id

    number: int = within(keep)
    return number


def unreadable(kafka: Kafka, raw: dict[str, Any]) -> Letter:
    value = orjson.dumps({"reason": "no field", "field": None, "raw": raw})
    record = Record(f"{kafka.prefix}inbound.tools", 0, 5, 1_790_000_000_000, b"k", value, HEADERS)
    return Letter(record, "read", "no field", "Unreadable", EVENT, None, "web")


def test_a_letter_shows_its_bytes_and_nothing_else(within: With, kafka: Kafka) -> None:
    posted = b"\x1f\x8b\x00\xff\n"
    raw = {"content_type": "text/plain", "content_encoding": "gzip", "base64": base64.b64encode(posted).decode()}
    number = str(give_up(within, unreadable(kafka, raw)))
    assert hub("dead-letters", "show", number, "--raw") == posted
    shown = json.loads(hub("dead-letters", "show", number, "--json"))
    assert base64.b64decode(shown["raw_base64"]) == posted
    assert shown["event_id"] == as_text(EVENT)
    assert b"no field" in hub("dead-letters", "show", number)
    (listed,) = json.loads(hub("dead-letters", "list", "--json"))["dead_letters"]
    assert (listed["id"], listed["state"], listed["source"]) == (int(number), "open", "web")
    assert b"no field" in hub("dead-letters", "list", "--state", "open")
    hub("dead-letters", "list", "--state", "lost", status=2)
    hub("dead-letters", "show", "999", status=1)


def state_of(within: With, number: int) -> str:
    found = within(lambda pool: dead_letters.get(pool, number))
    state: str = found.summary.state
    return state


def test_a_letter_that_is_readable_now_becomes_an_activity_and_is_resolved(within: With, kafka: Kafka) -> None:
    number = give_up(within, unreadable(kafka, FORM), f"{kafka.prefix}profiles")
    hub("topics", "--create")
    assert json.loads(hub("dead-letters", "retry", "--all", "--json"))["dead_letters"] == [
        {"id": number, "problem": None}
    ]
    assert state_of(within, number) == "replaying"

    async def consumed(pool: Pool) -> None:
        stop = asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            works = [Profiles(LocalHints(), {}, kafka.prefix)]
            tasks.create_task(consume(load().kafka, PostgresStore(pool), works, stop))
            await until(lambda: resolved(pool, number))
            stop.set()

    within(consumed)
    found = json.loads(hub("profiles", "lookup", "--email", "ann@example.com", "--json"))
    assert [entry["id"] for entry in found["timeline"]] == [as_text(EVENT)]
    assert json.loads(hub("dead-letters", "retry", "--all", "--json"))["dead_letters"] == []
    hub("dead-letters", "retry", str(number), status=1)


async def resolved(pool: Pool, number: int) -> bool:
    letter = await dead_letters.get(pool, number)
    return letter is not None and letter.summary.state == "resolved"


def test_a_letter_that_is_as_unreadable_as_before_stays_open(within: With, kafka: Kafka) -> None:
    number = give_up(within, unreadable(kafka, FORM | {"text": ""}))
    hub("topics", "--create")
    assert b"holds no field" in hub("dead-letters", "retry", str(number), status=1)
    assert state_of(within, number) == "open"
    hub("dead-letters", "retry", "999", status=1)


def test_a_record_without_an_id_goes_out_anew_and_leaves_its_letter(within: With, kafka: Kafka) -> None:
    record = Record(f"{kafka.prefix}inbound.forms", 0, 9, 1_790_000_000_000, None, b"\xff", [])
    number = give_up(within, Letter(record, "read", "no CloudEvent", "Unreadable"))
    hub("topics", "--create")
    hub("dead-letters", "retry", str(number))
    assert state_of(within, number) == "resolved"


def test_topics_are_compared_with_what_the_broker_has(kafka: Kafka) -> None:
    missing = json.loads(hub("topics", "--json", status=1))["topics"]
    assert all(topic["problems"] == ["missing: `hub topics --create`"] for topic in missing)
    hub("topics", "--create")
    assert b"inbound.forms" in hub("topics")

    name = f"{kafka.prefix}inbound.forms"

    async def add_partitions() -> None:
        from aiokafka.admin import NewPartitions

        client = admin(kafka)
        async with started(client):
            await client.create_partitions({name: NewPartitions(5)})
        async with open_broker(kafka) as broker:
            await until(lambda: grown(broker))

    async def grown(broker: Broker) -> bool:
        return len((await broker.topics([name]))[name].partitions) == 5

    asyncio.run(add_partitions())
    found = {topic["topic"]: topic for topic in json.loads(hub("topics", "--json"))["topics"]}
    assert found[name]["partitions"] == 5  # more is fine
    assert found[f"{kafka.prefix}profiles"]["configuration"]["cleanup.policy"] == "compact"


def test_fewer_partitions_than_asked_for_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    hub("topics", "--create")
    monkeypatch.setenv("HUB_KAFKA__PARTITIONS", "4")
    (first, *_) = json.loads(hub("topics", "--json", status=1))["topics"]
    assert first["problems"] == ["2 partitions, not 4"]


def findings(status: int = 0) -> dict[str, dict[str, str]]:
    found = json.loads(hub("doctor", "--json", status=status))["findings"]
    return {one["about"]: one for one in found}


def test_the_doctor_says_what_is_missing_and_what_to_do() -> None:
    found = findings(status=1)
    assert found["PostgreSQL"]["verdict"] == found["Kafka"]["verdict"] == found["Redis"]["verdict"] == "ok"
    assert found["tables"]["verdict"] == found["clocks"]["verdict"] == "ok"
    (topic, *_) = [one for about, one in found.items() if about.startswith("topic ")]
    assert (topic["verdict"], topic["found"]) == ("wrong", "missing: `hub topics --create`")
    assert found["hub"]["verdict"] == "warning"
    hub("topics", "--create")
    assert all(one["verdict"] != "wrong" for one in findings().values())


def test_the_doctor_finds_a_consumer_without_members_and_old_rows(within: With, kafka: Kafka) -> None:
    hub("topics", "--create")

    async def neglect(pool: Pool) -> None:
        await pool.execute(
            "INSERT INTO outbox (shard, messages, body, created_at) VALUES (0, 7, '[]', now() - interval '5 min')"
        )
        await pool.execute(
            """
            INSERT INTO delivery (id, destination, profile_id, lane, type, version, state, due_at)
            SELECT gen_random_uuid(), 'sales', gen_random_uuid(), gen_random_uuid(), 'profile.updated', 1, s,
                   now() - interval '10 min' FROM unnest(ARRAY['retry', 'dead']) s
            """
        )

    within(neglect)
    give_up(within, unreadable(kafka, FORM))
    hub("dead-letters", "retry", "--all")
    found = findings(status=1)
    assert found[f"group {kafka.prefix}profiles"]["found"] == "stopped, 1 messages behind"
    assert "hub serve" in found[f"group {kafka.prefix}profiles"]["advice"]
    assert found["outbox"]["found"].startswith("7 messages, the oldest for 30")
    assert found["deliveries to sales"]["verdict"] == "wrong"
    assert found["dead letters"]["verdict"] == "warning"


def test_the_doctor_tells_a_server_that_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUB_POSTGRES__URL", "postgresql://hub@127.0.0.1:1/hub")
    found = findings(status=1)
    assert found["PostgreSQL"]["verdict"] == "wrong"
    assert "firewall" in found["PostgreSQL"]["advice"]
    assert hub("profiles", "export", status=1) == b""
