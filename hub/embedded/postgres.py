"""PostgreSQL 18 on a unix socket: made, configured and asked, with the programs of its package."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import psutil

from hub.embedded import parts
from hub.embedded.processes import environment
from hub.embedded.rooms import made_whole
from hub.errors import Misconfigured

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hub.embedded.report import Report
    from hub.embedded.rooms import Room

NOBODY = 65534
USER = DATABASE = "hub"
PORT = "5432"  # part of the socket's name; nothing listens on TCP

# The same sorting and the same clock on every machine, whatever its locale; checksums are PostgreSQL 18's default.
INITDB = (
    f"--username={USER}",
    "--auth=trust",
    "--encoding=UTF8",
    "--locale=C",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--set=timezone=UTC",
    "--set=log_timezone=UTC",
    "--set=default_text_search_config=pg_catalog.simple",
)

SETTINGS = {
    "listen_addresses": "",
    "port": PORT,
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "jit": "off",  # compiling costs more than it saves in short statements
    "shared_buffers": "256MB",
    "effective_cache_size": "1GB",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "random_page_cost": "1.1",  # a laptop has an SSD
    # What was committed stays, whatever is switched off.
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    # Few checkpoints: after each one, every page is written whole once more.
    "wal_compression": "off",
    "wal_buffers": "16MB",
    "min_wal_size": "256MB",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "15min",
    # Outbox and deliveries are rows that live for seconds; their tables say themselves how early they are cleared. The
    # large tables are updated within their pages, which clear themselves: going over them often gains nothing.
    "autovacuum_naptime": "15s",
    "log_checkpoints": "off",
    "log_line_prefix": "%m [%p] ",
}


class Postgres:
    """PostgreSQL as one of the stack's servers (see `hub.embedded.stack.Server`)."""

    name = "postgres"
    title = "PostgreSQL"
    program = "postgres"
    stop_signal = signal.SIGINT  # fast: ends sessions, writes a checkpoint

    def marker(self, room: Room) -> Path:
        """The argument that names its data folder."""
        return room.data(self.name)

    def choose(self, room: Room, kept: Mapping[str, str]) -> dict[str, str]:
        """Where its socket will be."""
        return {"socket": str(room.socket_folder(kept.get("socket")))}

    def prepare(self, room: Room, facts: Mapping[str, str], report: Report) -> list[str | Path]:
        """Make the data folder where it is absent, write the settings, and say how to start it."""
        data = room.data(self.name)
        if not data.exists():
            report("Making a PostgreSQL database.")
            _make(data)
        for lock in (data / "postmaster.pid", Path(facts["socket"]) / f".s.PGSQL.{PORT}.lock"):
            forget_the_dead(lock)
        settings = SETTINGS | {"unix_socket_directories": facts["socket"]}
        (data / "hub.conf").write_text(render(settings), encoding="utf-8")
        return as_owner([parts.postgres("postgres"), "-D", data], data)

    def answers(self, facts: Mapping[str, str], _pid: int) -> bool:
        """Does it answer a query?"""
        command: list[str | Path] = [parts.postgres("psql"), "-XAtq", "-c", "SELECT 1", self.address(facts)]
        try:
            return _run(command, seconds=5).stdout.strip() == "1"
        except subprocess.TimeoutExpired:
            return False

    def address(self, facts: Mapping[str, str]) -> str:
        """As asyncpg and libpq read it."""
        return f"postgresql://{USER}@/{DATABASE}?host={quote(facts['socket'])}&port={PORT}"

    def version(self) -> str:
        """Like `18.4`."""
        return _run([parts.postgres("psql"), "--version"]).stdout.split()[-1]


def render(settings: Mapping[str, str]) -> str:
    """A PostgreSQL configuration file."""
    lines = [f"{name} = '{value.replace(chr(39), chr(39) * 2)}'\n" for name, value in settings.items()]
    return "# Written at every start; use ALTER SYSTEM for settings of your own.\n" + "".join(lines)


def forget_the_dead(lock: Path) -> None:
    """Delete a lock file whose process is no PostgreSQL any more.

    PostgreSQL looks at the pid alone; after a power cut somebody else has it, and it would refuse to start for ever.
    """
    try:
        pid = int(lock.read_text(encoding="utf-8").split()[0])
        if psutil.Process(pid).name() == "postgres":
            return
    except psutil.AccessDenied:
        return
    except (OSError, ValueError, IndexError, psutil.NoSuchProcess):
        pass
    lock.unlink(missing_ok=True)


def as_owner(command: Sequence[str | Path], data: Path) -> list[str | Path]:
    """The command as it is, or for root (as whom PostgreSQL refuses to run) as the user who owns the data.

    That user keeps one right of root's, to pass folders that are closed to others: the state folder often lies in one.
    Raises Misconfigured where root cannot become somebody else.
    """
    if os.geteuid() != 0:
        return list(command)
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        raise _root_refused("the program setpriv (of util-linux) is not here")
    one_right = ["--clear-groups", "--inh-caps=+dac_override", "--ambient-caps=+dac_override"]
    owner = data.stat()
    return [setpriv, f"--reuid={owner.st_uid}", f"--regid={owner.st_gid}", *one_right, *command]


def _make(data: Path) -> None:
    with made_whole(data) as unfinished:
        if os.geteuid() == 0:
            os.chown(unfinished, NOBODY, NOBODY)
        _must(as_owner([parts.postgres("initdb"), "-D", unfinished, *INITDB], unfinished))
        single: list[str | Path] = [parts.postgres("postgres"), "--single", "-D", unfinished, "postgres"]
        _must(as_owner(single, unfinished), typed=f"CREATE DATABASE {DATABASE}\n")
        with (unfinished / "postgresql.conf").open("a", encoding="utf-8") as settings:
            settings.write("include_if_exists = 'hub.conf'\n")


def _must(command: Sequence[str | Path], typed: str = "") -> None:
    done = _run(command, typed)
    if done.returncode == 0:
        return
    said = (done.stderr or done.stdout).strip()
    if said.startswith("setpriv"):
        raise _root_refused(said)
    raise parts.missing("PostgreSQL 18", f"making its database failed: {said[-2000:]}")


def _run(
    command: Sequence[str | Path], typed: str = "", seconds: float | None = None
) -> subprocess.CompletedProcess[str]:
    words = [str(word) for word in command]
    # From the root folder: the user it runs as may not enter the one we are in.
    return subprocess.run(
        words, input=typed, capture_output=True, text=True, env=environment(), cwd="/", check=False, timeout=seconds
    )


def _root_refused(why: str) -> Misconfigured:
    return Misconfigured(
        f"PostgreSQL does not run as root, and root cannot run it as somebody else here: {why}.\n"
        "Run the hub as an ordinary user, or use a server of your own: HUB_POSTGRES__URL=postgresql://user@host/database"
    )
