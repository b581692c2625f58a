"""`hub duplicates`: who may be one person, for a person to decide about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from hub.cli import deciding, session
from hub.cli.deciding import AsJson, DryRun, Reason

if TYPE_CHECKING:
    from hub.storage.suspects import Key

app = typer.Typer(rich_markup_mode="rich", no_args_is_help=True, help="Who may be one person: list, show, decide.")

Band = Literal["likely", "possible"]
State = Literal["open", "confirmed", "rejected", "superseded"]
OfPair = Annotated[str, typer.Argument(help="A pair as `list` names it, in any order.", metavar="A~B")]


@app.command("list")
def listing(
    band: Annotated[Band | None, typer.Option(help="Only these.")] = None,
    state: Annotated[State, typer.Option(help="Only these.")] = "open",
    limit: Annotated[int, typer.Option(min=1, max=500, help="Pairs of one page.")] = 50,
    before: Annotated[str | None, typer.Option(help="`next` of the page before.", metavar="NEXT")] = None,
    as_json: AsJson = False,
) -> None:
    """Pairs that may be one person, the surest first.

    [green]likely[/] and [yellow]possible[/] say how sure it is. Without either, a rule asks:
    it found a reason to join the two, and refused it.

    [bold]Examples[/]

        hub duplicates list
        hub duplicates list --band likely --limit 10
        hub duplicates list --state rejected
        hub duplicates list --json | jq -r '.duplicates[].id'
    """
    told = session.run(_page(state, band, limit, before))
    if as_json:
        session.print_json(told)
        return
    from hub.cli.pairs import queue

    session.console().print(queue(told, state))


async def _page(state: State, band: Band | None, limit: int, before: str | None) -> dict[str, Any]:
    from hub.api import duplicates
    from hub.api.duplicate_shapes import DuplicatePage

    async with session.database() as pool:
        page = await duplicates.page(pool, state=state, band=band, limit=limit, before=before)
    return DuplicatePage.model_validate(page).model_dump()


@app.command()
def show(pair: OfPair, as_json: AsJson = False) -> None:
    """A pair side by side: every field, what speaks for it and against it, what would become of whom.

    [bold]Examples[/]

        hub duplicates show 5a3e0b77-8c1d-8f4e-a1c0-2d9b7e64f0aa~9c5f1de2-55c0-8a50-9d2f-6f0f3f7a9b11
        hub duplicates show 5a3e0b77-…~9c5f1de2-… --json | jq .fields
    """
    told = session.run(_whole(pair))
    if as_json:
        session.print_json(told)
        return
    from hub.cli.pairs import side_by_side

    session.console().print(side_by_side(told))


async def _whole(pair: str) -> dict[str, Any]:
    from hub.api import duplicates
    from hub.api.duplicate_shapes import Duplicate

    async with session.database() as pool:
        return Duplicate.model_validate(await duplicates.whole(pool, _key(pair))).model_dump()


@app.command()
def decide(
    pair: OfPair,
    verdict: Annotated[Literal["same", "different"], typer.Argument(help="One person, or two.")],
    reason: Reason = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """They are one person, or two. It can be undone: `hub profiles withdraw` what it prints.

    Status 1: somebody else has decided already; it says who, and what.

    [bold]Examples[/]

        hub duplicates decide 5a3e0b77-…~9c5f1de2-… same --dry-run
        hub duplicates decide 5a3e0b77-…~9c5f1de2-… different --reason "twins, I know them"
    """
    deciding.report(session.run(_decided(pair, verdict, reason, dry_run)), as_json)


async def _decided(pair: str, verdict: str, reason: str | None, dry_run: bool) -> dict[str, Any]:
    from getpass import getuser

    from hub.api import duplicates
    from hub.api.deciding import Author
    from producers.deeds import open_deeds

    settings = session.resolved(session.settings(), start=False)
    author = Author(getuser(), reason)
    async with session.database(settings) as pool:
        if dry_run:
            return await duplicates.proposed(pool, _key(pair), verdict, author)
        async with open_deeds(settings.kafka) as deeds:
            return await duplicates.decide(pool, _key(pair), verdict, author, deeds.do)


def _key(pair: str) -> Key:
    from hub.api import duplicates

    one, _, other = pair.partition("~")
    return duplicates.key(one, other)
