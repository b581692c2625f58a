"""What every command shares: settings, servers, a database, and how it says that something is wrong.

Exit status 0: fine. 1: something is wrong, and standard error says what. 2: wrong use.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import typer

from hub.errors import HubError, Misconfigured, Retry

if TYPE_CHECKING:
    from rich.console import Console

    from hub.embedded import Addresses
    from hub.settings import Settings
    from hub.storage.pool import Pool

T = TypeVar("T")
FOUND_WRONG = 1
PIPE_WIDTH = 240
NOT_RUNNING = "the hub is not running on {state}\nStart it with `hub serve`; its servers alone: `hub embedded start`."


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a command's work. What the hub says on purpose becomes a sentence and status 1, without a traceback."""
    return told(lambda: _loop(coroutine))


def told(work: Callable[[], T]) -> T:
    """As `run`, for work that needs no event loop."""
    try:
        return work()
    except NotRunning as error:
        fail(str(error))
    except Misconfigured as error:
        fail(f"{error}\nMend it; `hub config check` names everything that is wrong, `hub doctor` says what to do.")
    except Retry as error:
        fail(f"{error}\n`hub doctor` says what to do.")
    except HubError as error:
        fail(str(error))
    except ExceptionGroup as group:
        fail("\n".join(str(one) for one in _ours(group)))
    except BrokenPipeError:  # `| head` has seen enough
        sys.stderr.close()
        raise SystemExit(0) from None


def _ours(group: ExceptionGroup[Exception]) -> list[Exception]:
    """The errors of a task group that were raised on purpose; others pass on with their traceback."""
    ours, others = group.split(HubError)
    if others is not None or ours is None:
        raise group
    flat: list[Exception] = []
    for one in ours.exceptions:
        flat += _ours(one) if isinstance(one, ExceptionGroup) else [one]
    return flat


def _loop(coroutine: Coroutine[Any, Any, T]) -> T:
    import asyncio

    try:
        import uvloop
    except ImportError:  # not on this platform
        return asyncio.run(coroutine)
    return uvloop.run(coroutine)


def fail(message: str, status: int = FOUND_WRONG) -> NoReturn:
    """Say what is wrong on standard error, and end."""
    first, *rest = message.splitlines() or [""]
    typer.secho(f"hub: {first}", err=True, fg="red")
    for line in rest:
        typer.echo(f"     {line}", err=True)
    raise SystemExit(status)


def settings() -> Settings:
    """The settings as the file and the environment say, servers not yet resolved. Raises Misconfigured."""
    from hub.settings import load

    return load()


def resolved(found: Settings, *, start: bool = True) -> Settings:
    """The settings with the addresses of every server: those that are configured, else the embedded ones.

    Those that do not run are started, with a report on standard error; without `start` the running ones are adopted.
    Raises Misconfigured where a part cannot be had, NotRunning where nothing runs.
    """
    if found.kafka.servers and found.postgres.url and found.redis.url:
        return found
    return with_addresses(found, _started(found) if start else _running(found))


class NotRunning(HubError):
    """A command needs the hub's servers, and none runs on this state folder."""


def with_addresses(found: Settings, addresses: Addresses) -> Settings:
    """The settings with these addresses where they name none of their own."""
    kafka, postgres, redis = found.kafka, found.postgres, found.redis
    return found.model_copy(
        update={
            "kafka": kafka if kafka.servers else kafka.model_copy(update={"servers": addresses.kafka}),
            "postgres": postgres if postgres.url else postgres.model_copy(update={"url": addresses.postgres}),
            "redis": redis if redis.url else redis.model_copy(update={"url": addresses.redis}),
        }
    )


def _started(found: Settings) -> Addresses:
    from hub import embedded

    with embedded.terminal() as report:
        return embedded.start(
            found.state,
            kafka=not found.kafka.servers,
            postgres=not found.postgres.url,
            redis=not found.redis.url,
            report=report,
        )


def _running(found: Settings) -> Addresses:
    """The addresses of embedded servers that run; this starts none."""
    from hub import embedded

    up = {server.name: server.address for server in embedded.status(found.state) if server.state == "running"}
    kafka, postgres = up.get("kafka"), up.get("postgres")
    if not (kafka or found.kafka.servers) or not (postgres or found.postgres.url):
        raise NotRunning(NOT_RUNNING.format(state=found.state))
    return embedded.Addresses(
        kafka=(kafka,) if kafka else (),
        postgres=postgres or "",
        redis=up.get("redis") or "",
        kafka_cluster_id=None,
    )


@asynccontextmanager
async def database(found: Settings | None = None) -> AsyncIterator[Pool]:
    """A small pool on the hub's database. Raises NotRunning where no hub runs, Retry where it does not answer."""
    from hub.storage.pool import open_pool

    chosen = resolved(found or settings(), start=False)
    pool = await open_pool(chosen.postgres.url or "", 2, name="hub command")
    try:
        yield pool
    finally:
        await pool.close()


def print_json(value: Any) -> None:
    """JSON for programs: indented at a terminal, one line otherwise."""
    import orjson

    options = orjson.OPT_APPEND_NEWLINE | (orjson.OPT_INDENT_2 if sys.stdout.isatty() else 0)
    sys.stdout.write(orjson.dumps(value, option=options).decode())


def console() -> Console:
    """Where tables go. Into a pipe they are wide, so that a line stays a line for whoever cuts it."""
    from rich.console import Console

    found = Console()
    return found if found.is_terminal else Console(width=PIPE_WIDTH)
