"""The servers that the tests use: those the environment names, else containers, else the embedded stack."""

from __future__ import annotations

import gc
import os
import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from hub import clock, embedded
from hub.embedded.kafka import SETTINGS, living_brokers, new_cluster_id, replication
from hub.embedded.ports import LOOPBACK, keep_or_choose
from hub.embedded.processes import pause

if TYPE_CHECKING:  # these take long to import, and where no Docker answers nobody needs them
    from testcontainers.core.container import DockerContainer

STARTING_SECONDS = 60.0


@contextmanager
def servers() -> Iterator[embedded.Addresses]:
    """The addresses, for as long as the block lasts. Servers that the environment names are left as they are."""
    named = from_environment(os.environ)  # noqa: TID251 - not a hub.toml that happens to lie here
    with ExitStack() as stack:
        if named is None:
            named = stack.enter_context(containers() if docker_answers() else private_stack())
        yield named


def from_environment(variables: Mapping[str, str]) -> embedded.Addresses | None:
    """What HUB_KAFKA__SERVERS, HUB_POSTGRES__URL and HUB_REDIS__URL say; None unless all three are there."""
    names = ("HUB_KAFKA__SERVERS", "HUB_POSTGRES__URL", "HUB_REDIS__URL")
    kafka, postgres, redis = (variables.get(name, "") for name in names)
    if not (kafka and postgres and redis):
        return None
    brokers = tuple(server.strip() for server in kafka.split(","))
    return embedded.Addresses(kafka=brokers, postgres=postgres, redis=redis, kafka_cluster_id=None)


def docker_answers() -> bool:
    """Does a Docker engine answer here?"""
    from testcontainers.core.docker_client import DockerClient

    with warnings.catch_warnings():
        # Where none answers, the client forgets to close its socket; it is collected here, where nobody minds.
        warnings.simplefilter("ignore", ResourceWarning)
        try:
            return bool(DockerClient().client.ping())
        except Exception:  # noqa: BLE001 - no engine, no rights, no socket: the embedded stack is there
            return False
        finally:
            gc.collect()


@contextmanager
def private_stack() -> Iterator[embedded.Addresses]:
    """The embedded stack in a folder that is thrown away at the end."""
    state = Path(tempfile.mkdtemp(prefix="hub-tests-"))
    try:
        yield embedded.start(state)
    finally:
        embedded.stop(state)
        shutil.rmtree(state)


@contextmanager
def containers() -> Iterator[embedded.Addresses]:
    """The same servers in containers, each on a free loopback port."""
    from testcontainers.core.container import DockerContainer

    kafka, postgres, redis = (int(keep_or_choose(None)) for _ in range(3))
    cluster_id = new_cluster_id()
    with ExitStack() as stack:
        stack.enter_context(kafka_container(kafka, cluster_id))
        database = stack.enter_context(postgres_container(postgres))
        cache = stack.enter_context(DockerContainer("valkey/valkey:9-alpine").with_bind_ports(6379, redis))
        _until(lambda: kafka in living_brokers(kafka, cluster_id), "Kafka")
        _until(lambda: database.exec(["pg_isready", "-h", LOOPBACK, "-U", "hub"]).exit_code == 0, "PostgreSQL")
        _until(lambda: b"PONG" in cache.exec(["valkey-cli", "ping"]).output, "Valkey")
        yield embedded.Addresses(
            kafka=(f"{LOOPBACK}:{kafka}",),
            postgres=f"postgresql://hub:hub@{LOOPBACK}:{postgres}/hub",
            redis=f"redis://{LOOPBACK}:{redis}/0",
            kafka_cluster_id=cluster_id,
        )


def kafka_container(port: int, cluster_id: str) -> DockerContainer:
    """A broker that calls itself what clients outside call it."""
    from testcontainers.core.container import DockerContainer

    settings = SETTINGS | replication(1) | {
        "node.id": "1",
        "controller.quorum.voters": "1@localhost:9093",
        "listeners": f"PLAINTEXT://:{port},CONTROLLER://:9093",
        "advertised.listeners": f"PLAINTEXT://{LOOPBACK}:{port}",
    }  # fmt: skip
    container = DockerContainer("apache/kafka:4.3.1").with_bind_ports(port, port).with_env("CLUSTER_ID", cluster_id)
    for name, value in settings.items():
        container.with_env(f"KAFKA_{name.upper().replace('.', '_')}", value)
    return container


def postgres_container(port: int) -> DockerContainer:
    """A PostgreSQL that sorts as the embedded one does."""
    from testcontainers.core.container import DockerContainer

    container = DockerContainer("postgres:18-alpine").with_bind_ports(5432, port)
    container.with_env("POSTGRES_INITDB_ARGS", "--locale-provider=builtin --builtin-locale=C.UTF-8")
    for name in ("USER", "PASSWORD", "DB"):
        container.with_env(f"POSTGRES_{name}", "hub")
    return container.with_command("postgres -c jit=off")


def _until(is_so: Callable[[], bool], what: str) -> None:
    deadline = clock.monotonic() + STARTING_SECONDS
    while not is_so():
        if clock.monotonic() > deadline:
            raise TimeoutError(f"{what} does not answer from its container")
        pause(0.1)
