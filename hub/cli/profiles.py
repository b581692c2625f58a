"""`hub profiles`: whom the hub knows."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hub.cli import deciding, erasing, remarking, reviewing, session

if TYPE_CHECKING:
    from hub.storage.pool import Pool

app = typer.Typer(rich_markup_mode="rich", no_args_is_help=True, help="Who the hub knows, why, and who is one person.")
app.command()(deciding.explain)
app.command()(deciding.merge)
app.command()(deciding.split)
app.command()(deciding.undo)
app.command()(deciding.withdraw)
app.command()(remarking.assign)
app.command()(remarking.stage)
app.command()(remarking.tag)
app.command()(remarking.note)
app.command()(remarking.call)
app.command()(erasing.erase)
app.command()(reviewing.resolve)

AsJson = Annotated[bool, typer.Option("--json", help="For programs.")]


@app.command()
def export(
    facts: Annotated[
        bool, typer.Option("--facts", help="Leave out what rules set: a function of the set of events alone.")
    ] = False,
    with_versions: Annotated[bool, typer.Option("--with-versions", help="Add each profile's version.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="JSON lines, which it prints anyway.")] = False,  # noqa: ARG001 - every listing takes it
) -> None:
    """Every profile as a line of JSON, ordered by id. One snapshot, no clock in it.

    [bold]Examples[/]

        hub profiles export > everybody.jsonl
        hub profiles export --facts | sha256sum    # same events, same sum
        hub profiles export | jq -r '.fields.email.value // empty'
    """
    session.run(_export(with_versions, facts))


async def _export(with_versions: bool, facts: bool) -> None:
    import sys

    from hub.storage.export import lines

    async with session.database() as pool, aclosing(lines(pool, with_versions=with_versions, facts=facts)) as blocks:
        async for block in blocks:
            sys.stdout.buffer.write(block)
    sys.stdout.buffer.flush()


@app.command()
def lookup(
    email: Annotated[str | None, typer.Option(help="An address in any spelling.", metavar="ADDRESS")] = None,
    phone: Annotated[str | None, typer.Option(help="A number, with its country.", metavar="NUMBER")] = None,
    account: Annotated[str | None, typer.Option(help="What a source calls the person.", metavar="SOURCE:ID")] = None,
    as_json: AsJson = False,
) -> None:
    """The profile behind an address or an account. Status 1: nobody.

    [bold]Examples[/]

        hub profiles lookup --email ann@example.com
        hub profiles lookup --phone '+49 30 901820'
        hub profiles lookup --account shop-eu:4711 --json | jq .profile_id
    """
    given = {"email": email, "phone": phone, "account": account}
    if sum(value is not None for value in given.values()) != 1:
        raise typer.BadParameter("give one of --email, --phone and --account")
    session.run(_lookup(given, as_json))


async def _lookup(given: dict[str, str | None], as_json: bool) -> None:
    from hub.api import people
    from hub.identity.ids import as_text

    settings = session.settings()
    async with session.database(settings) as pool:
        found = await people.find(
            pool, email=given["email"], phone=given["phone"], account=given["account"], region=settings.region
        )
        await _print(pool, as_text(found), as_json)


@app.command()
def show(
    id: Annotated[str, typer.Argument(help="A profile's id, or one that it had.", metavar="ID")],  # noqa: A002 - what its help calls it
    limit: Annotated[int, typer.Option(min=1, max=500, help="Entries of the timeline.")] = 20,
    as_json: AsJson = False,
) -> None:
    """A profile: its fields with where they come from, its records, and its timeline. Status 1: nobody.

    [bold]Examples[/]

        hub profiles show 9c5f1de2-55c0-8a50-9d2f-6f0f3f7a9b11
        hub profiles show 9c5f1de2-55c0-8a50-9d2f-6f0f3f7a9b11 --limit 100
    """
    session.run(_show(id, limit, as_json))


async def _show(written: str, limit: int, as_json: bool) -> None:
    async with session.database() as pool:
        await _print(pool, written, as_json, limit)


async def _print(pool: Pool, written: str, as_json: bool, limit: int = 5) -> None:
    whole = await _whole(pool, written, limit)
    if as_json:
        session.print_json(whole)
        return
    from hub.cli.persons import render

    session.console().print(render(whole))


async def _whole(pool: Pool, written: str, limit: int) -> dict[str, Any]:
    """The profile as the API tells it, with `timeline` (its newest entries). An absorbed id leads to who lives."""
    import orjson

    from hub.api import people
    from hub.api.people import Moved
    from hub.identity.ids import as_text

    try:
        told = await people.profile(pool, written)
    except Moved as moved:
        told = await people.profile(pool, as_text(moved.heir))
    page = await people.timeline_page(pool, told.profile, limit, None)
    return {**orjson.loads(people.told_text(told)), "timeline": page["entries"]}
