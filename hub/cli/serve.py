"""`hub serve`: every role on one machine, or one of them."""

from __future__ import annotations

import asyncio
import gc
import sys
from collections.abc import Sequence
from typing import Annotated

import typer
from rich.console import Console

from hub.cli.session import resolved, run, told
from hub.errors import Misconfigured, Retry
from hub.settings import Settings, environment, load

GARBAGE_EVERY = 50_000
"""Objects between two looks for cycles: batches make many objects and hardly a cycle."""
app = typer.Typer(rich_markup_mode="rich")
_console = Console(stderr=True)


@app.command()
def serve(
    roles: Annotated[
        list[str] | None,
        typer.Argument(
            help="gateway, mailbox, profiles, relay, sync, duplicates, automation, dispatcher, monitor, console; "
            "none: all of them."
        ),
    ] = None,
    workers: Annotated[int, typer.Option(min=1, help="Processes of the named role; they share its work.")] = 1,
    child: Annotated[bool, typer.Option("--child", hidden=True)] = False,
    instance: Annotated[str | None, typer.Option(hidden=True)] = None,
) -> None:
    """Run the hub.

    Without a role everything runs here: private Kafka, PostgreSQL and Redis are started (or adopted) unless
    HUB_KAFKA__SERVERS, HUB_POSTGRES__URL and HUB_REDIS__URL name your own.

    [bold]Examples[/]

      hub serve                        everything on this machine

      hub serve profiles --workers 4   four more processes that make profiles

      hub serve gateway console        the two web servers alone

      hub serve mailbox                mail by SMTP, LMTP and IMAP
    """
    settings = told(load)
    if child:
        run(_child(settings, roles or [], instance))
    elif roles:
        run(_parent(told(lambda: resolved(settings)), [tuple(roles)] * workers))
    else:
        told(lambda: _everything(settings))


def _everything(settings: Settings) -> None:
    from hub.cli.roles import together
    from hub.runtime.processes import instance_of, only_one

    with only_one(settings.state):
        run(_parent(resolved(settings), together(settings), instance_of(settings.state)))


async def _parent(settings: Settings, shares: Sequence[tuple[str, ...]], instance: str | None = None) -> None:
    from hub.cli.roles import DOORS
    from hub.runtime.processes import stop_on_signals, supervise
    from hub.runtime.resources import prepare

    stop = asyncio.Event()
    stop_on_signals(stop)
    child = [sys.executable, "-m", "hub", "serve", "--child", *(["--instance", instance] if instance else [])]
    commands = {f"{number}:{'+'.join(roles)}": [*child, *roles] for number, roles in enumerate(shares, 1)}
    around = environment() | addresses(settings)
    doors = {name: command for name, command in commands.items() if name.partition(":")[2] in DOORS}
    rooms = {name: command for name, command in commands.items() if name not in doors}
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(supervise(doors, around, stop))
        try:
            await prepare(settings, stop)
            await _take_rules_over(settings)
        except Retry:
            if not stop.is_set():
                raise
        _welcome(settings)
        tasks.create_task(supervise(rooms, around, stop))
    _console.print("The hub has stopped. Embedded servers go on; [bold]hub embedded stop[/] ends them.")


async def _take_rules_over(settings: Settings) -> None:
    """The rules of the folder, where there is one. What is wrong is said loudly; its last good version goes on."""
    from hub.cli import applying
    from hub.cli.session import database

    folder = settings.rules.folder
    if not settings.rules.apply or not folder.is_dir():
        return
    try:
        files = [applying.loaded(file) for file in applying.files_of([folder])]
        wish = applying.Wish(
            files, applying.house_of(settings), "hub serve", partly=True, mail=bool(settings.mail.relay)
        )
        async with database(settings) as pool:
            applied = await applying.apply(pool, wish)
    except Misconfigured as error:
        _console.print(f"[bold red]Rules[/]       {error}; the versions that are known go on")
        return
    for one in applied.problems:
        _console.print(f"[bold red]Rules[/]       {one}" if one.grade == "error" else f"Rules       {one}")
    if applied.is_wrong:
        _console.print("[bold red]Rules[/]       of what is wrong the last good version goes on; hub rules apply")


def addresses(settings: Settings) -> dict[str, str]:
    """The resolved addresses as environment, for child processes."""
    return {
        "HUB_STATE": str(settings.state),
        "HUB_KAFKA__SERVERS": ",".join(settings.kafka.servers),
        "HUB_POSTGRES__URL": settings.postgres.url or "",
        "HUB_REDIS__URL": settings.redis.url or "",
    }


def _welcome(settings: Settings) -> None:
    _console.print(f"Events in   http://{settings.gateway.listen}/in/{{source}} and /events")
    _console.print(f"Answers     http://{settings.console.listen}/api/")
    _console.print(f"State       {settings.state}    [dim]hub lag --watch · hub doctor · Ctrl-C stops[/]")


async def _child(settings: Settings, roles: Sequence[str], instance: str | None) -> None:
    from hub.cli.roles import DOORS, run_roles
    from hub.runtime.processes import end_with_parent, stop_on_signals
    from hub.runtime.resources import open_resources
    from hub.telemetry.logging import configure

    stop = asyncio.Event()
    stop_on_signals(stop)
    end_with_parent()
    configure()
    if len(roles) == 1 and roles[0] in DOORS:
        await DOORS[roles[0]](settings, stop)
        return
    gc.freeze()
    gc.set_threshold(GARBAGE_EVERY, 20, 50)
    async with open_resources(settings, "+".join(roles), stop, instance) as resources:
        await run_roles(roles, resources, stop)
