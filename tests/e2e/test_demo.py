"""`hub demo` as a user runs it: twice on one folder, and once more after kill -9 in the middle."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from email import message_from_bytes
from pathlib import Path
from typing import Any

import pytest

from hub import embedded
from hub.demo.company import SOLVED_AFTER
from hub.demo.tools import NAMES
from hub.embedded import Addresses
from hub.embedded.ports import LOOPBACK, keep_or_choose
from hub.settings import environment

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(400)]

HUB = Path(sys.executable).with_name("hub")
EVENTS, PEOPLE, RATE = 150, 40, 30
SCALE = 0.00001
"""A day of the rules' waits lasts a second."""
OWN = ("HUB_KAFKA__SERVERS", "HUB_POSTGRES__URL", "HUB_REDIS__URL", "HUB_CONFIG")


def around(state: Path, **more: str) -> dict[str, str]:
    """An environment for a demo in this folder, on servers of its own unless `more` names others."""
    clean = {name: value for name, value in environment().items() if name not in OWN}
    listeners = {f"HUB_{one}__LISTEN": f"{LOOPBACK}:{keep_or_choose(None)}" for one in ("GATEWAY", "CONSOLE")}
    return clean | listeners | {"HUB_STATE": str(state), "HUB_RULES__TIME_SCALE": str(SCALE), **more}


def words(summary: Path, *, events: int = EVENTS) -> list[str]:
    sizes = ["--events", str(events), "--people", str(PEOPLE), "--rate", str(RATE)]
    return [str(HUB), "demo", "--exit", "--summary", str(summary), *sizes]


def performed(environment: dict[str, str], summary: Path) -> dict[str, Any]:
    """The summary of a demo that ended by itself."""
    done = subprocess.run(words(summary), env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "All is well" in done.stdout
    found: dict[str, Any] = json.loads(summary.read_text())
    return found


def test_a_second_start_drops_every_event_and_tells_nobody(tmp_path: Path) -> None:
    state = tmp_path / "demo"
    try:
        first = performed(around(state), tmp_path / "first.json")
        assert {server.state for server in embedded.status(state)} == {"stopped"}
        second = performed(around(state), tmp_path / "second.json")
    finally:
        embedded.stop(state)
    nothing = {"actions_fired": 0, "mails_sent": 0, "held_back": 0, "waits_ended": {"by_reply": 0, "by_timeout": 0}}
    lag = dict.fromkeys(("profiles", "duplicates", "automation", *(f"sync.{name}" for name in sorted(NAMES))), 0)
    assert first == {**first, "dead_letters": 0, "lag": lag}
    letters = [message_from_bytes(file.read_bytes()) for file in (state / "mailbox").iterdir()]
    assert len({letter["Message-ID"] for letter in letters}) == len(letters) == first["mails_sent"] > 0
    assert first["actions_fired"] > first["mails_sent"]
    assert first["held_back"] > 0
    assert first["waits_ended"]["by_timeout"] > 0
    assert EVENTS <= first["events_in"] <= EVENTS + SOLVED_AFTER + len(letters)
    assert 0 < first["duplicates_dropped"] < EVENTS / 5
    assert 0 < first["merges"] <= EVENTS
    assert 0 < first["profiles"] <= EVENTS
    assert all(first["deliveries"][name] >= first["profiles"] for name in NAMES)
    assert second == {
        **nothing,
        "dead_letters": 0,
        "events_in": first["events_in"],
        "duplicates_dropped": first["events_in"],
        "profiles": first["profiles"],
        "merges": 0,
        "deliveries": dict.fromkeys(NAMES, 0),
        "lag": lag,
        "seconds": second["seconds"],
    }
    assert list(first) == list(second)


def test_a_demo_that_was_killed_is_ended_by_the_next_start(
    tmp_path: Path, servers: Addresses, database_url: str
) -> None:
    prefix = f"{tmp_path.name}."
    variables = around(
        tmp_path / "demo",
        HUB_KAFKA__SERVERS=",".join(servers.kafka),
        HUB_KAFKA__PREFIX=prefix,
        HUB_KAFKA__PARTITIONS="2",
        HUB_POSTGRES__URL=database_url,
        HUB_REDIS__URL=servers.redis,
    )
    interrupt(variables, words(tmp_path / "none.json", events=3000))
    assert not (tmp_path / "none.json").exists()
    told = performed(variables, tmp_path / "told.json")
    assert told["events_in"] >= EVENTS
    assert told["lag"].keys() == {
        f"{prefix}profiles",
        f"{prefix}duplicates",
        f"{prefix}automation",
        *(f"{prefix}sync.{name}" for name in NAMES),
    }
    assert set(told["lag"].values()) == {0}


def interrupt(variables: dict[str, str], command: list[str]) -> None:
    """Kill a demo as soon as events are in."""
    process = subprocess.Popen(command, env=variables, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert process.stdout
    said = []
    for line in process.stdout:
        said.append(line)
        if " events in" in line and " 0 events in" not in line:
            break
    process.kill()
    process.stdout.close()
    assert process.wait() == -signal.SIGKILL, "".join(said)
