"""What the three servers are told: settings, ports, ids, and errors that say how to go on."""

from __future__ import annotations

import os
import struct
import uuid
from base64 import urlsafe_b64decode
from pathlib import Path

import pytest

from hub.embedded import kafka, parts, postgres, valkey
from hub.embedded.rooms import Room
from hub.errors import Misconfigured

FACTS = {"port": "20001", "controller_port": "20002", "cluster_id": "AAAAAAAAAAAAAAAAAAAAAQ"}


def test_kafka_is_told_what_real_brokers_taught() -> None:
    lines = kafka.render(kafka.settings(1, FACTS, Path("/state/kafka/log")) | kafka.replication(1)).splitlines()
    assert {
        "broker.session.timeout.ms=3000",
        "broker.heartbeat.interval.ms=500",
        "group.initial.rebalance.delay.ms=0",
        "auto.create.topics.enable=false",
        "offsets.topic.num.partitions=4",
        "offsets.topic.replication.factor=1",
        "message.max.bytes=16777216",
        "replica.fetch.max.bytes=16777216",
        "advertised.listeners=PLAINTEXT://127.0.0.1:20001",
        "controller.quorum.voters=1@127.0.0.1:20002",
        "log.dirs=/state/kafka/log",
    } <= set(lines)


def test_a_java_properties_file_carries_any_letter() -> None:
    assert kafka.render({"log.dirs": "/état/\\x/日/😀"}) == "log.dirs=/\\u00e9tat/\\\\x/\\u65e5/\\ud83d\\ude00\n"


def test_kafka_refuses_a_folder_that_it_would_cut_in_two() -> None:
    with pytest.raises(Misconfigured, match="comma"):
        kafka.settings(1, FACTS, Path("/a,b/log"))


def test_topics_in_three_copies_need_two_of_them() -> None:
    three = kafka.replication(3)
    assert three["default.replication.factor"] == "3"
    assert three["min.insync.replicas"] == three["transaction.state.log.min.isr"] == "2"


def test_every_cluster_id_is_a_new_uuid() -> None:
    ids = {kafka.new_cluster_id() for _ in range(200)}
    assert len(ids) == 200
    assert all(len(each) == 22 and each[0] != "-" and uuid.UUID(bytes=urlsafe_b64decode(each + "==")) for each in ids)


def test_the_id_of_formatted_data_is_kept(tmp_path: Path) -> None:
    assert kafka.cluster_id_of(tmp_path) is None
    (tmp_path / "meta.properties").write_text("#\nversion=1\ncluster.id=kept\nnode.id=1\n")
    assert kafka.cluster_id_of(tmp_path) == "kept"


def test_a_broker_of_another_cluster_does_not_count() -> None:
    first = struct.pack(">ih9sih", 1, 9, b"127.0.0.1", 20001, -1)
    second = struct.pack(">ih5sih2s", 2, 5, b"other", 20002, 2, b"eu")
    cluster = struct.pack(">h22s", 22, FACTS["cluster_id"].encode())
    answer = struct.pack(">iiii", 80, 1, 0, 2) + first + second + cluster
    assert kafka.brokers_in(answer, FACTS["cluster_id"]) == {20001, 20002}
    assert kafka.brokers_in(answer, kafka.new_cluster_id()) == frozenset()


def test_postgres_keeps_what_it_promised_and_listens_on_no_port() -> None:
    text = postgres.render(postgres.SETTINGS | {"unix_socket_directories": "/it's"})
    for line in ("fsync = 'on'", "synchronous_commit = 'on'", "full_page_writes = 'on'", "jit = 'off'"):
        assert f"\n{line}\n" in text
    assert "\nlisten_addresses = ''\n" in text
    assert "\nunix_socket_directories = '/it''s'\n" in text


def test_the_address_of_postgres_is_one_that_asyncpg_reads() -> None:
    address = postgres.Postgres().address({"socket": "/a b/run&x"})
    assert address == "postgresql://hub@/hub?host=/a%20b/run%26x&port=5432"


def test_an_ordinary_user_runs_postgres_as_it_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert postgres.as_owner(["postgres"], tmp_path) == ["postgres"]


def test_root_without_setpriv_is_told_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Misconfigured, match=r"(?s)setpriv.*ordinary user.*HUB_POSTGRES__URL"):
        postgres.as_owner(["postgres"], tmp_path)


@pytest.mark.parametrize("content", ["{pid}\n/data\n", "99999999\n", "", "words\n"])
def test_a_lock_of_no_living_postgres_is_forgotten(tmp_path: Path, content: str) -> None:
    lock = tmp_path / "postmaster.pid"
    lock.write_text(content.format(pid=os.getpid()))
    postgres.forget_the_dead(lock)
    assert not lock.exists()
    postgres.forget_the_dead(lock)


def test_valkey_keeps_nothing_and_forgets_the_oldest_first() -> None:
    text = valkey.render(valkey.SETTINGS | {"dir": '/a "b"'})
    assert 'save ""\n' in text
    assert 'maxmemory-policy "allkeys-lru"\n' in text
    assert 'bind "127.0.0.1"\n' in text
    assert 'dir "/a \\"b\\""\n' in text


def test_a_missing_part_is_named_with_three_ways_on() -> None:
    text = str(parts.missing("Apache Kafka 4.3.1", "no route to host"))
    assert "Apache Kafka 4.3.1: no route to host" in text
    for way in ("HTTPS_PROXY", "HUB_EMBEDDED__MAVEN_MIRROR", "docker compose -f docker/compose.yaml up"):
        assert way in text
    for setting in ("HUB_KAFKA__SERVERS", "HUB_POSTGRES__URL", "HUB_REDIS__URL"):
        assert setting in text


@pytest.mark.parametrize(
    ("ask", "part"),
    [(lambda: parts.postgres("psql"), "PostgreSQL 18"), (parts.java, "Java"), (parts.valkey, "Valkey 9")],
)
def test_a_platform_without_the_wheel_gets_the_same_ways(
    monkeypatch: pytest.MonkeyPatch, ask: object, part: str
) -> None:
    monkeypatch.setattr(parts, "find_spec", lambda _name: None)
    assert callable(ask)
    with pytest.raises(Misconfigured, match=rf"(?s){part}.*not installed.*Three ways on"):
        ask()


def test_a_long_state_folder_gets_a_short_socket_and_keeps_it(tmp_path: Path) -> None:
    short, long = Room(Path("/s")), Room(tmp_path / ("x" * 100))
    assert short.socket_folder(None) == Path("/s/run")
    chosen = long.socket_folder(None)
    try:
        assert len(str(chosen)) < 60
        assert chosen.stat().st_mode & 0o777 == 0o700
        assert long.socket_folder(str(chosen)) == chosen
    finally:
        chosen.rmdir()
    again = long.socket_folder(str(chosen))
    assert again != chosen
    again.rmdir()
