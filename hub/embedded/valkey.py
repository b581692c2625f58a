"""Valkey 9, which speaks Redis: a cache in memory on a loopback port, never the truth."""

from __future__ import annotations

import signal
import socket
import subprocess
from typing import TYPE_CHECKING

from hub.embedded import parts
from hub.embedded.ports import LOOPBACK, keep_or_choose
from hub.embedded.processes import environment

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from hub.embedded.report import Report
    from hub.embedded.rooms import Room

SETTINGS = {
    "bind": LOOPBACK,
    "daemonize": "no",
    "save": "",  # nothing in it must outlive it
    "appendonly": "no",
    "maxmemory": "128mb",
    "maxmemory-policy": "allkeys-lru",
    "set-proc-title": "no",  # its command line tells whose it is
}


class Valkey:
    """Valkey as one of the stack's servers (see `hub.embedded.stack.Server`)."""

    name = "redis"
    title = "Valkey"
    program = "valkey-server"
    stop_signal = signal.SIGTERM

    def marker(self, room: Room) -> Path:
        """The argument that names its configuration."""
        return room.data(self.name) / "valkey.conf"

    def choose(self, _room: Room, kept: Mapping[str, str]) -> dict[str, str]:
        """Its port."""
        return {"port": keep_or_choose(kept.get("port"))}

    def prepare(self, room: Room, facts: Mapping[str, str], _report: Report) -> list[str | Path]:
        """Write its configuration and say how to start it."""
        folder = room.data(self.name)
        folder.mkdir(mode=0o700, exist_ok=True)
        self.marker(room).write_text(render(SETTINGS | {"port": facts["port"], "dir": str(folder)}), encoding="utf-8")
        return [parts.valkey(), self.marker(room)]

    def answers(self, facts: Mapping[str, str], pid: int) -> bool:
        """Does it answer, and is it ours? Anybody may have taken the port."""
        try:
            with socket.create_connection((LOOPBACK, int(facts["port"])), timeout=2) as connection:
                connection.sendall(b"INFO server\r\n")
                return f"process_id:{pid}\r\n".encode() in connection.recv(65536)
        except OSError:
            return False

    def address(self, facts: Mapping[str, str]) -> str:
        """A URL as Redis clients read it."""
        return f"redis://{LOOPBACK}:{facts['port']}/0"

    def version(self) -> str:
        """Like `9.1.2`."""
        told = subprocess.run(
            [parts.valkey(), "--version"], capture_output=True, text=True, env=environment(), check=False
        ).stdout
        return next((word[2:] for word in told.split() if word.startswith("v=")), "?")


def render(settings: Mapping[str, str]) -> str:
    """A Valkey configuration file."""
    escaped = {name: value.replace("\\", "\\\\").replace('"', '\\"') for name, value in settings.items()}
    return "".join(f'{name} "{value}"\n' for name, value in escaped.items())
