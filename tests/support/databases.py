"""A database of its own for every test: a copy of a template that is migrated once per session."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from uuid import uuid4

import asyncpg
import pytest
import pytest_asyncio

from hub.embedded import Addresses
from hub.storage.pool import Pool, open_pool


def named(url: str, database: str) -> str:
    """The same server, another database."""
    return re.sub(r"^(postgres(?:ql)?://[^/?]*)/?[^?]*", rf"\1/{database}", url)


async def order(url: str, statement: str) -> None:
    """One statement outside any transaction, as CREATE DATABASE wants it."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


@pytest.fixture(scope="session")
def template_database(servers: Addresses) -> Iterator[str]:
    """The name of a database at the newest revision, to be copied."""
    from hub.storage.migrate import migrate  # every process of a test run loads this file, and few migrate

    name = f"template_{uuid4().hex[:12]}"

    async def make() -> None:
        await order(servers.postgres, f"CREATE DATABASE {name}")
        await migrate(named(servers.postgres, name))

    asyncio.run(make())
    yield name
    asyncio.run(order(servers.postgres, f"DROP DATABASE {name} WITH (FORCE)"))


@pytest_asyncio.fixture
async def database_url(servers: Addresses, template_database: str) -> AsyncIterator[str]:
    """The address of a fresh, migrated database that is dropped after the test."""
    name = f"test_{uuid4().hex[:12]}"
    await order(servers.postgres, f"CREATE DATABASE {name} TEMPLATE {template_database}")
    yield named(servers.postgres, name)
    await order(servers.postgres, f"DROP DATABASE {name} WITH (FORCE)")


@pytest_asyncio.fixture
async def pool(database_url: str) -> AsyncIterator[Pool]:
    """Connections to that database, as the hub itself opens them."""
    connections = await open_pool(database_url, 8, name="hub-tests")
    yield connections
    await connections.close()
