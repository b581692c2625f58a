"""`hub segments`: which segments there are, and who is in them."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from hub.cli import session
from hub.cli.listing import Layout, laid_out

app = typer.Typer(rich_markup_mode="rich", no_args_is_help=True, help="Saved conditions, and who is in them.")

AsJson = Annotated[bool, typer.Option("--json", help="For programs.")]
_MEMBERS = Layout(("since", "name", "e-mail", "profile"), ((0,), (1, 2), (3,)), frozenset({"since", "profile"}))


@app.command("list")
def listing(as_json: AsJson = False) -> None:
    """Every segment that counts: how many are in it, and how many are still to be looked at since it was taken over.

    [bold]Examples[/]

        hub segments list
        hub segments list --json | jq -r '.segments[] | [.name, .members] | @tsv'
    """
    told = session.run(_report())
    if as_json:
        session.print_json(told)
        return
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=None, header_style="dim", pad_edge=False)
    for column in ("segment", "version", "members", "to be looked at", "who is in it"):
        table.add_column(column, justify="left" if column in {"segment", "who is in it"} else "right")
    for one in told["segments"]:
        numbers = (f"{one[column]:,}" for column in ("members", "waiting"))
        table.add_row(
            one["name"], str(one["version"]), *numbers, escape(one["sentence"].removeprefix("In this segment is "))
        )
    if told["segments"]:
        session.console().print(table)
    else:
        typer.echo("No segment was taken over yet: hub rules apply.")


async def _report() -> dict[str, Any]:
    from hub.api import membership

    async with session.database() as pool:
        return await membership.report(pool)


@app.command()
def members(
    name: Annotated[str, typer.Argument(help="The name of a segment, as `list` has it.", metavar="NAME")],
    limit: Annotated[int, typer.Option(min=1, max=500, help="Members of one page.")] = 50,
    before: Annotated[str | None, typer.Option(help="`next` of the page before.", metavar="NEXT")] = None,
    as_json: AsJson = False,
) -> None:
    """Who is in a segment: id, name, e-mail, since when; those who came in last first. Status 1: no such segment.

    [bold]Examples[/]

        hub segments members best-customers
        hub segments members best-customers --json | jq -r '.members[].email'
    """
    told = session.run(_page(name, limit, before))
    if as_json:
        session.print_json(told)
        return
    from rich.markup import escape

    rows = [
        (one["since"][:19], escape(one["name"]), escape(one["email"] or ""), one["profile_id"])
        for one in told["members"]
    ]
    if rows:
        console = session.console()
        console.print(laid_out(_MEMBERS, rows, console))
    if told["next"]:
        typer.echo(f"more: hub segments members {name} --before {told['next']}")
    if not told["members"]:
        typer.echo(f"Nobody is in {name}.")


async def _page(name: str, limit: int, before: str | None) -> dict[str, Any]:
    from hub.api import membership

    async with session.database() as pool:
        return await membership.page(pool, name, limit, before)
