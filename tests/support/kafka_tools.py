"""Kafka's own command-line tool for consumer groups: the second opinion on lag."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import NamedTuple

from hub.embedded import jars, parts, silent
from hub.embedded.jars import Jar

# Not among the broker's own jars; what it needs beside itself is.
TOOLS = Jar(
    "org.apache.kafka",
    "kafka-tools",
    "4.3.1",
    "62f3c5dd7aa3442d4c5bc6a95f86e2502178ea09de8e27f74d9563bf955e253c",
    698_668,
)
COMMAND = "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand"


class Said(NamedTuple):
    """What the tool prints of one partition."""

    committed: int
    end: int
    lag: int


def describe_group(servers: tuple[str, ...], group: str) -> dict[tuple[str, int], Said]:
    """The offsets of a group, by topic and partition; partitions without an offset are left out."""
    words = [str(parts.java()), "-cp", os.pathsep.join(map(str, classpath())), COMMAND]
    words += ["--bootstrap-server", ",".join(servers), "--describe", "--offsets", "--group", group]
    found = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    rows = [line.split() for line in found.splitlines() if line.startswith(f"{group} ")]
    return {
        (topic, int(part)): Said(int(committed), int(end), int(lag))
        for _, topic, part, committed, end, lag, *_ in rows
        if lag != "-"
    }


def classpath() -> list[Path]:
    """The broker's jars and the tool's, each checked against its hash, fetched where it is absent."""
    repository = jars.local_repository()
    file = TOOLS.inside(repository)
    if not file.exists():
        jars.fetch([TOOLS], repository, silent)
    jars.check(TOOLS, file)
    return [*jars.classpath(silent), file]
