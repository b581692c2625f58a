"""The gateway as it runs, on a port of its own, and a reader of what it wrote to Kafka."""

from __future__ import annotations

import asyncio
import base64
import shlex
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx
import orjson
import psutil
from aiokafka import ConsumerRecord, TopicPartition

from hub.embedded.ports import LOOPBACK, keep_or_choose
from hub.settings import Settings, check
from hub.streams.clients import consumer, started
from hub.streams.topics import create_topics
from producers.gateway.serve import serve

TABLES: dict[str, Any] = {
    "gateway": {"listen": f"{LOOPBACK}:0"},
    "sources": {
        "web-eu": {"kind": "web_form", "keys": ["pk_web_eu"], "redirects": ["www.example.com"]},
        "site": {"kind": "tracking", "write_keys": ["wk_site"], "region": "DE"},
    },
    "keys": {"crm": {"secret": "s3cret", "scopes": ["events:write"]}, "reader": {"secret": "other"}},
}


@dataclass(frozen=True)
class Wrote:
    """A record that the gateway wrote."""

    topic: str
    key: bytes
    headers: dict[str, str]
    value: dict[str, Any]

    @property
    def raw(self) -> bytes:
        """The body as it came."""
        kept = self.value["raw"]
        return base64.b64decode(kept["base64"]) if "base64" in kept else kept["text"].encode()


@dataclass(frozen=True)
class Gateway:
    """A gateway that runs: its settings, its port, and a client that speaks to it."""

    settings: Settings
    port: int
    http: httpx.AsyncClient

    async def wrote(self, *topics: str) -> list[Wrote]:
        """Every record on these topics (the forms by default), by arrival."""
        return [told(one, self.settings) for one in await read_back(self.settings, topics or ("inbound.forms",))]

    async def raw(self, request: bytes, *, leave: bool = False) -> bytes:
        """Everything that is answered to bytes on a connection of their own; `leave` says no more after them."""
        reader, writer = await asyncio.open_connection(LOOPBACK, self.port)
        writer.write(request)
        if leave:
            writer.write_eof()
        answer = await asyncio.wait_for(reader.read(), 10)
        writer.close()
        return answer


@asynccontextmanager
async def gateway(kafka: tuple[str, ...], *, topics: bool = True) -> AsyncIterator[Gateway]:
    """A gateway on topics of its own, until the end of the block."""
    settings = check(TABLES | {"kafka": {"servers": list(kafka), "prefix": f"{uuid4().hex[:8]}.", "partitions": 3}})
    if topics:
        await create_topics(settings.kafka)
    stop, ready = asyncio.Event(), asyncio.get_running_loop().create_future()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(serve(settings, stop, ready.set_result))
        port = await asyncio.wait_for(ready, 10)
        async with httpx.AsyncClient(base_url=f"http://{LOOPBACK}:{port}", timeout=15, verify=False) as http:
            try:
                yield Gateway(settings, port, http)
            finally:
                stop.set()


async def until_ready(one: Gateway) -> None:
    """Wait until the gateway says that it can take posts."""
    async with asyncio.timeout(30):
        while (await one.http.get("/readyz")).status_code != 200:
            await asyncio.sleep(0.02)


async def read_back(settings: Settings, topics: tuple[str, ...]) -> list[ConsumerRecord[bytes, bytes]]:
    """Every record of the topics, from the beginning to the end that they have now."""
    client = consumer(settings.kafka, None)
    found: list[ConsumerRecord[bytes, bytes]] = []
    async with started(client):
        names = [settings.kafka.prefix + topic for topic in topics]
        partitions = [TopicPartition(name, number) for name in names for number in range(settings.kafka.partitions)]
        client.assign(partitions)
        ends = await client.end_offsets(partitions)
        await client.seek_to_beginning(*partitions)
        while any([await client.position(one) < ends[one] for one in partitions]):
            for records in (await client.getmany(timeout_ms=200)).values():
                found += records
    return sorted(found, key=lambda one: (one.timestamp, one.partition, one.offset))


def told(record: ConsumerRecord[bytes, bytes], settings: Settings) -> Wrote:
    """A record in words."""
    headers = {name: value.decode() for name, value in record.headers}
    topic = record.topic.removeprefix(settings.kafka.prefix)
    return Wrote(topic, record.key or b"", headers, orjson.loads(record.value or b"null"))


def broker_pid(server: str) -> int:
    """The process that listens on a broker's port; 0 where it is not on this machine, or not ours."""
    port = int(server.rpartition(":")[2])
    listening = (one for one in psutil.net_connections("tcp") if one.status == psutil.CONN_LISTEN)
    return next((one.pid or 0 for one in listening if tuple(one.laddr)[1:] == (port,)), 0)


def free_port() -> int:
    """A port where nobody listens, and which the system lends to no connection meanwhile."""
    return int(keep_or_choose(None))


def curl_examples(page: str) -> list[tuple[str, dict[str, str], str]]:
    """The path, headers and body of each `curl` in a page."""
    blocks = [block.split("```")[0] for block in page.split("```sh\n")[1:]]
    return [_curl(shlex.split(block.replace("\\\n", " "))) for block in blocks if block.startswith("curl")]


def _curl(words: list[str]) -> tuple[str, dict[str, str], str]:
    headers, fields, url = {}, [], ""
    words = [word for word in words[1:] if word != "-i"]
    while words:
        word, *words = words
        if word == "-H":
            name, _, value = words.pop(0).partition(": ")
            headers[name.lower()] = value
        elif word == "-d":
            fields.append(words.pop(0))
        else:
            url = word
    headers.setdefault("content-type", "application/x-www-form-urlencoded")
    return url.partition(":8080")[2], headers, "&".join(fields)
