"""Several Kafka brokers on one machine, as one cluster in which one may fail: for tests, not for data that matters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hub.embedded.kafka import Kafka, new_cluster_id
from hub.embedded.ports import LOOPBACK, keep_or_choose
from hub.embedded.processes import Note
from hub.embedded.report import silent
from hub.embedded.rooms import Room, alone
from hub.embedded.stack import at_once, ensure, status_of, stop_one

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from hub.embedded.stack import ServerStatus


class Node(Kafka):
    """One broker of a cluster. Its ports are fixed, because the others know them."""

    def __init__(self, node: int, copies: int, facts: Mapping[str, str]) -> None:
        self.node = node
        self.copies = copies
        self.name = f"kafka-{node}"
        self.title = f"Apache Kafka, node {node}"
        self.facts = facts

    def choose(self, _room: Room, _kept: Mapping[str, str]) -> dict[str, str]:
        """The ports that the cluster was made with."""
        return dict(self.facts)


@dataclass(frozen=True)
class Cluster:
    """Brokers 1 to n in one folder. They outlive this process; `stop` ends them."""

    room: Room
    nodes: tuple[Node, ...]

    @classmethod
    def of(cls, folder: Path, size: int = 3) -> Cluster:
        """The cluster of a folder; nothing is started. Ports and id are chosen the first time and kept."""
        room = Room.of(folder)
        room.furnish()
        kept = [Note.read(room.note(f"kafka-{node}")).facts for node in range(1, size + 1)]
        facts = kept if all(kept) else _chosen(size)
        for node, each in enumerate(facts, 1):
            if not kept[node - 1]:
                Note(facts=each).write(room.note(f"kafka-{node}"))
        return cls(room, tuple(Node(node, size, each) for node, each in enumerate(facts, 1)))

    @property
    def servers(self) -> tuple[str, ...]:
        """The bootstrap servers."""
        return tuple(node.address(node.facts) for node in self.nodes)

    def start(self, *numbers: int) -> None:
        """Start all brokers, or these; return when each takes records. Raises as `hub.embedded.start` does."""
        with alone(self.room, silent):
            at_once(self._these(numbers), lambda node: ensure(node, self.room, silent))

    def stop(self, *numbers: int) -> None:
        """Stop all brokers, or these, cleanly."""
        with alone(self.room, silent):
            at_once(self._these(numbers), lambda node: stop_one(node, self.room, silent))

    def status(self) -> list[ServerStatus]:
        """How each broker is."""
        return [status_of(node, self.room) for node in self.nodes]

    def _these(self, numbers: tuple[int, ...]) -> list[Node]:
        return [node for node in self.nodes if not numbers or node.node in numbers]


def _chosen(size: int) -> list[dict[str, str]]:
    ports: list[str] = []
    while len(ports) < 2 * size:
        port = keep_or_choose(None)
        ports += [] if port in ports else [port]
    brokers, controllers = ports[:size], ports[size:]
    voters = ",".join(f"{node}@{LOOPBACK}:{port}" for node, port in enumerate(controllers, 1))
    shared = {"cluster_id": new_cluster_id(), "voters": voters}
    return [{"port": one, "controller_port": two, **shared} for one, two in zip(brokers, controllers, strict=True)]
