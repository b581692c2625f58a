"""`hub tasks`: what is to be done about customers, by whom and until when."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hub.automation.buckets import Bucket
from hub.cli import remarking, session
from hub.cli.listing import Layout, laid_out

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

app = typer.Typer(rich_markup_mode="rich", no_args_is_help=True, help="What is to be done about customers.")
AsJson = Annotated[bool, typer.Option("--json", help="For programs.")]
OfTask = Annotated[str, typer.Argument(help="A task's id, as `list` prints it.", metavar="TASK")]
_LIST = Layout(("due", "", "title", "customer", "whose", "task"), ((0, 1), (2, 5), (3, 4)), frozenset({"due", "task"}))
_COLOURS = {"overdue": "red", "today": "yellow", "waiting": "cyan", "done": "green"}


@app.command("list")
def listing(
    to: Annotated[str | None, typer.Option(help="Only theirs.", metavar="ADDRESS")] = None,
    team: Annotated[str | None, typer.Option(help="Only this team's.", metavar="NAME")] = None,
    bucket: Annotated[Bucket | None, typer.Option(help="Only these; without it all that is not done.")] = None,
    profile: Annotated[str | None, typer.Option(help="Only about this customer.", metavar="ID")] = None,
    limit: Annotated[int, typer.Option(min=1, max=500, help="Tasks at the most.")] = 100,
    as_json: AsJson = False,
) -> None:
    """What is to be done, what is due first first.

    A task that waits for the customer comes back to [yellow]today[/] when something came in from them.

    [bold]Examples[/]

        hub tasks list
        hub tasks list --to eve@example.com --bucket overdue
        hub tasks list --team sales --json | jq -r '.tasks[].title'
    """
    asked = {"to": to, "team": team, "bucket": bucket, "profile": profile, "limit": limit}
    told = session.run(_listed(asked))
    if as_json:
        session.print_json(told)
        return
    console = session.console()
    console.print(_table(told["tasks"], console))


async def _listed(asked: Mapping[str, Any]) -> dict[str, Any]:
    from hub.api import tasking
    from hub.api.tasks_shapes import TaskFilter

    settings = session.resolved(session.settings(), start=False)
    async with session.database(settings) as pool:
        return await tasking.listed(pool, settings, TaskFilter.model_validate(asked))


def _table(tasks: list[dict[str, Any]], console: Console) -> Table | str:
    from rich.markup import escape

    if not tasks:
        return "There is nothing to be done."
    rows = []
    for one in tasks:
        colour = _COLOURS.get(one["bucket"], "default")
        place = "answered" if one["answered_at"] else one["bucket"]
        whose = one["to"] or (f"team {one['team']}" if one["team"] else "nobody")
        words = (one["title"], one["customer"], whose)
        rows.append((one["due"][:16], f"[{colour}]{place}[/]", *map(escape, words), one["id"]))
    return laid_out(_LIST, rows, console)


@app.command()
def add(
    about: Annotated[
        tuple[str, str], typer.Argument(help="A profile's id, and what is to be done.", metavar="ID TITLE")
    ],
    to: Annotated[str | None, typer.Option(help="Whose it is.", metavar="ADDRESS")] = None,
    team: Annotated[str | None, typer.Option(help="Or the team whose it is.", metavar="NAME")] = None,
    due: Annotated[str, typer.Option(help="From now on (90m, 4h, 2d), or a time (RFC 3339).")] = "1d",
    reminder: Annotated[bool, typer.Option("--reminder", help="Send a mail when it comes due.")] = False,
    as_json: AsJson = False,
) -> None:
    """Something is to be done about a customer. Without --to and --team it is nobody's in particular.

    [bold]Examples[/]

        hub tasks add 9c5f1de2-55c0-8a50-9d2f-6f0f3f7a9b11 "Call back" --to eve@example.com --due 4h
        hub tasks add 9c5f1de2-… "Ask for a review" --team sales --due 2026-11-30T09:00:00Z --reminder
    """
    profile, title = about
    said = {"title": title, "kind": "reminder" if reminder else "task", "to": to, "team": team, "due": due}
    from hub.api import tasking

    added = remarking.done(lambda pool, settings, author: tasking.added(pool, settings, profile, said, author))
    _print(session.run(added), as_json)


@app.command()
def done(task: OfTask, as_json: AsJson = False) -> None:
    """It is done.

    [bold]Examples[/]

        hub tasks done 0b8f4a1c-55c0-8a50-9d2f-6f0f3f7a9b11
    """
    _mark(task, "task.done", {}, as_json)


@app.command()
def wait(task: OfTask, as_json: AsJson = False) -> None:
    """It waits for the customer: it is there again when something comes in from them.

    [bold]Examples[/]

        hub tasks wait 0b8f4a1c-55c0-8a50-9d2f-6f0f3f7a9b11
    """
    _mark(task, "task.waiting", {}, as_json)


@app.command()
def reopen(task: OfTask, as_json: AsJson = False) -> None:
    """It is to be done again.

    [bold]Examples[/]

        hub tasks reopen 0b8f4a1c-55c0-8a50-9d2f-6f0f3f7a9b11
    """
    _mark(task, "task.reopened", {}, as_json)


@app.command()
def drop(task: OfTask, as_json: AsJson = False) -> None:
    """It is not wanted any more.

    [bold]Examples[/]

        hub tasks drop 0b8f4a1c-55c0-8a50-9d2f-6f0f3f7a9b11
    """
    _mark(task, "task.dropped", {}, as_json)


@app.command()
def assign(
    task: OfTask,
    to: Annotated[str | None, typer.Argument(help="Whose it is from now on.", metavar="ADDRESS")] = None,
    nobody: Annotated[bool, typer.Option("--nobody", help="Nobody's in particular.")] = False,
    as_json: AsJson = False,
) -> None:
    """Whose it is from now on.

    [bold]Examples[/]

        hub tasks assign 0b8f4a1c-55c0-8a50-9d2f-6f0f3f7a9b11 eve@example.com
        hub tasks assign 0b8f4a1c-… --nobody
    """
    if (to is None) is not nobody:
        raise typer.BadParameter("give an address or --nobody, one of the two")
    _mark(task, "task.assigned", {"to": to}, as_json)


@app.command()
def postpone(
    task: OfTask,
    due: Annotated[str, typer.Argument(help="From now on (90m, 4h, 2d), or a time (RFC 3339).", metavar="DUE")],
    as_json: AsJson = False,
) -> None:
    """It has another time. A reminder comes again then.

    [bold]Examples[/]

        hub tasks postpone 0b8f4a1c-55c0-8a50-9d2f-6f0f3f7a9b11 2d
    """
    _mark(task, "task.postponed", {"due": due}, as_json)


def _mark(task: str, event_type: str, said: Mapping[str, Any], as_json: bool) -> None:
    from hub.api import tasking

    marked = remarking.done(lambda pool, _, author: tasking.marked(pool, task, event_type, said, author))
    _print(session.run(marked), as_json)


def _print(told: dict[str, Any], as_json: bool) -> None:
    if as_json:
        session.print_json(told)
        return
    typer.echo(f"task {told['data']['task']}: {told['type']}, {told['state']}")
