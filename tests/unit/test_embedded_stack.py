"""Adoption: a server is ours by pid *and* birth, whatever was written down."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from rich.console import Console

from hub.embedded import processes, report, rooms, stack
from hub.embedded.processes import Note
from hub.embedded.report import Report, silent
from hub.embedded.rooms import Room
from hub.errors import Misconfigured, Retry

SLEEPER = "import sys, time; time.sleep(60)"


class Sleeper:
    """A server without any service: it is there or it is not."""

    name, title, program, stop_signal = "sleeper", "Sleeper", Path(sys.executable).name, signal.SIGTERM

    def __init__(self, script: str = SLEEPER, *, serves: bool = True) -> None:
        self.script = script
        self.serves = serves
        self.prepared = 0

    def marker(self, room: Room) -> Path:
        return room.data(self.name)

    def choose(self, _room: Room, kept: Mapping[str, str]) -> dict[str, str]:
        return {"port": kept.get("port", "1")}

    def prepare(self, room: Room, _facts: Mapping[str, str], _report: Report) -> list[str | Path]:
        self.prepared += 1
        return [sys.executable, "-c", self.script, self.marker(room)]

    def answers(self, _facts: Mapping[str, str], _pid: int) -> bool:
        return self.serves

    def address(self, facts: Mapping[str, str]) -> str:
        return f"sleeper:{facts['port']}"

    def version(self) -> str:
        return "1"


@pytest.fixture
def room(tmp_path: Path) -> Room:
    room = Room.of(tmp_path / "state")
    room.furnish()
    return room


@pytest.fixture
def sleeper(room: Room) -> Iterator[Sleeper]:
    server = Sleeper()
    yield server
    stack.stop_one(server, room, silent)


def state_of(server: Sleeper, room: Room) -> str:
    return stack.status_of(server, room).state


def test_a_running_server_is_adopted_and_not_started_twice(room: Room, sleeper: Sleeper) -> None:
    first = stack.ensure(sleeper, room, silent)
    assert stack.ensure(sleeper, room, silent) == first
    assert sleeper.prepared == 1
    assert state_of(sleeper, room) == "running"


def test_a_server_that_died_is_stale_and_started_again(room: Room, sleeper: Sleeper) -> None:
    first = stack.ensure(sleeper, room, silent)
    assert first.pid
    os.kill(first.pid, signal.SIGKILL)
    while first.alive:
        processes.pause(0.01)
    assert state_of(sleeper, room) == "stale"
    second = stack.ensure(sleeper, room, silent)
    assert second.pid != first.pid
    assert second.facts == first.facts


def test_a_stranger_with_the_pid_is_left_alone(room: Room) -> None:
    with subprocess.Popen([sys.executable, "-c", SLEEPER]) as stranger:
        Note(stranger.pid, "another birth", {"port": "1"}).write(room.note("sleeper"))
        stack.stop_one(Sleeper(), room, silent)
        assert stranger.poll() is None
        assert state_of(Sleeper(), room) == "stopped"
        stranger.kill()


def test_a_server_that_nobody_wrote_down_is_found_by_its_command_line(room: Room, sleeper: Sleeper) -> None:
    first = stack.ensure(sleeper, room, silent)
    Note(facts=first.facts).write(room.note("sleeper"))
    assert stack.ensure(sleeper, room, silent) == first
    assert sleeper.prepared == 1


def test_a_stopped_server_keeps_its_facts(room: Room, sleeper: Sleeper) -> None:
    first = stack.ensure(sleeper, room, silent)
    stack.stop_one(sleeper, room, silent)
    assert not first.alive
    assert Note.read(room.note("sleeper")) == Note(facts={"port": "1"})
    assert state_of(sleeper, room) == "stopped"


def test_a_server_that_ends_at_once_is_tried_again_and_its_last_words_are_shown(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stack, "PAUSE_SECONDS", 0.0)
    broken = Sleeper("raise SystemExit('the disk is full')", serves=False)
    with pytest.raises(Misconfigured, match=r"(?s)Sleeper does not come up.*the disk is full.*Three ways on"):
        stack.ensure(broken, room, silent)
    assert broken.prepared == stack.TRIES


def test_a_server_that_lives_and_does_not_answer_gets_no_twin(
    room: Room, sleeper: Sleeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = stack.ensure(sleeper, room, silent)
    monkeypatch.setattr(stack, "ANSWER_SECONDS", 0.1)
    sleeper.serves = False
    with pytest.raises(Retry, match=f"process {first.pid}"):
        stack.ensure(sleeper, room, silent)
    assert first.alive


def test_a_program_that_cannot_be_run_is_an_error_with_a_name(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    def prepare(*_: object) -> list[str | Path]:
        return ["/no/such/program"]

    server = Sleeper()
    monkeypatch.setattr(server, "prepare", prepare)
    with pytest.raises(Misconfigured, match=r"Sleeper cannot be started"):
        stack.ensure(server, room, silent)


@pytest.mark.parametrize("written", ["", "{", "[]", '{"pid": 1}'])
def test_a_note_that_cannot_be_read_is_an_empty_one(tmp_path: Path, written: str) -> None:
    path = tmp_path / "note.json"
    path.write_text(written)
    assert Note.read(path) == Note.read(tmp_path / "absent.json") == Note()


def test_our_own_birth_does_not_change_and_the_dead_have_none() -> None:
    assert processes.birth(os.getpid()) == processes.birth(os.getpid())
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    assert processes.birth(child.pid) is None


def test_a_folder_gets_its_name_only_when_it_is_whole(tmp_path: Path) -> None:
    goal = tmp_path / "postgres"
    making = rooms.made_whole(goal)
    (making.__enter__() / "half").touch()
    assert not goal.exists()
    with rooms.made_whole(goal) as unfinished:
        (unfinished / "all").touch()
    assert [path.name for path in goal.iterdir()] == ["all"]


def test_what_a_crash_left_half_made_is_thrown_away(room: Room) -> None:
    making = rooms.made_whole(room.data("kafka"))
    (making.__enter__() / "half").touch()
    assert list(room.state.glob("kafka.*"))
    room.sweep()
    assert not list(room.state.glob("kafka*"))


def test_a_large_log_is_put_aside(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rooms, "LARGEST_LOG_BYTES", 5)
    room.log("kafka").write_text("long enough")
    assert not room.turn_log("kafka").exists()
    assert (room.state / "logs" / "kafka.old.log").read_text() == "long enough"


def test_a_state_folder_that_is_a_file_is_an_error_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "state").touch()
    with pytest.raises(Misconfigured, match="state folder"):
        stack.start(tmp_path / "state")


def test_nothing_runs_in_a_folder_that_does_not_exist(tmp_path: Path) -> None:
    assert stack.environment(tmp_path / "none") == {}
    assert {server.state for server in stack.stop(tmp_path / "none")} == {"stopped"}
    assert not (tmp_path / "none").exists()


def test_a_download_is_one_line_where_no_terminal_looks() -> None:
    written = io.StringIO()
    tell: Callable[..., None]
    with report.terminal(Console(file=written)) as tell:
        tell("Starting Kafka.")
        for done in range(0, 45_000_001, 5_000_000):
            tell("Fetching", done=done, total=45_000_000)
    assert written.getvalue() == "Starting Kafka.\nFetching, 45 MB\n"
