"""`hub profiles assign`, `stage`, `tag`, `note` and `call`: what people say of a profile."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hub.cli import session

if TYPE_CHECKING:
    from hub.api.remarking import Author, Draft
    from hub.settings import Settings
    from hub.storage.pool import Pool

    Drafting = Callable[[Pool, Settings, Author], Awaitable[Draft]]

AsJson = Annotated[bool, typer.Option("--json", help="For programs.")]
Profile = Annotated[str, typer.Argument(help="A profile's id, or one that it had.", metavar="ID")]


def assign(
    profile: Profile,
    owner: Annotated[str | None, typer.Argument(help="Who looks after them.", metavar="ADDRESS")] = None,
    pool: Annotated[bool, typer.Option("--pool", help="Nobody does: everybody may take them.")] = False,
    as_json: AsJson = False,
) -> None:
    """Who looks after this customer. A person's word comes before a rule's, then the newest counts.

    [bold]Examples[/]

        hub profiles assign 9c5f1de2-55c0-8a50-9d2f-6f0f3f7a9b11 eve@example.com
        hub profiles assign 9c5f1de2-… --pool
    """
    if (owner is None) is not pool:
        raise typer.BadParameter("give an address or --pool, one of the two")
    _say(profile, "owner.assigned", {"owner": owner}, as_json)


def stage(
    profile: Profile,
    to: Annotated[str, typer.Argument(help="Where they stand now.", metavar="STAGE")],
    as_json: AsJson = False,
) -> None:
    """Where in the funnel this customer stands.

    [bold]Examples[/]

        hub profiles stage 9c5f1de2-55c0-8a50-9d2f-6f0f3f7a9b11 customer
    """
    _say(profile, "stage.set", {"stage": to}, as_json)


def tag(
    profile: Profile,
    name: Annotated[str, typer.Argument(help="The tag.", metavar="TAG")],
    remove: Annotated[bool, typer.Option("--remove", help="One less instead of one more.")] = False,
    as_json: AsJson = False,
) -> None:
    """A tag more, or one less. A tag that a source states stays as long as the source states it.

    [bold]Examples[/]

        hub profiles tag 9c5f1de2-55c0-8a50-9d2f-6f0f3f7a9b11 urgent
        hub profiles tag 9c5f1de2-… urgent --remove
    """
    _say(profile, "tag.removed" if remove else "tag.added", {"tag": name}, as_json)


def note(
    profile: Profile,
    text: Annotated[str, typer.Argument(help="What is to be remembered.", metavar="TEXT")],
    as_json: AsJson = False,
) -> None:
    """A note on the timeline.

    [bold]Examples[/]

        hub profiles note 9c5f1de2-55c0-8a50-9d2f-6f0f3f7a9b11 "wants the blue one"
    """
    _say(profile, "note.added", {"text": text}, as_json)


def call(
    profile: Profile,
    text: Annotated[str, typer.Argument(help="What was said.", metavar="TEXT")],
    outcome: Annotated[str | None, typer.Option(help="What came of it.", metavar="TEXT")] = None,
    seconds: Annotated[int | None, typer.Option(min=0, help="How long it took.")] = None,
    as_json: AsJson = False,
) -> None:
    """A call on the timeline.

    [bold]Examples[/]

        hub profiles call 9c5f1de2-55c0-8a50-9d2f-6f0f3f7a9b11 "asked about delivery" --outcome "calls back"
        hub profiles call 9c5f1de2-… "asked about delivery" --seconds 240
    """
    found = {"text": text, "outcome": outcome, "duration_seconds": seconds}
    _say(profile, "call.logged", {name: value for name, value in found.items() if value is not None}, as_json)


def _say(profile: str, event_type: str, said: Mapping[str, Any], as_json: bool) -> None:
    from hub.api import remarking

    told = session.run(done(lambda pool, _, author: remarking.draft(pool, profile, event_type, said, author)))
    if as_json:
        session.print_json(told)
        return
    typer.echo(f"profile {told['profile_id']}: {told['type']}, {told['state']}")


async def done(drafting: Drafting) -> dict[str, Any]:
    """Draft a deed in the name of whoever sits here, do it, and wait until it is written; gives what became of it."""
    from functools import partial
    from getpass import getuser

    from hub.api import remarking
    from hub.api.remarking import Author
    from producers.deeds import say

    settings = session.resolved(session.settings(), start=False)
    async with session.database(settings) as pool:
        drafted = await drafting(pool, settings, Author(getuser()))
        return await remarking.done(pool, drafted, partial(say, settings.kafka))
