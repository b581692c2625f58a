"""Where a contender plays: the bench's own servers, and for each turn a fresh database and a fresh topic prefix."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import uvloop
from aiokafka import TopicPartition

from bench.events import SOURCES
from bench.figures import Void
from hub import embedded
from hub.embedded import Addresses, Report
from hub.settings import Kafka
from hub.storage.pool import Connection, Pool, open_pool, reading
from hub.streams.clients import admin, consumer, started
from hub.streams.publish import Message, open_publisher
from hub.streams.topics import create_topics

ROOT = Path(__file__).parents[1]
OURS = "bench_"
LOG = "bench.log"
CHUNK = 5000
SEND_SECONDS = 60.0

Tables = dict[str, Any]


@dataclass(frozen=True)
class Stage:
    """One turn's own database and topics, and the environment that leads a process of ours there."""

    url: str
    kafka: Kafka
    pool: Pool
    environment: dict[str, str]
    log: Path


def state_folder() -> Path:
    """HUB_STATE, else var/bench of the checkout."""
    return Path(os.environ.get("HUB_STATE") or ROOT / "var" / "bench").resolve()


@contextmanager
def servers(state: Path, report: Report) -> Iterator[Addresses]:
    """The embedded servers of this folder; stopped at the end where they did not run before.

    Raises Void where another bench uses them: each would slow the other.
    """
    state.mkdir(parents=True, exist_ok=True)
    with (state / "bench.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise Void(f"another bench runs on {state}") from error
        ran = any(server.state == "running" for server in embedded.status(state))
        addresses = embedded.start(state, report=report)
        (state / LOG).unlink(missing_ok=True)
        for written in state.glob(f"{OURS}*.toml"):
            written.unlink()
        try:
            uvloop.run(_sweep(addresses))
            yield addresses
        finally:
            if not ran:
                embedded.stop(state)


async def _sweep(addresses: Addresses) -> None:
    """Remove what a bench left behind that was killed."""
    async with _pool(addresses.postgres) as pool, reading(pool) as connection:
        for (name,) in await connection.fetch("SELECT datname FROM pg_database WHERE starts_with(datname, $1)", OURS):
            await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await _forget_topics(Kafka(servers=addresses.kafka, prefix=OURS))


@asynccontextmanager
async def stage(
    state: Path, addresses: Addresses, furniture: Sequence[str] = (), tables: Tables | None = None
) -> AsyncIterator[Stage]:
    """A stage that is gone at the end: `furniture` are statements for its database, `tables` are its hub.toml."""
    name = f"{OURS}{secrets.token_hex(4)}"
    kafka = Kafka(servers=addresses.kafka, prefix=f"{name}.")
    url = urlsplit(addresses.postgres)._replace(path=f"/{name}").geturl()
    log, written = state / LOG, state / f"{name}.toml"
    written.write_text(toml({"sources": SOURCES, **(tables or {})}), encoding="utf-8")
    try:
        async with _database(addresses.postgres, name), _pool(url) as pool:
            async with reading(pool) as connection:
                for statement in furniture:
                    await connection.execute(statement)
            yield Stage(url, kafka, pool, _environment(written, addresses, kafka, url), log)
    finally:
        written.unlink()
        await _forget_topics(kafka)


@asynccontextmanager
async def _database(address: str, name: str) -> AsyncIterator[None]:
    async with _pool(address) as pool:
        async with reading(pool) as connection:
            await connection.execute(f"CREATE DATABASE {name}")
        try:
            yield
        finally:
            async with reading(pool) as connection:
                await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@asynccontextmanager
async def _pool(url: str) -> AsyncIterator[Pool]:
    pool = await open_pool(url, 1, name="bench")
    try:
        yield pool
    finally:
        pool.terminate()


def _environment(written: Path, addresses: Addresses, kafka: Kafka, url: str) -> dict[str, str]:
    ours = {name: value for name, value in os.environ.items() if not name.startswith("HUB_")}
    return ours | {
        "HUB_CONFIG": str(written),
        "HUB_STATE": str(written.parent),
        "HUB_KAFKA__SERVERS": ",".join(kafka.servers),
        "HUB_KAFKA__PREFIX": kafka.prefix,
        "HUB_POSTGRES__URL": url,
        "HUB_REDIS__URL": addresses.redis,
        "PYTHONPATH": str(ROOT),
        "PYTHONWARNINGS": "ignore",
    }


def toml(tables: Tables, path: tuple[str, ...] = ()) -> str:
    """Nested tables as a TOML file. Its texts, lists and booleans are written as JSON writes them."""
    own = {name: value for name, value in tables.items() if not isinstance(value, dict)}
    inner = {name: value for name, value in tables.items() if isinstance(value, dict)}
    head = [f"[{'.'.join(path)}]"] if own and path else []
    lines = [*head, *(f"{name} = {json.dumps(value)}" for name, value in own.items())]
    return "\n".join([*lines, *(toml(table, (*path, name)) for name, table in inner.items())])


async def _forget_topics(kafka: Kafka) -> None:
    """Offsets of a group go with their topics, and a group without any goes too."""
    client = admin(kafka)
    async with started(client):
        topics = [name for name in await client.list_topics() if name.startswith(kafka.prefix)]
        if topics:
            await client.delete_topics(topics)


async def preload(kafka: Kafka, messages: Sequence[Message]) -> None:
    """Make every topic, and put the messages on theirs, uncompressed as the gateway does."""
    await create_topics(kafka)
    async with open_publisher(kafka) as publisher:
        for start in range(0, len(messages), CHUNK):
            await publisher.send_bulk(messages[start : start + CHUNK], within=SEND_SECONDS)


async def settle(stage: Stage) -> None:
    """Give the turn a fresh start: what others left to be written is written."""
    async with reading(stage.pool) as connection:
        await connection.execute("VACUUM")
        await connection.execute("CHECKPOINT")


async def ends(kafka: Kafka, topic: str) -> int:
    """How many records were ever put on a topic."""
    client = consumer(kafka, None)
    async with started(client):
        client.subscribe([kafka.prefix + topic])
        parts = [TopicPartition(kafka.prefix + topic, part) for part in range(kafka.partitions)]
        return sum((await client.end_offsets(parts)).values())


async def count(connection: Connection, statement: str) -> int:
    """One number."""
    return int(await connection.fetchval(statement) or 0)
