"""`hub profiles erase`: somebody asked to be forgotten."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from hub.cli import session

AsJson = Annotated[bool, typer.Option("--json", help="For programs; needs --yes or --dry-run.")]


def erase(
    profile: Annotated[str, typer.Argument(help="A profile's id, or one that it had.", metavar="ID")],
    record: Annotated[
        list[str] | None,
        typer.Option(help="Only this record: SOURCE:KEY or its id. Without it: all of them.", metavar="RECORD"),
    ] = None,
    request: Annotated[
        str | None, typer.Option(help="The number of the request. It is kept: name nobody in it.", metavar="NUMBER")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be erased, and do nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Forget everything that a person said until now, and tell the tools. It cannot be undone.

    A record that only a phone or a device ties to the others is marked: it may be somebody else's. Then name the
    records that are meant, or split the profile first.

    [bold]Examples[/]

        hub profiles erase 9c5f1de2-55c0-8a50-9d2f-6f0f3f7a9b11 --dry-run
        hub profiles erase 9c5f1de2-… --request 2026-113 --yes
        hub profiles erase 9c5f1de2-… --record shop-eu:4711 --record desk:88
    """
    asks = not (yes or dry_run)
    if asks and (as_json or not sys.stdin.isatty()):
        raise typer.BadParameter("nobody is there to ask: add --yes, or look first with --dry-run")
    session.run(_erase((profile, record or [], request), asks=asks, dry_run=dry_run, as_json=as_json))


async def _erase(asked: tuple[str, list[str], str | None], *, asks: bool, dry_run: bool, as_json: bool) -> None:
    from getpass import getuser

    from hub.api import erasing
    from producers.deeds import open_deeds

    profile, records, request = asked
    settings = session.resolved(session.settings(), start=False)
    async with session.database(settings) as pool:
        drafted = await erasing.draft(pool, profile, records, getuser(), request)
        if not as_json:
            session.console().print(_table(drafted.shown))
        if dry_run:
            _report(drafted.shown, as_json)
            return
        if asks and not typer.confirm("Erase this for good?"):
            typer.echo("nothing was erased")
            return
        async with open_deeds(settings.kafka) as deeds:
            _report(await erasing.done(pool, drafted, deeds.do), as_json)


def _report(told: Mapping[str, Any], as_json: bool) -> None:
    if as_json:
        session.print_json(told)
        return
    for one in told["stay"]:
        typer.echo(f"stays: {one['source']}:{one['key']}")
    typer.echo(f"profile {told['profile_id']}: {told['state']}")


def _table(told: Mapping[str, Any]) -> Any:
    from rich.markup import escape
    from rich.table import Table

    table = Table("record", "names", "events", "tied by", title="What is erased", title_justify="left")
    for one in told["records"]:
        because = escape("\n".join(one["because"]) or "itself")
        doubt = "" if one["sure"] else "[yellow]look at it: it may be somebody else's[/]\n"
        name, names = escape(f"{one['source']}:{one['key']}"), escape(", ".join(one["names"]))
        table.add_row(name, names, str(one["activities"]), doubt + because)
    return table
