"""Apache Kafka 4.3 in KRaft mode: one process that is broker and controller, on loopback ports."""

from __future__ import annotations

import base64
import shutil
import signal
import socket
import struct
import subprocess
import uuid
from typing import TYPE_CHECKING

from hub.embedded import jars, parts
from hub.embedded.ports import LOOPBACK, keep_or_choose
from hub.embedded.processes import environment
from hub.embedded.rooms import made_whole
from hub.errors import Misconfigured

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from hub.embedded.report import Report
    from hub.embedded.rooms import Room

LARGEST_RECORD_BYTES = 16 * 2**20  # 10 MiB of body, as base64, with its envelope

JAVA_FLAGS = (
    "-Xms64m",
    "-Xmx384m",
    # The cheapest collector and compiler: measured best for a broker that starts often and works for minutes.
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-XX:+ExitOnOutOfMemoryError",
    "-XX:-UsePerfData",
    "--sun-misc-unsafe-memory-access=allow",
    "--enable-native-access=ALL-UNNAMED",
)

SETTINGS = {
    "process.roles": "broker,controller",
    "controller.listener.names": "CONTROLLER",
    "inter.broker.listener.name": "PLAINTEXT",
    "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
    # Its own death is noticed in 3 s, not in 9; after kill -9 nobody can write before that.
    "broker.session.timeout.ms": "3000",
    "broker.heartbeat.interval.ms": "500",
    # The first member of a group need not wait for others.
    "group.initial.rebalance.delay.ms": "0",
    "group.min.session.timeout.ms": "1000",
    "auto.create.topics.enable": "false",
    "message.max.bytes": str(LARGEST_RECORD_BYTES),
    "replica.fetch.max.bytes": str(LARGEST_RECORD_BYTES),
    "offsets.topic.num.partitions": "4",
    "transaction.state.log.num.partitions": "2",
    "share.coordinator.state.topic.num.partitions": "1",
    "num.network.threads": "2",
    "num.io.threads": "4",
    "log.cleaner.threads": "1",
}


class Kafka:
    """Kafka as one of the stack's servers (see `hub.embedded.stack.Server`)."""

    name = "kafka"
    title = "Apache Kafka"
    program = "java"
    stop_signal = signal.SIGTERM
    node = 1
    copies = 1

    def marker(self, room: Room) -> Path:
        """The argument that names its configuration."""
        return room.data(self.name) / "server.properties"

    def choose(self, room: Room, kept: Mapping[str, str]) -> dict[str, str]:
        """Its ports, and the cluster's id: the one its data was formatted with, else a new random one."""
        written = cluster_id_of(room.data(self.name) / "log")
        return {
            "port": keep_or_choose(kept.get("port")),
            "controller_port": keep_or_choose(kept.get("controller_port")),
            "cluster_id": written or new_cluster_id(),
        }

    def prepare(self, room: Room, facts: Mapping[str, str], report: Report) -> list[str | Path]:
        """Fetch the jars, format the data folder where it is absent, write the settings, and say how to start it."""
        folder, classpath = room.data(self.name), jars.classpath(report)
        if not folder.exists():
            report("Formatting a Kafka log.")
            with made_whole(folder) as unfinished:
                format_log(unfinished, self._settings(facts, unfinished), facts["cluster_id"], classpath)
        self.marker(room).write_text(render(self._settings(facts, folder)), encoding="latin-1")
        return command(classpath, self.marker(room), room.log(f"{self.name}-server"))

    def answers(self, facts: Mapping[str, str], _pid: int) -> bool:
        """Does it take records, and is it of our cluster? Anybody may have taken the port."""
        return int(facts["port"]) in living_brokers(int(facts["port"]), facts["cluster_id"])

    def address(self, facts: Mapping[str, str]) -> str:
        """Its bootstrap server."""
        return f"{LOOPBACK}:{facts['port']}"

    def version(self) -> str:
        """Like `4.3.1`."""
        return jars.kafka_version()

    def _settings(self, facts: Mapping[str, str], folder: Path) -> dict[str, str]:
        return settings(self.node, facts, folder / "log") | replication(self.copies)


def settings(node: int, facts: Mapping[str, str], log: Path) -> dict[str, str]:
    """The configuration of one node, but for `replication`. Without `voters` in the facts it is a whole cluster."""
    broker, controller = f"{LOOPBACK}:{facts['port']}", f"{LOOPBACK}:{facts['controller_port']}"
    if "," in str(log):
        raise Misconfigured(f"For Kafka a comma ends the name of a folder; choose another state folder than {log}")
    return SETTINGS | {
        "node.id": str(node),
        "controller.quorum.voters": facts.get("voters", f"{node}@{controller}"),
        "listeners": f"PLAINTEXT://{broker},CONTROLLER://{controller}",
        "advertised.listeners": f"PLAINTEXT://{broker}",
        "log.dirs": str(log),
    }  # fmt: skip


