"""`hub deliveries`: what the tools were told, every try of it, and another chance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from hub.cli import session
from hub.cli.listing import Layout, laid_out

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

app = typer.Typer(
    rich_markup_mode="rich",
    no_args_is_help=True,
    help="What the tools were told: look at it, send it again.",
)

_LIST = Layout(
    ("destination", "type", "#version", "state", "#tries", "due or last try", "heard", "id"),
    ((0, 3), (7, 1), (5, 6), (2, 4)),
    frozenset({"#version", "due or last try", "id"}),
)
STATES = ("pending", "sending", "retry", "delivered", "folded", "dead")
Destination = Annotated[str | None, typer.Option(help="Only those to this destination of hub.toml.")]
AsJson = Annotated[bool, typer.Option("--json", help="For programs.")]


@app.command("list")
def list_deliveries(
    destination: Destination = None,
    state: Annotated[str | None, typer.Option(help=f"Only these: {', '.join(STATES)}.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="At the most.")] = 50,
    before: Annotated[str | None, typer.Option(help="`next` of the page before, in its --json.")] = None,
    as_json: AsJson = False,
) -> None:
    """Deliveries, newest first.

    [bold]Examples[/]

        hub deliveries list
        hub deliveries list --destination sales --state dead
        hub deliveries list --state retry --json | jq -r '.deliveries[] | [.id, .destination, .error] | @tsv'

    pending: not yet tried · sending: on the wire · retry: failed, due again · delivered: the tool said 2xx ·
    folded: a newer version took its place · dead: given up on, see `hub deliveries retry`
    """
    if state is not None and state not in STATES:
        raise typer.BadParameter(f"one of {', '.join(STATES)}", param_hint="--state")
    found = session.run(_list(destination, state, limit, before))
    if as_json:
        session.print_json(found)
    else:
        _print_table(found["deliveries"])


async def _list(destination: str | None, state: str | None, limit: int, before: str | None) -> dict[str, Any]:
    from hub.storage import deliveries

    async with session.database() as pool:
        return await deliveries.page(pool, destination=destination, state=state, limit=limit, before=before)


def _print_table(found: Sequence[Mapping[str, Any]]) -> None:
    from rich.markup import escape

    rows = []
    for one in found:
        at = one["due_at"] if one["state"] in {"pending", "retry"} else one["last_try_at"]
        heard = one["error"] or (f"HTTP {one['status']}" if one["status"] else "")
        what = (escape(one["destination"]), one["type"], str(one["version"]), one["state"])
        rows.append((*what, str(one["attempts"]), (at or "")[:19], escape(heard), one["id"]))
    console = session.console()
    console.print(laid_out(_LIST, rows, console) if rows else "No deliveries.")


@app.command()
def show(
    id: Annotated[str, typer.Argument(metavar="ID", help="The webhook-id.")],  # noqa: A002 - what its help calls it
    as_json: AsJson = False,
) -> None:
    """One delivery: the body as it was sent, and what every try heard. Status 1: there is none.

    [bold]Examples[/]

        hub deliveries show 5c1d0f9a-6f0e-8c5e-9a3b-2f1d8e7c6b5a
        hub deliveries show 5c1d0f9a-6f0e-8c5e-9a3b-2f1d8e7c6b5a --json | jq -r .body | jq .data.profile
    """
    found = session.run(_get(id))
    if found is None:
        session.fail(f"there is no delivery {id}")
    elif as_json:
        session.print_json(found)
    else:
        _print_delivery(found)


async def _get(written: str) -> dict[str, Any] | None:
    from hub.storage import deliveries

    async with session.database() as pool:
        return await deliveries.get(pool, written)


def _print_delivery(found: Mapping[str, Any]) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    console, facts = Console(), Table(box=None, show_header=False, pad_edge=False)
    for name, value in found.items():
        if name not in {"body", "tries"} and value is not None:
            facts.add_row(f"[dim]{name}[/]", escape(str(value)))
    console.print(facts)
    tries = Table(box=None, header_style="dim", pad_edge=False, title="tries", title_justify="left")
    for column in ("#", "at", "status", "ms", "error", "answer"):
        tries.add_column(column, overflow="fold")
    for one in found["tries"]:
        words = (one["attempt"], one["at"], one["status"], one["milliseconds"], one["error"], one["response"])
        tries.add_row(*("" if word is None else escape(str(word)) for word in words))
    if found["tries"]:
        console.print(tries)
    typer.echo(found["body"] or "Not tried yet: the body is written at the first try.")


@app.command()
def retry(
    ids: Annotated[list[str] | None, typer.Argument(metavar="ID...", help="Webhook-ids.")] = None,
    dead: Annotated[bool, typer.Option("--dead", help="All that were given up on.")] = False,
    destination: Destination = None,
    as_json: AsJson = False,
) -> None:
    """Send again now, with a fresh schedule. Where a profile has moved on, its newest version goes out instead.

    Status 1: one of the ids is not known, or is past sending again.

    [bold]Examples[/]

        hub deliveries retry 5c1d0f9a-6f0e-8c5e-9a3b-2f1d8e7c6b5a
        hub deliveries retry --dead --destination sales       # the sales tool is mended
        hub deliveries retry --dead                           # of every tool
    """
    if bool(ids) == dead:
        raise typer.BadParameter("name deliveries, or say --dead; not both", param_hint="ID or --dead")
    if ids and destination:
        raise typer.BadParameter("goes with --dead", param_hint="--destination")
    from hub.storage.deliveries import DUE

    outcome = session.run(_retry(ids, destination))
    if as_json:
        session.print_json({"deliveries": [{"id": one, "outcome": words} for one, words in outcome.items()]})
    elif dead:
        typer.echo(f"{sum(words == DUE for words in outcome.values())} of {len(outcome)} are due now.")
    else:
        for one, words in outcome.items():
            typer.echo(f"{one}  {words}")
    if ids and any(words != DUE for words in outcome.values()):
        raise typer.Exit(session.FOUND_WRONG)


async def _retry(ids: Sequence[str] | None, destination: str | None) -> dict[str, str]:
    from hub.storage import deliveries

    async with session.database() as pool:
        return await deliveries.retry(pool, ids or await deliveries.dead_ids(pool, destination))
