"""The embedded stack as it is: real servers, killed, adopted, raced for, stopped."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import asyncpg
import psutil
import pytest
import redis.asyncio
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from typer.testing import CliRunner, Result

from hub import clock, embedded
from hub.cli.embedded import app
from hub.embedded import processes
from hub.embedded.cluster import Cluster
from hub.embedded.processes import Note

pytestmark = pytest.mark.integration
TOPIC = "kept"


@pytest.fixture(scope="module")
def state() -> Iterator[Path]:
    """A state folder of this module, so that its servers may be killed."""
    folder = Path(tempfile.mkdtemp(prefix="hub-embedded-"))
    yield folder
    embedded.stop(folder)
    shutil.rmtree(folder)


def pids(state: Path) -> dict[str, int]:
    return {server.name: server.pid for server in embedded.status(state) if server.pid}


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
    until(lambda: processes.birth(pid) is None)


def until(is_so: Callable[[], bool]) -> None:
    deadline = clock.monotonic() + 30
    while not is_so():
        assert clock.monotonic() < deadline
        processes.pause(0.01)


async def put(addresses: embedded.Addresses, word: str) -> None:
    """Leave a word in each server."""
    connection = await asyncpg.connect(addresses.postgres)
    await connection.execute("CREATE TABLE IF NOT EXISTS kept (word text)")
    await connection.execute("INSERT INTO kept VALUES ($1)", word)
    await connection.close()
    await create(addresses.kafka, copies=1)
    producer = AIOKafkaProducer(bootstrap_servers=list(addresses.kafka), acks="all", enable_idempotence=True)
    await producer.start()
    await producer.send_and_wait(TOPIC, word.encode())
    await producer.stop()
    cache = redis.asyncio.from_url(addresses.redis)
    await cache.set(word, "there")
    assert await cache.get(word) == b"there"
    await cache.aclose()


async def create(servers: tuple[str, ...], *, copies: int) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=list(servers))
    await admin.start()
    await admin.create_topics([NewTopic(TOPIC, num_partitions=1, replication_factor=copies)])
    await admin.close()


async def kept(addresses: embedded.Addresses) -> tuple[list[str], list[str]]:
    """The words in PostgreSQL and in Kafka."""
    connection = await asyncpg.connect(addresses.postgres)
    rows = [row["word"] for row in await connection.fetch("SELECT word FROM kept ORDER BY ctid")]
    await connection.close()
    return rows, await words_in_kafka(addresses.kafka)


async def words_in_kafka(servers: tuple[str, ...]) -> list[str]:
    consumer = AIOKafkaConsumer(bootstrap_servers=list(servers), auto_offset_reset="earliest")
    await consumer.start()
    partition = TopicPartition(TOPIC, 0)
    consumer.assign([partition])
    await consumer.seek_to_beginning(partition)
    end = (await consumer.end_offsets([partition]))[partition]
    words: list[str] = []
    while await consumer.position(partition) < end:
        found = await consumer.getmany(timeout_ms=1000)
        words += [record.value.decode() for batch in found.values() for record in batch]
    await consumer.stop()
    return words


@pytest.mark.parametrize("names", [["postgres"], ["redis"], ["kafka", "postgres", "redis"]], ids=" and ".join)
async def test_nothing_is_lost_when_servers_are_killed(state: Path, names: list[str]) -> None:
    addresses = embedded.start(state)
    word = f"before {names}"
    await put(addresses, word)
    before, running = await kept(addresses), pids(state)
    for name in names:
        kill(running[name])
    assert [server.name for server in embedded.status(state) if server.state == "stale"] == names
    assert embedded.start(state) == addresses
    assert {name for name, pid in pids(state).items() if pid != running[name]} == set(names)
    assert await kept(addresses) == before
    assert all(words[-1] == word for words in before)


async def test_a_group_reads_on_where_it_stood_even_when_kafka_had_to_move_to_another_port(state: Path) -> None:
    before = embedded.start(state)
    await put(before, "group")
    first = await read_as_group(before)
    embedded.stop(state)
    host, _, port = before.kafka[0].partition(":")
    with socket.create_server((host, int(port))):
        after = embedded.start(state)
    assert after.kafka != before.kafka
    assert (after.postgres, after.redis, after.kafka_cluster_id) == (
        before.postgres,
        before.redis,
        before.kafka_cluster_id,
    )
    await put(after, "later")
    assert await read_as_group(after) == ["later"]
    assert first[-1] == "group"


async def read_as_group(addresses: embedded.Addresses) -> list[str]:
    consumer = AIOKafkaConsumer(
        TOPIC,
        bootstrap_servers=list(addresses.kafka),
        group_id="readers",
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    await consumer.start()
    words: list[str] = []
    while not words:
        words = [
            record.value.decode() for batch in (await consumer.getmany(timeout_ms=1000)).values() for record in batch
        ]
    await consumer.commit()
    await consumer.stop()
    return words


def test_a_second_start_adopts_what_runs_in_less_than_a_second(state: Path) -> None:
    addresses, running = embedded.start(state), pids(state)
    began = clock.monotonic()
    assert embedded.start(state) == addresses
    assert clock.monotonic() - began < 1
    assert pids(state) == running


def test_a_server_whose_note_was_never_finished_is_adopted_too(state: Path) -> None:
    addresses, running = embedded.start(state), pids(state)
    for name in running:
        path = state / "run" / f"{name}.json"
        Note(facts=Note.read(path).facts).write(path)
    assert embedded.start(state) == addresses
    assert pids(state) == running


def test_a_note_that_names_a_stranger_leads_to_no_signal_and_a_new_server(state: Path) -> None:
    embedded.start(state)
    kill(pids(state)["redis"])
    path = state / "run" / "redis.json"
    # Our own pid, with the birth of somebody else: what a pid that was given away again looks like.
    Note(os.getpid(), "1.00", Note.read(path).facts).write(path)
    assert {server.name: server.state for server in embedded.status(state)}["redis"] == "stale"
    embedded.start(state)
    assert pids(state)["redis"] != os.getpid()


def test_two_starts_at_once_make_one_stack(tmp_path: Path) -> None:
    script = "import sys, pathlib; from hub import embedded; embedded.start(pathlib.Path(sys.argv[1]), kafka=False)"
    command = [sys.executable, "-c", script, str(tmp_path)]
    try:
        with ThreadPoolExecutor(3) as pool:
            for done in [pool.submit(subprocess.run, command, check=True, timeout=60) for _ in range(3)]:
                done.result()
        running = [process for process in psutil.process_iter(["cmdline"]) if _names(process, tmp_path)]
        assert sorted(process.pid for process in running) == sorted(pids(tmp_path).values())
        assert len(running) == 2
    finally:
        embedded.stop(tmp_path)
    assert not [process for process in psutil.process_iter(["cmdline"]) if _names(process, tmp_path)]


def _names(process: psutil.Process, state: Path) -> bool:
    words = process.info["cmdline"] or []
    program = Path(words[0]).name if words else ""
    return program in {"postgres", "valkey-server"} and any(word.startswith(str(state)) for word in words)


async def test_a_state_folder_with_a_very_long_name_and_strange_letters_works(tmp_path: Path) -> None:
    state = tmp_path / ("a folder of Zoë's, " + "long" * 30).replace(",", "") / "état"
    try:
        addresses = embedded.start(state)
        assert embedded.start(state) == addresses
        await put(addresses, "far")
        assert await kept(addresses) == (["far"], ["far"])
    finally:
        sockets = [note.facts["socket"] for note in [Note.read(state / "run" / "postgres.json")] if note.facts]
        embedded.stop(state)
        for socket_folder in sockets:
            shutil.rmtree(socket_folder)


def test_stop_leaves_nothing_running_and_the_data_in_place(state: Path) -> None:
    embedded.start(state)
    running = pids(state)
    assert len(running) == 3
    after = embedded.stop(state)
    assert [server.state for server in after] == ["stopped"] * 3
    assert not any(processes.birth(pid) for pid in running.values())
    assert embedded.environment(state) == {}
    assert (state / "postgres" / "PG_VERSION").read_text().strip() == "18"
    assert embedded.stop(state) == after


@pytest.mark.parametrize("moment", ["kafka.unfinished-*/log", "run/kafka.json"])
def test_a_start_that_is_killed_in_the_middle_is_completed_by_the_next(tmp_path: Path, moment: str) -> None:
    script = "import sys, pathlib; from hub import embedded; embedded.start(pathlib.Path(sys.argv[1]))"
    with subprocess.Popen([sys.executable, "-c", script, str(tmp_path)]) as starting:
        until(lambda: bool(list(tmp_path.glob(moment))))
        starting.kill()
    try:
        embedded.start(tmp_path)
        assert len(pids(tmp_path)) == 3
    finally:
        embedded.stop(tmp_path)
    assert not pids(tmp_path)


def test_the_command_line_starts_shows_and_stops(state: Path) -> None:
    def run(*words: str) -> Result:
        return CliRunner().invoke(app, [*words, "--state", str(state)])

    embedded.stop(state)
    assert run("env").exit_code == 1
    assert run("start").exit_code == 0
    shell = f"{run('env').stdout}\npsql -Atc 'SELECT 40 + 2'"
    assert subprocess.run(["sh", "-c", shell], capture_output=True, text=True, check=True).stdout == "42\n"
    assert {server["state"] for server in json.loads(run("status", "--json").stdout)} == {"running"}
    stopped = run("stop")
    assert stopped.exit_code == 0
    assert stopped.stdout.count("stopped") == 3


@pytest.mark.nightly
async def test_three_brokers_lose_nothing_when_one_is_killed(tmp_path: Path) -> None:
    cluster = Cluster.of(tmp_path)
    try:
        cluster.start()
        assert Cluster.of(tmp_path).servers == cluster.servers
        await create(cluster.servers, copies=3)
        producer = AIOKafkaProducer(bootstrap_servers=list(cluster.servers), acks="all", enable_idempotence=True)
        await producer.start()
        await producer.send_and_wait(TOPIC, b"before")
        (first, *_) = cluster.status()
        assert first.pid
        kill(first.pid)
        await producer.send_and_wait(TOPIC, b"without")
        cluster.start(1)
        await producer.send_and_wait(TOPIC, b"after")
        await producer.stop()
        assert await words_in_kafka(cluster.servers) == ["before", "without", "after"]
    finally:
        cluster.stop()
    assert {server.state for server in cluster.status()} == {"stopped"}