def replication(copies: int) -> dict[str, str]:
    """Settings for topics that exist in so many copies, all but one of which must have a record to call it written."""
    least = str(max(1, copies - 1))
    return {
        "default.replication.factor": str(copies),
        "min.insync.replicas": least,
        "offsets.topic.replication.factor": str(copies),
        "transaction.state.log.replication.factor": str(copies),
        "transaction.state.log.min.isr": least,
        "share.coordinator.state.topic.replication.factor": str(copies),
        "share.coordinator.state.topic.min.isr": least,
    }


def render(properties: Mapping[str, str]) -> str:
    """A Java properties file. Java reads it as Latin-1, so other letters are written as escapes of their UTF-16."""
    return "".join(f"{name}={''.join(map(_escape, value))}\n" for name, value in properties.items())


def _escape(letter: str) -> str:
    if letter == "\\":
        return "\\\\"
    units = letter.encode("utf-16-be", "surrogatepass").hex()
    return letter if letter.isascii() else "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))


def new_cluster_id() -> str:
    """A random id of 22 characters, in Kafka's form of a UUID. Never a fixed one: it tells one log from another."""
    while True:
        written = base64.urlsafe_b64encode(uuid.uuid4().bytes).rstrip(b"=").decode()
        if not written.startswith("-"):  # would look like an option on the command line
            return written


def cluster_id_of(log: Path) -> str | None:
    """The id that a log was formatted with; None where there is no log."""
    try:
        lines = (log / "meta.properties").read_text(encoding="latin-1").splitlines()
    except OSError:
        return None
    return next((line.partition("=")[2] for line in lines if line.startswith("cluster.id=")), None)


def command(classpath: list[Path], configuration: Path, log: Path) -> list[str | Path]:
    """How to start a broker. It unpacks its compressors beside its configuration, not where they pile up."""
    unpacked = configuration.with_name("unpacked")
    shutil.rmtree(unpacked, ignore_errors=True)
    unpacked.mkdir()
    logging = jars.LOCK.with_name("log4j2.properties").as_uri()
    flags = (f"-Djava.io.tmpdir={unpacked}", f"-Dhub.logs={log.parent}", f"-Dhub.name={log.stem}")
    return [*_java(classpath), *flags, f"-Dlog4j2.configurationFile={logging}", "kafka.Kafka", configuration]


def format_log(folder: Path, properties: Mapping[str, str], cluster_id: str, classpath: list[Path]) -> None:
    """Make an empty log. Raises Misconfigured where Kafka's own tool refuses."""
    configuration = folder / "format.properties"
    configuration.write_text(render(properties), encoding="latin-1")
    tool = [*_java(classpath), "kafka.tools.StorageTool", "format", "-t", cluster_id, "-c", configuration]
    words = [str(word) for word in tool]
    done = subprocess.run(words, capture_output=True, text=True, env=environment(), check=False)
    if done.returncode != 0:
        raise parts.missing(f"Apache Kafka {jars.kafka_version()}", f"formatting failed: {done.stderr[-2000:]}")
    configuration.unlink()


def living_brokers(port: int, cluster_id: str) -> frozenset[int]:
    """The ports of the brokers of this cluster that take records, as the one at `port` tells; empty without an answer.

    Asks by Kafka's protocol: Metadata, version 4, about no topic. A broker that is still starting is not in the answer.
    """
    request = struct.pack(">hhih", 3, 4, 1, -1) + struct.pack(">ib", 0, 0)
    try:
        with socket.create_connection((LOOPBACK, port), timeout=2) as connection:
            connection.sendall(struct.pack(">i", len(request)) + request)
            return brokers_in(connection.makefile("rb").read1(65536), cluster_id)
    except (OSError, struct.error):
        return frozenset()


def brokers_in(answer: bytes, cluster_id: str) -> frozenset[int]:
    """The ports of the brokers in an answer about this cluster; an answer about another one names none."""
    # Length, correlation id and throttle time come first; the cluster's id stands as text behind the brokers.
    (count,), at, ports = struct.unpack_from(">i", answer, 12), 16, set()
    for _ in range(count):
        (host,) = struct.unpack_from(">h", answer, at + 4)
        port, rack = struct.unpack_from(">ih", answer, at + 6 + host)
        at += 12 + host + max(rack, 0)
        ports.add(port)
    return frozenset(ports) if cluster_id.encode() in answer[at:] else frozenset()


def _java(classpath: list[Path]) -> list[str | Path]:
    return [parts.java(), *JAVA_FLAGS, "-cp", ":".join(str(jar) for jar in classpath)]
