"""`hub embedded`: the private Kafka, PostgreSQL and Redis of this machine, to start, look at and stop."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from hub import embedded, settings
from hub.errors import HubError

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="The private Kafka, PostgreSQL and Redis of this machine: real servers, from Python packages.",
)

StateFolder = Annotated[
    Path | None,
    typer.Option("--state", metavar="DIR", help="Folder of their data; default: [bold]state[/] of the settings."),
]


@app.command()
def start(state: StateFolder = None) -> None:
    """Start the servers, or find those that run; come back when each one answers.

    They go on when this command ends, and `hub serve` uses them.

    [bold]Examples[/]

        hub embedded start                      # the first time it fetches Kafka, 45 MB
        hub embedded start --state /tmp/play    # a stack beside the usual one
        eval "$(hub embedded env)" && psql      # look into the database
    """
    with _plain_errors(), embedded.terminal() as report:
        embedded.start(_folder(state), report=report)
    _print(embedded.status(_folder(state)))


@app.command()
def status(
    state: StateFolder = None, *, as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False
) -> None:
    """What runs, where it answers, since when and on how many bytes. Status 1: a server is gone that nobody stopped.

    [bold]Examples[/]

        hub embedded status
        hub embedded status --json | jq -r '.[] | select(.name == "kafka").address'
    """
    with _plain_errors():
        found = embedded.status(_folder(state))
    if as_json:
        typer.echo(json.dumps([asdict(server) for server in found], indent=2))
    else:
        _print(found)
    if any(server.state == "stale" for server in found):
        raise typer.Exit(1)


@app.command()
def stop(state: StateFolder = None) -> None:
    """Stop the servers of this state folder, and no others. The data stays. Status 1: one of them did not end.

    [bold]Examples[/]

        hub embedded stop
        hub embedded stop --state /tmp/play && rm -r /tmp/play
    """
    with _plain_errors(), embedded.terminal() as report:
        found = embedded.stop(_folder(state), report)
    _print(found)
    if any(server.state == "running" for server in found):
        raise typer.Exit(1)


@app.command()
def env(state: StateFolder = None) -> None:
    """Print the servers' addresses as shell variables. Status 1: no server runs.

    [bold]Examples[/]

        eval "$(hub embedded env)"
        psql -c 'select count(*) from profile'
        kcat -b "$HUB_KAFKA__SERVERS" -t profiles -C -e
        redis-cli -u "$HUB_REDIS__URL" dbsize          # or valkey-cli

    psql itself comes with the hub: it is put at the end of PATH, so that one of your own wins.
    """
    with _plain_errors():
        variables = embedded.environment(_folder(state))
        programs = embedded.programs()
    if not variables:
        typer.echo("No server runs on this state folder; start them with: hub embedded start", err=True)
        raise typer.Exit(1)
    for name, value in variables.items():
        typer.echo(f"export {name}={shlex.quote(value)}")
    typer.echo(f'export PATH="$PATH":{shlex.quote(str(programs))}')


def _folder(given: Path | None) -> Path:
    return given or settings.load().state


@contextmanager
def _plain_errors() -> Iterator[None]:
    """What the hub says on purpose is for people: no traceback, status 1."""
    try:
        yield
    except HubError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error


def _print(servers: list[embedded.ServerStatus]) -> None:
    console = Console()
    if not console.is_terminal:
        console = Console(width=250)  # an address on one line, for whoever cuts it out
    table = Table(box=None, header_style="dim", pad_edge=False)
    for column in ("server", "version", "state", "pid", "up", "data", "address"):
        table.add_column(column, justify="right" if column in {"pid", "up", "data"} else "left", overflow="fold")
    for server in servers:
        up = f"{server.uptime_seconds:.0f} s" if server.state == "running" else ""
        pid, data = str(server.pid or ""), f"{server.data_bytes / 1e6:.1f} MB"
        table.add_row(server.name, server.version, server.state, pid, up, data, server.address or "")
    console.print(table)
