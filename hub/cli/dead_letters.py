"""`hub dead-letters`: records that were given up on, with their bytes, their reasons, and another try."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from hub.cli import session

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from hub.storage.dead_letters import Letter
    from hub.storage.pool import Pool
    from producers.replay import Lost

app = typer.Typer(
    rich_markup_mode="rich",
    no_args_is_help=True,
    help="Records that were given up on: look at them, send them again.",
)

Number = Annotated[int, typer.Argument(metavar="ID", help="The letter's number.", min=0, max=2**63 - 1)]
STATES = ("open", "replaying", "resolved")


@app.command("list")
def list_letters(
    state: Annotated[str | None, typer.Option(help=f"Only these: {', '.join(STATES)}.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="At the most.")] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Letters, newest first.

    [bold]Examples[/]

        hub dead-letters list
        hub dead-letters list --state open
        hub dead-letters list --json | jq -r '.dead_letters[].reason'
    """
    if state is not None and state not in STATES:
        raise typer.BadParameter(f"one of {', '.join(STATES)}", param_hint="--state")
    found = session.run(_list(state, limit))
    if as_json:
        session.print_json(found)
    else:
        _print_table(found["dead_letters"])


async def _list(state: str | None, limit: int) -> dict[str, Any]:
    from hub.api.letters import summary
    from hub.storage import dead_letters

    async with session.database() as pool:
        found = await dead_letters.page(pool, state=state, limit=limit + 1)
    page = found[:limit]
    return {
        "dead_letters": [summary(one) for one in page],
        "next": page[-1].id if len(found) > limit else None,
    }


def _print_table(letters: Sequence[dict[str, Any]]) -> None:
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=None, header_style="dim", pad_edge=False)
    for column in ("id", "at", "source", "state", "tries", "reason", "field"):
        table.add_column(column, justify="right" if column in {"id", "tries"} else "left", overflow="fold")
    for one in letters:
        source, reason = escape(one["source"] or one["topic"]), escape(one["reason"])
        table.add_row(
            str(one["id"]), one["at"], source, one["state"], str(one["failures"]), reason, escape(one["field"] or "")
        )
    session.console().print(table if letters else "No dead letters.")


@app.command()
def show(
    id: Number,  # noqa: A002 - what its help calls it
    raw: Annotated[bool, typer.Option("--raw", help="The original bytes and nothing else.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="With the bytes as base64.")] = False,
) -> None:
    """One letter. Its original bytes are the request's body, else the record's value. Status 1: there is none.

    [bold]Examples[/]

        hub dead-letters show 17
        hub dead-letters show 17 --raw > body.bin
        hub dead-letters show 17 --json | jq -r .raw_base64 | base64 -d
    """
    letter = session.run(_get(id))
    if letter is None:
        session.fail(f"there is no dead letter {id}")
    from hub.api.letters import original, whole

    if raw:
        import sys

        sys.stdout.buffer.write(original(letter)[0])
        sys.stdout.buffer.flush()
    elif as_json:
        session.print_json(whole(letter))
    else:
        _print_letter(whole(letter), original(letter)[0])


async def _get(letter_id: int) -> Letter | None:
    from hub.storage import dead_letters

    async with session.database() as pool:
        return await dead_letters.get(pool, letter_id)


def _print_letter(letter: dict[str, Any], raw: bytes) -> None:
    from rich.markup import escape
    from rich.table import Table

    table = Table.grid(padding=(0, 2))
    for name, value in letter.items():
        if name not in {"headers", "raw_base64"}:
            table.add_row(f"[dim]{name}[/]", escape("" if value is None else str(value)))
    console = session.console()
    console.print(table)
    text = raw.decode("utf-8", "replace")
    console.print(f"\n[dim]{len(raw):,} bytes[/]\n{escape(text[:4000])}{'…' if len(text) > 4000 else ''}")


@app.command()
def retry(
    id: Annotated[int | None, typer.Argument(metavar="[ID]", help="The letter's number.", min=0, max=2**63 - 1)] = None,  # noqa: A002
    all_open: Annotated[bool, typer.Option("--all", help="Every open letter, oldest first.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Send letters on their way again, under the same event ids. Status 1: some could not be sent.

    What its source could not read is read again, by the source's code and
    settings of today; everything else goes out as it was. A letter is
    resolved when its event has become an activity.

    [bold]Examples[/]

        hub dead-letters retry 17
        hub dead-letters retry --all
    """
    if (id is None) is not all_open:
        raise typer.BadParameter("give a letter's number, or --all")
    outcomes = session.run(_retry(id))
    if as_json:
        session.print_json({"dead_letters": outcomes})
    else:
        for one in outcomes:
            typer.echo(f"{one['id']}: {one['problem'] or 'on its way'}")
    if any(one["problem"] for one in outcomes):
        raise typer.Exit(session.FOUND_WRONG)


async def _retry(letter_id: int | None) -> list[dict[str, Any]]:
    from hub.storage import dead_letters
    from producers.replay import open_sender

    settings = session.resolved(session.settings(), start=False)
    async with session.database(settings) as pool:
        numbers = await dead_letters.open_ids(pool) if letter_id is None else [letter_id]
        if not numbers:
            return []
        async with open_sender(settings) as send:
            return [{"id": number, "problem": await _send(pool, send, number)} for number in numbers]


async def _send(pool: Pool, send: Callable[[Lost], Awaitable[None]], number: int) -> str | None:
    """Send one letter; why it was not sent, or None."""
    from hub.errors import HubError
    from hub.storage import dead_letters
    from producers.replay import Lost

    letter = await dead_letters.get(pool, number)
    if letter is None:
        return "there is no such letter"
    if not await dead_letters.mark_replaying(pool, number):
        return "it is resolved already"
    summary = letter.summary
    try:
        await send(Lost(summary.topic, letter.key, letter.headers, letter.body, summary.event))
    except HubError as error:
        await dead_letters.mark_open(pool, number)
        return str(error)
    if summary.event is None:
        await dead_letters.mark_replaced(pool, number)
    return None
