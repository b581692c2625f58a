"""The stack as one thing: start or adopt its servers, look at them, stop them."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol, TypeVar

from hub import clock
from hub.embedded import parts, processes
from hub.embedded.kafka import Kafka
from hub.embedded.postgres import DATABASE, PORT, USER, Postgres
from hub.embedded.processes import Note
from hub.embedded.report import Report, silent
from hub.embedded.rooms import Room, alone
from hub.embedded.valkey import Valkey
from hub.errors import Misconfigured, Retry

if TYPE_CHECKING:
    import signal
    from collections.abc import Callable, Mapping, Sequence

ANSWER_SECONDS = 120.0  # after a crash a server first reads its log
STOP_SECONDS = 60.0
LOOK_SECONDS = 0.03
# A server that was just killed holds its shared memory, its lock or its port for a moment longer.
TRIES, PAUSE_SECONDS = 4, 0.5

State = Literal["running", "stopped", "stale"]
T = TypeVar("T")


class Server(Protocol):
    """A kind of server, as the stack sees it. It keeps nothing itself: its `facts` stand in the state folder."""

    name: str
    title: str
    program: str
    stop_signal: signal.Signals

    def marker(self, room: Room) -> Path:
        """The argument of its command line that names this state folder."""

    def choose(self, room: Room, kept: Mapping[str, str]) -> dict[str, str]:
        """Ports and the like for the next start: what was kept, where it still serves."""

    def prepare(self, room: Room, facts: Mapping[str, str], report: Report) -> list[str | Path]:
        """Make what is absent, write the configuration, and return the command. Raises Misconfigured."""

    def answers(self, facts: Mapping[str, str], pid: int) -> bool:
        """Does it serve, at this moment? Must not raise, and must not take a stranger for it."""

    def address(self, facts: Mapping[str, str]) -> str:
        """Where clients find it."""

    def version(self) -> str:
        """The version of its program. Raises Misconfigured where the program is not installed."""


SERVERS: tuple[Server, ...] = (Kafka(), Postgres(), Valkey())


@dataclass(frozen=True)
class Addresses:
    """Where the servers answer. Empty, or None, for those that were not asked for."""

    kafka: tuple[str, ...]
    postgres: str
    redis: str
    kafka_cluster_id: str | None


@dataclass(frozen=True)
class ServerStatus:
    """One server at one moment. `stale`: it was started and is gone without having been stopped."""

    name: str
    state: State
    pid: int | None
    address: str | None
    uptime_seconds: float
    version: str
    data_bytes: int


def start(
    state: Path, *, kafka: bool = True, postgres: bool = True, redis: bool = True, report: Report = silent
) -> Addresses:
    """Start the servers of a state folder, or adopt those that run; return when each of them answers.

    They outlive this process. Where one fails the others stay up; the next call finds them.
    Raises Misconfigured where a part cannot be had or a server does not come up, Retry where one runs but is silent.
    """
    if os.name != "posix":
        raise parts.missing("servers for this platform", f"there are none for {os.name!r}")
    room = Room.of(state)
    room.furnish()
    asked = {"kafka": kafka, "postgres": postgres, "redis": redis}
    wanted = [server for server in SERVERS if asked[server.name]]
    with alone(room, report):
        room.sweep()
        notes = at_once(wanted, lambda server: ensure(server, room, report))
    return _addresses({server.name: note for server, note in zip(wanted, notes, strict=True)})


def status(state: Path) -> list[ServerStatus]:
    """How each server of a state folder is, without touching any."""
    room = Room.of(state)
    return [status_of(server, room) for server in SERVERS]


def stop(state: Path, report: Report = silent) -> list[ServerStatus]:
    """Ask the servers of a state folder to end, wait until they have, and tell how each one is then.

    Only processes that were started for this folder get a signal. One that does not end in 60 s is left running.
    """
    room = Room.of(state)
    if (room.state / "run").is_dir():
        with alone(room, report):
            at_once(SERVERS, lambda server: stop_one(server, room, report))
    return status(state)


def environment(state: Path) -> dict[str, str]:
    """Variables that lead the hub, psql, kcat and redis-cli to the servers that run. Empty where none does."""
    room = Room.of(state)
    notes = {server.name: note for server in SERVERS if (note := _living(server, room))}
    at = _addresses(notes)
    found = {"HUB_KAFKA__SERVERS": ",".join(at.kafka), "HUB_POSTGRES__URL": at.postgres, "HUB_REDIS__URL": at.redis}
    if "postgres" in notes:
        found |= {"PGHOST": notes["postgres"].facts["socket"], "PGPORT": PORT, "PGUSER": USER, "PGDATABASE": DATABASE}
    return {name: value for name, value in found.items() if value}


def programs() -> Path:
    """The folder with psql, pg_dump and the like. Raises Misconfigured where they do not exist for this platform."""
    return parts.postgres("psql").parent


def ensure(server: Server, room: Room, report: Report) -> Note:
    """Adopt one server, or start it; return when it answers. The caller holds the lock. Raises as `start` does."""
    note = _living(server, room)
    if note is None:
        report(f"Starting {server.title}.")
        try:
            return _launch(server, room, report)
        except OSError as error:
            raise Misconfigured(f"{server.title} cannot be started in {room.state}: {error}") from error
    if not _wait_for_answer(server, note):
        raise Retry(f"{server.title} (process {note.pid}) does not answer; its log: {room.log(server.name)}")
    return note


def _living(server: Server, room: Room) -> Note | None:
    """The note of a server that runs: the written one, or one made for a process that nobody had time to write down."""
    note = Note.read(room.note(server.name))
    if note.alive:
        return note
    pid = processes.find(server.program, server.marker(room)) if note.facts else None
    return replace(note, pid=pid, birth=processes.birth(pid)) if pid else None


def _launch(server: Server, room: Room, report: Report) -> Note:
    path, log = room.note(server.name), room.turn_log(server.name)
    for attempt in range(TRIES):
        processes.pause(PAUSE_SECONDS * attempt)
        facts = server.choose(room, Note.read(path).facts)
        command = server.prepare(room, facts, report)
        # The facts first: if we die between the next two lines, the process is found by its command line.
        Note(facts=facts).write(path)
        pid = processes.spawn(command, log=log)
        note = Note(pid, processes.birth(pid), facts)
        note.write(path)
        if _wait_for_answer(server, note):
            return note
    raise Misconfigured(f"{server.title} does not come up. {_last_words(log)}\n{parts.THREE_WAYS}")


def _wait_for_answer(server: Server, note: Note) -> bool:
    """False when the process ended, or did not answer in time."""
    deadline = clock.monotonic() + ANSWER_SECONDS
    while note.alive and note.pid is not None and clock.monotonic() < deadline:
        if server.answers(note.facts, note.pid):
            return True
        processes.pause(LOOK_SECONDS)
    return False


def stop_one(server: Server, room: Room, report: Report) -> None:
    """Signal one server, if it is ours and there, and wait. The caller holds the lock."""
    note = _living(server, room)
    if note is not None and note.pid is not None:
        report(f"Stopping {server.title}.")
        os.kill(note.pid, server.stop_signal)
        deadline = clock.monotonic() + STOP_SECONDS
        while note.alive and clock.monotonic() < deadline:
            processes.pause(LOOK_SECONDS)
    if note is None or not note.alive:
        facts = Note.read(room.note(server.name)).facts
        Note(facts=facts).write(room.note(server.name))


def status_of(server: Server, room: Room) -> ServerStatus:
    """How one server is."""
    written, living = Note.read(room.note(server.name)), _living(server, room)
    gone: State = "stale" if written.pid else "stopped"
    return ServerStatus(
        name=server.name,
        state="running" if living else gone,
        pid=living.pid if living else None,
        address=server.address(living.facts) if living else None,
        uptime_seconds=processes.age_seconds(living.pid) if living and living.pid else 0.0,
        version=server.version(),
        data_bytes=_bytes(room.data(server.name)),
    )


def _addresses(notes: Mapping[str, Note]) -> Addresses:
    found = {server.name: server.address(notes[server.name].facts) for server in SERVERS if server.name in notes}
    return Addresses(
        kafka=tuple(found.get("kafka", "").split()),
        postgres=found.get("postgres", ""),
        redis=found.get("redis", ""),
        kafka_cluster_id=notes["kafka"].facts["cluster_id"] if "kafka" in notes else None,
    )


def at_once(servers: Sequence[Server], do: Callable[[Server], T]) -> list[T]:
    """All of them in parallel; waits for all before it raises what one of them raised.

    The first one, which takes longest, runs in this thread: so Ctrl-C reaches a download.
    """
    if not servers:
        return []
    with ThreadPoolExecutor(len(servers)) as pool:
        others = [pool.submit(do, server) for server in servers[1:]]
        return [do(servers[0]), *(task.result() for task in others)]


def _bytes(folder: Path) -> int:
    """What a folder takes on the disk. Kafka's index files are larger than that: they have holes."""
    total = 0
    for base, _, names in os.walk(folder):
        for name in names:
            try:
                total += (Path(base) / name).lstat().st_blocks * 512
            except OSError:  # a log segment that has just been deleted
                continue
    return total


def _last_words(log: Path) -> str:
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()[-12:]
    except OSError:
        lines = []
    return f"The end of {log}:\n" + "\n".join(lines)
