"""`hub sources`: who speaks to the hub, when each was heard last, what was refused, and a test event."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from hub.cli import session

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

app = typer.Typer(
    rich_markup_mode="rich",
    no_args_is_help=True,
    help="Who speaks to the hub: what was heard, what was refused, a test event.",
)


@app.command("list")
def list_sources(
    as_json: Annotated[bool, typer.Option("--json", help="For programs: the same as GET /api/sources.")] = False,
) -> None:
    """Every source of hub.toml: where it hears, when it was last heard, how many posts were refused and why last.

    Refusals leave nothing behind but this count, which Redis keeps and may forget. Events that were taken and could
    not be read are dead letters.

    [bold]Examples[/]

        hub sources list
        hub sources list --json | jq -r '.sources[] | select(.last_heard_at == null) | .name'
        hub sources list --json | jq '.sources[] | {name, why: .refused.last.detail}'
    """
    found = session.run(_list())
    if as_json:
        session.print_json(found)
    else:
        _print_table(found["sources"], found["elsewhere"])


async def _list() -> dict[str, Any]:
    from hub.api.sources import report

    settings = session.resolved(session.settings(), start=False)
    async with session.database(settings) as pool:
        return await report(settings, pool)


def _print_table(sources: Sequence[Mapping[str, Any]], elsewhere: Sequence[Mapping[str, Any]]) -> None:
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=None, header_style="dim", pad_edge=False)
    for column in ("name", "kind", "address", "last heard", "events", "dead letters", "refused", "why last"):
        table.add_column(column, justify="right" if column in {"events", "dead letters", "refused"} else "left")
    for one in sources:
        heard = [one["last_heard_at"] or "never", f"{one['events']:,}", f"{one['dead_letters']:,}"]
        words = [escape(one[name]) for name in ("name", "kind", "address")]
        table.add_row(*words, *heard, *_refused(one["refused"]))
    for one in elsewhere:
        table.add_row(escape(one["door"]), "", "", "", "", "", *_refused(one["refused"]))
    session.console().print(table if sources or elsewhere else "hub.toml names no source.")


def _refused(refused: Mapping[str, Any] | None) -> tuple[str, str]:
    """How many, and the last one's words."""
    from rich.markup import escape

    if refused is None:
        return "?", "[dim]Redis does not answer[/]"
    last = refused["last"]
    if last is None:
        return f"{refused['count']:,}", ""
    field = f" {last['field']}:" if last["field"] else ""
    return f"[red]{refused['count']:,}[/]", escape(f"{last['at']} {last['status']}{field} {last['detail']}")


@app.command("test")
def try_source(
    name: Annotated[str, typer.Argument(help="The source's name in hub.toml.")],
    send: Annotated[bool, typer.Option("--send", help="Send it now, and say what becomes of it.")] = False,
    url: Annotated[str | None, typer.Option(help="The gateway as others reach it, https://hub.example.com.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """A real test event, signed as the tool would sign it now: a command to paste, or sent at once with --send.

    It is about hub-test@example.com, and each time another event. A signature with a time in it is good for some
    minutes. Status 1: it was refused, or nobody wrote it down within 15 seconds.

    [bold]Examples[/]

        hub sources test web-eu
        hub sources test desk --send
        hub sources test shop-eu --url https://hub.example.com | ssh elsewhere sh
        hub sources test site --send --json | jq -r .profile_id
    """
    from hub.cli import source_test

    settings = session.settings()
    trial = session.told(lambda: source_test.trial(settings, name, url))
    if not send:
        if as_json:
            session.print_json(trial.told())
        else:
            typer.echo(trial.command())
        return
    found = session.run(source_test.send(settings, trial))
    if as_json:
        session.print_json(found)
    else:
        _print_outcome(found)
    if found["activity_id"] is None:
        raise typer.Exit(session.FOUND_WRONG)


def _print_outcome(found: Mapping[str, Any]) -> None:
    typer.echo(f"answer     {found['status']} {found['answer']}")
    typer.echo(f"event      {found['event_id']}")
    if found["dead_letter"] is not None:
        typer.secho(f"It is a dead letter: hub dead-letters show {found['dead_letter']}", fg="red")
    elif found["activity_id"] is None:
        typer.secho("It is not written down.", fg="red")
    elif found["profile_id"] is None:
        typer.echo("profile    none: it is an activity of nobody")
    else:
        typer.echo(f"profile    {found['profile_id']}    hub profiles show {found['profile_id']}")
