"""`hub profiles merge`, `split`, `undo`, `withdraw` and `explain`: one person or two, and why."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hub.cli import session

if TYPE_CHECKING:
    from hub.api.deciding import Author, Draft
    from hub.storage.pool import Pool

AsJson = Annotated[bool, typer.Option("--json", help="For programs.")]
Reason = Annotated[str | None, typer.Option(help="Why, for whoever asks later.", metavar="TEXT")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would become of whom, and do nothing.")]
Profile = Annotated[str, typer.Argument(help="A profile's id, or one that it had.", metavar="ID")]


def merge(
    one: Profile,
    other: Annotated[str, typer.Argument(help="The other one.", metavar="OTHER")],
    reason: Reason = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Two profiles are one person. It can be undone at any time: `undo`, or `withdraw` what it prints.

    [bold]Examples[/]

        hub profiles merge 9c5f1de2-55c0-8a50-9d2f-6f0f3f7a9b11 5a3e0b77-8c1d-8f4e-a1c0-2d9b7e64f0aa --dry-run
        hub profiles merge 9c5f1de2-… 5a3e0b77-… --reason "she called: both are hers"
    """
    from hub.api import deciding

    _decide(lambda pool, author: deciding.merge(pool, one, other, author), reason, dry_run, as_json)


def split(
    profile: Profile,
    record: Annotated[
        list[str], typer.Option(help="A record that is somebody else's: SOURCE:KEY or its id.", metavar="RECORD")
    ],
    keep: Annotated[
        list[str] | None, typer.Option(help="An identifier that goes with them: email:ann@x.org", metavar="IDENTIFIER")
    ] = None,
    reason: Reason = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Some records of a profile are somebody else's: two people from now on.

    [bold]Examples[/]

        hub profiles split 9c5f1de2-… --record shop-eu:4711 --record desk:88 --reason "father and son"
        hub profiles split 9c5f1de2-… --record shop-eu:4711 --keep email:lee@example.com
    """
    from hub.api import deciding

    _decide(lambda pool, author: deciding.extract(pool, profile, record, author, keep or []), reason, dry_run, as_json)


def undo(
    operation: Annotated[int, typer.Argument(help="An operation's number; `explain` lists them.", metavar="N", min=1)],
    reason: Reason = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Undo what an operation joined: all are what they would have been, with what came in between.

    [bold]Examples[/]

        hub profiles undo 17 --dry-run
        hub profiles undo 17 --reason "two customers, one keyboard"
    """
    from hub.api import deciding

    _decide(lambda pool, author: deciding.part_operation(pool, operation, author), reason, dry_run, as_json)


def withdraw(
    decision: Annotated[str, typer.Argument(help="A decision's id; `explain` lists them.", metavar="DECISION")],
    reason: Reason = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Take a merge or a split back, as if it had never been decided.

    [bold]Examples[/]

        hub profiles withdraw 0b6d4c1a-7e52-8d3f-9a10-c5e8f2b7d946
    """
    from hub.api import deciding

    _decide(lambda pool, author: deciding.withdraw(pool, decision, author), reason, dry_run, as_json)


def explain(profile: Profile, as_json: AsJson = False) -> None:
    """Why these records are one person: what joins them, what does not, who decided what, and every move.

    [bold]Examples[/]

        hub profiles explain 9c5f1de2-55c0-8a50-9d2f-6f0f3f7a9b11
        hub profiles explain 9c5f1de2-… --json | jq '.operations[0].operation'
    """
    told = session.run(_explain(profile))
    if as_json:
        session.print_json(told)
        return
    from hub.cli.reasons import render

    session.console().print(render(told))


async def _explain(profile: str) -> dict[str, Any]:
    from hub.api.deciding_shapes import Why
    from hub.api.why import why

    async with session.database() as pool:
        return Why.model_validate(await why(pool, profile)).model_dump(by_alias=True)


Drafting = Callable[["Pool", "Author"], Awaitable["Draft"]]


def _decide(draft: Drafting, reason: str | None, dry_run: bool, as_json: bool) -> None:
    report(session.run(_decided(draft, reason, dry_run)), as_json)


def report(told: Mapping[str, Any], as_json: bool) -> None:
    """Say what was decided, and what becomes of whom (`hub.api.deciding_shapes.Decided`)."""
    if as_json:
        session.print_json(told)
        return
    for one in told["merges"]:
        typer.echo(f"{one['profile_id']} takes in {', '.join(one['absorbed'])}")
    for one in told["splits"]:
        typer.echo(f"{one['profile_id']} lets go {', '.join(one['parts'])}")
    if not told["merges"] and not told["splits"]:
        typer.echo("no profile becomes another one by it")
    for one in told["decisions"]:
        typer.echo(f"decision {one['id']}: {told['state']}")


async def _decided(draft: Drafting, reason: str | None, dry_run: bool) -> dict[str, Any]:
    from getpass import getuser

    from hub.api import deciding
    from hub.api.deciding import Author
    from producers.deeds import open_deeds

    settings = session.resolved(session.settings(), start=False)
    async with session.database(settings) as pool:
        found = await draft(pool, Author(getuser(), reason))
        shown = deciding.preview(found)
        if dry_run:
            return shown
        async with open_deeds(settings.kafka) as deeds:
            return shown | {"state": await deciding.done(pool, found, deeds.do)}
