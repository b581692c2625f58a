"""Bringing the database to the newest revision: plain SQL, forward only, one process at a time."""

from __future__ import annotations

import asyncpg
from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext, RevisionStep
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from hub.storage.pool import translated

_ONE_AT_A_TIME = 4_711_001


def _script() -> tuple[Config, ScriptDirectory]:
    config = Config()
    config.set_main_option("script_location", "hub.storage:migrations")
    return config, ScriptDirectory.from_config(config)


def newest() -> str:
    """The revision that this code was written for."""
    return _script()[1].get_current_head() or ""


async def migrate(url: str) -> None:
    """Bring the database to the newest revision. Raises Retry where it is away, or locked for more than 10 s."""

    async def connect() -> asyncpg.Connection:
        return await asyncpg.connect(url)

    engine = create_async_engine("postgresql+asyncpg://", async_creator=connect, poolclass=NullPool)
    async with translated():
        async with engine.begin() as connection:
            await connection.run_sync(_upgrade)
        await engine.dispose()


def _upgrade(connection: Connection) -> None:
    config, script = _script()

    def steps(revision: tuple[str, ...], _: MigrationContext) -> list[RevisionStep]:
        return script._upgrade_revs("head", revision)  # type: ignore[arg-type]  # noqa: SLF001 - what Alembic's own command calls

    connection.execute(text(f"SELECT pg_advisory_xact_lock({_ONE_AT_A_TIME})"))
    connection.execute(text("SET LOCAL lock_timeout = '10s'"))
    connection.execute(text("SET LOCAL statement_timeout = '300s'"))
    with EnvironmentContext(config, script, fn=steps, as_sql=False) as environment:
        environment.configure(connection=connection, transaction_per_migration=False)
        environment.run_migrations()
