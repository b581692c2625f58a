"""Kafka's jars: named with their hashes in jars.lock, fetched once into Maven's ordinary local repository."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import threading
import xml.etree.ElementTree as ET
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential

from hub import clock, settings
from hub.embedded.parts import missing
from hub.errors import Misconfigured

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from jgo.maven import MavenContext

    from hub.embedded.report import Report

    Progress = Callable[[str, int], AbstractContextManager[Callable[[int], None]]]

LOCK = Path(__file__).with_name("jars.lock")
AT_ONCE = 6
QUIET_SECONDS = 30
FETCHING = "Fetching Apache Kafka (once)"


@dataclass(frozen=True)
class Jar:
    """One line of the lock."""

    group: str
    artifact: str
    version: str
    sha256: str
    size: int

    @property
    def coordinate(self) -> str:
        """`group:artifact:version`, as Maven writes it."""
        return f"{self.group}:{self.artifact}:{self.version}"

    def inside(self, repository: Path) -> Path:
        """Its place in a Maven repository."""
        folder = repository.joinpath(*self.group.split("."), self.artifact, self.version)
        return folder / f"{self.artifact}-{self.version}.jar"


def parse(text: str) -> tuple[Jar, ...]:
    """The jars of a lock. Raises Misconfigured at a line that is none."""
    return tuple(_parse_line(line) for line in text.splitlines() if line.strip() and not line.startswith("#"))


def _parse_line(line: str) -> Jar:
    try:
        coordinate, sha256, size = line.split()
        group, artifact, version = coordinate.split(":")
        jar = Jar(group, artifact, version, sha256, int(size))
        digest = bytes.fromhex(sha256)
    except ValueError as error:
        raise Misconfigured(f"jars.lock: cannot read the line {line!r}: {error}") from error
    if len(digest) != hashlib.sha256().digest_size:
        raise Misconfigured(f"jars.lock: not a sha256 in the line {line!r}")
    return jar


def locked() -> tuple[Jar, ...]:
    """The jars this product runs Kafka with."""
    return parse(LOCK.read_text(encoding="utf-8"))


def kafka_version() -> str:
    """The version of Kafka in the lock, `4.3.1`."""
    return next(jar.version for jar in locked() if jar.artifact.startswith("kafka_"))


def classpath(report: Report) -> list[Path]:
    """Every locked jar as a file whose hash has just been checked, fetched where it was absent.

    Raises Misconfigured where a jar cannot be had, or is not the one that was locked.
    """
    jars, repository = locked(), local_repository()
    absent = [jar for jar in jars if not jar.inside(repository).exists()]
    if absent:
        fetch(absent, repository, report)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(lambda jar: check(jar, jar.inside(repository)), jars))
    return [jar.inside(repository) for jar in jars]


def local_repository() -> Path:
    """Maven's cache of this user, shared by all state folders and all tools that speak Maven."""
    chosen = os.environ.get("M2_REPO")  # noqa: TID251 - Maven's own variable
    return Path(chosen) if chosen else Path.home() / ".m2" / "repository"


def check(jar: Jar, path: Path) -> None:
    """Compare a file with the lock. Raises Misconfigured, and deletes the file, where they differ."""
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found == jar.sha256:
        return
    path.unlink()
    raise Misconfigured(
        f"{path} is not the {jar.coordinate} that the lock names (sha256 {found}, not {jar.sha256}). "
        "It was deleted; start again to fetch it anew. If it comes back, a mirror or proxy on the way changes files."
    )


def fetch(jars: list[Jar], repository: Path, report: Report) -> None:
    """Fetch jars, several at once. Each appears in the repository only when it is whole and checked."""
    repository.mkdir(parents=True, exist_ok=True)
    _sweep(repository)
    # Beside its goal, so that the last step is a rename: two fetches at once do not disturb each other.
    with tempfile.TemporaryDirectory(prefix=".hub-", dir=repository) as staging:
        context = _context(Path(staging), _tally(sum(jar.size for jar in jars), report))
        pool = ThreadPoolExecutor(AT_ONCE)
        try:
            for _ in pool.map(lambda jar: _fetch_one(jar, context, repository), jars):
                pass
        finally:
            pool.shutdown(cancel_futures=True)


def _sweep(repository: Path) -> None:
    """Clear away what a fetch that was killed left; a day old, because another one may be at work right now."""
    for left in repository.glob(".hub-*"):
        if clock.now().timestamp() - left.stat().st_mtime > timedelta(days=1).total_seconds():
            shutil.rmtree(left, ignore_errors=True)


def _fetch_one(jar: Jar, context: MavenContext, repository: Path) -> None:
    try:
        for attempt in Retrying(
            stop=stop_after_attempt(3),
            wait=wait_exponential(0.5),
            retry=retry_if_exception_type(OSError),
            reraise=True,
        ):
            with attempt:  # what requests raises is an OSError
                jar.inside(context.repo_cache).unlink(missing_ok=True)  # what is left of a try that broke off
                fetched = context.project(jar.group, jar.artifact).at_version(jar.version).artifact().resolve()
    except (RuntimeError, OSError) as error:
        raise missing(f"Apache Kafka {kafka_version()}", f"{jar.coordinate} cannot be fetched: {error}") from error
    check(jar, fetched)
    goal = jar.inside(repository)
    goal.parent.mkdir(parents=True, exist_ok=True)
    fetched.replace(goal)


def _context(folder: Path, progress: Progress) -> MavenContext:
    from jgo.maven import MavenContext, PythonResolver  # a third of a second, for something that is done once

    found = mirror()
    return MavenContext(
        repo_cache=folder,
        resolver=PythonResolver(progress_callback=progress),
        remote_repos={"mirror": found.rstrip("/")} if found else None,
        timeout=QUIET_SECONDS,
    )


def _tally(total: int, report: Report) -> Progress:
    """Adds up the bytes of all downloads for one bar."""
    lock, done = threading.Lock(), 0

    def add(count: int) -> None:
        nonlocal done
        with lock:
            done = min(total, done + count)
            report(FETCHING, done=done, total=total)

    @contextmanager
    def one_file(_name: str, _size: int) -> Iterator[Callable[[int], None]]:
        yield add

    return one_file


def mirror() -> str | None:
    """What stands in for Maven Central: the setting `embedded.maven_mirror`, else what Maven's own settings say."""
    return settings.load().embedded.maven_mirror or mirror_in(Path.home() / ".m2" / "settings.xml")


def mirror_in(file: Path) -> str | None:
    """The mirror of Maven Central that a settings.xml names; None without one."""
    try:
        tree = ET.parse(file)  # noqa: S314 - the user's own file
    except (OSError, ET.ParseError):
        return None
    for entry in tree.iterfind(".//{*}mirrors/{*}mirror"):
        wanted = {name.strip() for name in (entry.findtext("{*}mirrorOf") or "").split(",")}
        if wanted & {"central", "*", "external:*"} and "!central" not in wanted:
            return entry.findtext("{*}url")
    return None
