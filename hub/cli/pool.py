"""`hub pool`: customers whom nobody looks after, and taking one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from hub.cli import session
from hub.cli.listing import Layout, laid_out

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

app = typer.Typer(rich_markup_mode="rich", no_args_is_help=True, help="Customers whom nobody looks after.")
_LIST = Layout(("since", "customer", "stage", "", "profile"), ((0, 3), (1, 2), (4,)), frozenset({"since", "profile"}))
AsJson = Annotated[bool, typer.Option("--json", help="For programs.")]


@app.command("list")
def listing(
    untouched: Annotated[bool, typer.Option("--untouched", help="Only whom nobody wrote a note or a call about.")] = (
        False
    ),
    limit: Annotated[int, typer.Option(min=1, max=500, help="Customers of one page.")] = 50,
    after: Annotated[str | None, typer.Option(help="`next` of the page before.", metavar="NEXT")] = None,
    as_json: AsJson = False,
) -> None:
    """Customers without an owner, the oldest first. Whoever wants one takes them.

    [bold]Examples[/]

        hub pool list --untouched
        hub pool list --json | jq -r '.profiles[].profile_id'
    """
    told = session.run(_page(limit, after, untouched))
    if as_json:
        session.print_json(told)
        return
    console = session.console()
    console.print(_table(told["profiles"], console))
    if told["next"]:
        typer.echo(f"more: hub pool list --after {told['next']}")


async def _page(limit: int, after: str | None, untouched: bool) -> dict[str, Any]:
    from hub.api import taking

    async with session.database() as pool:
        return await taking.page(pool, limit, after, untouched=untouched)


def _table(found: list[dict[str, Any]], console: Console) -> Table | str:
    from rich.markup import escape

    if not found:
        return "Everybody is looked after."
    rows = []
    for one in found:
        who, stage = one["customer"], one["stage"] or ""
        touched = "" if one["touched"] else "untouched"
        rows.append((one["since"][:16], escape(who), escape(stage), touched, one["profile_id"]))
    return laid_out(_LIST, rows, console)


@app.command()
def take(
    profile: Annotated[str, typer.Argument(help="A profile's id, or one that it had.", metavar="ID")],
    owner: Annotated[str, typer.Option("--as", help="Who looks after them from now on.", metavar="ADDRESS")],
    as_json: AsJson = False,
) -> None:
    """Take a customer out of the pool. Status 1: somebody else has them; it says who.

    [bold]Examples[/]

        hub pool take 9c5f1de2-55c0-8a50-9d2f-6f0f3f7a9b11 --as eve@example.com
    """
    told = session.run(_taken(profile, owner))
    if as_json:
        session.print_json(told)
        return
    typer.echo(f"profile {told['profile_id']}: {told['owner']}, {told['state']}")


async def _taken(profile: str, owner: str) -> dict[str, Any]:
    from functools import partial
    from getpass import getuser

    from hub.api import taking
    from hub.api.remarking import Author
    from producers.deeds import say

    settings = session.resolved(session.settings(), start=False)
    async with session.database(settings) as pool:
        return await taking.take(pool, profile, owner, Author(getuser()), partial(say, settings.kafka))
