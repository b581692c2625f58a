"""The command line: one file per group of commands, loaded when it is asked for.

`hub --help` stays quick because it imports none of them: their names and first lines stand here.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Any, NamedTuple

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command


class Entry(NamedTuple):
    """A command or a group: the file in this folder with its `app`, its panel, its first line."""

    module: str
    panel: str
    brief: str


RUN, LOOK, MEND, SET_UP = "Run", "Look", "Mend", "Set up"
COMMANDS = {
    "init": Entry("init", SET_UP, "Write a commented hub.toml to begin with."),
    "serve": Entry("serve", RUN, "Run the hub on this machine, or one of its roles."),
    "demo": Entry("demo", RUN, "A simulated company, and a live table of what becomes of its events."),
    "embedded": Entry("embedded", RUN, "The private Kafka, PostgreSQL and Redis of this machine."),
    "lag": Entry("lag", LOOK, "How far every consumer is behind, and what waits elsewhere."),
    "profiles": Entry("profiles", LOOK, "Who the hub knows, why, and who is one person."),
    "duplicates": Entry("duplicates", LOOK, "Who may be one person: list, show, decide."),
    "deliveries": Entry("deliveries", LOOK, "What the tools were told: list, show, retry."),
    "rules": Entry("rules", LOOK, "What happens by itself: rules and segments, checked and told."),
    "segments": Entry("segments", LOOK, "Saved conditions, and who is in them."),
    "funnel": Entry("funnel", LOOK, "Who stands in which stage, who goes on and who does not, and how long it takes."),
    "tasks": Entry("tasks", LOOK, "What is to be done about customers: list, add, done, postpone."),
    "pool": Entry("pool", LOOK, "Customers whom nobody looks after: list, take."),
    "sources": Entry("sources", LOOK, "Who speaks to the hub: last heard, refused and why, a test event."),
    "topics": Entry("topics", LOOK, "The topics as they should be and as the broker has them."),
    "dead-letters": Entry("dead_letters", MEND, "Records that were given up on: list, show, retry."),
    "doctor": Entry("doctor", MEND, "The most likely troubles, each with what to do."),
    "config": Entry("config", SET_UP, "Everything that is wrong with the settings, at once."),
    "schemas": Entry("schemas", SET_UP, "The published contracts: JSON Schema, AsyncAPI, OpenAPI."),
}


class Lazy(TyperGroup):
    """A group whose commands are imported when they run."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - the signature is Typer's
        """Names, in the order in which a person meets them."""
        return [name for name, entry in COMMANDS.items() if find_spec(f"hub.cli.{entry.module}")]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """A stand-in that knows its first line: enough for help and for suggestions."""
        if cmd_name not in self.list_commands(ctx):
            return None
        entry = COMMANDS[cmd_name]
        return TyperCommand(cmd_name, help=entry.brief, rich_help_panel=entry.panel)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command itself, imported now."""
        name, stand_in, rest = super().resolve_command(ctx, args)
        if stand_in is None or name is None:
            return name, stand_in, rest
        command = get_command(_app(name))
        command.name = name
        return name, command, rest


def _app(name: str) -> typer.Typer:
    """The `app` of a command's file; a file that only has a function of the command's name is a command."""
    module = import_module(f"hub.cli.{COMMANDS[name].module}")
    found: typer.Typer = getattr(module, "app", None) or typer.Typer(rich_markup_mode="rich")
    if not hasattr(module, "app"):
        found.command(name)(getattr(module, name))
    found._add_completion = False  # noqa: SLF001 - completion is the whole program's, not a command's
    return found


app = typer.Typer(
    cls=Lazy,
    name="hub",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_show_locals=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(version("customer-integration-hub"))
        raise typer.Exit


@app.callback()
def hub(
    version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Print it and end."),
) -> None:
    """One hub between forms, mail, support desk and shop: events in, one profile per customer, every tool told.

    [bold]Begin[/]

        hub init                    # a commented hub.toml
        hub serve                   # everything on this machine
        hub lag --watch             # is everybody keeping up?
        hub doctor                  # something is wrong: what, and what to do

    Every command has [bold]--help[/] with examples; every listing has [bold]--json[/].
    Exit status: 0 fine, 1 something is wrong, 2 wrong use.
    """


def main() -> None:
    """What the program `hub` runs."""
    from hub.cli.session import told

    told(app)
