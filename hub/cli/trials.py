"""`hub rules compare` and `hub rules switch`: what a version on trial would have done, and taking it live."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hub.cli import session
from hub.cli.ruling import AsJson, Name

if TYPE_CHECKING:
    from hub.storage.pool import Pool

SHOWN = 5
"""Differences that a preview shows."""
Since = Annotated[str, typer.Option(help="How far back: 90s, 15m, 4h, 7d, 2w.", metavar="DURATION")]


def compare(
    name: Name,
    since: Since = "7d",
    limit: Annotated[int, typer.Option(min=1, max=500, help="Differences at the most.")] = 20,
    as_json: AsJson = False,
) -> None:
    """The version on trial beside the live one: who would have been treated differently, and by which values.

    Status 1: there is no such rule, or nothing of it is on trial.

    [bold]Examples[/]

        hub rules compare urgent-ticket
        hub rules compare urgent-ticket --since 30d --limit 100
        hub rules compare urgent-ticket --json | jq -r '.different[] | [.profile_id, .treated] | @tsv'
    """
    told = session.run(_compared(name, period(since), limit))
    if as_json:
        session.print_json(told)
    else:
        _print(told)


def period(written: str) -> timedelta:
    """A duration of the command line. Raises BadParameter."""
    import re

    from schemas.conditions import DURATION
    from schemas.rules import span

    if not re.fullmatch(DURATION, written):
        raise typer.BadParameter("a duration is written 90s, 15m, 4h, 7d or 2w", param_hint="--since")
    return span(written)


async def _compared(name: str, back: timedelta, limit: int) -> dict[str, Any]:
    from hub.api import comparing

    async with session.database() as pool:
        return await comparing.compared(pool, name, back, limit)


def _print(told: dict[str, Any]) -> None:
    from rich.markup import escape
    from rich.table import Table

    typer.secho(told["sentence"], bold=True)
    if told["same_steps"] is False:
        typer.echo("Their steps or exits are not the same: whoever both treat is treated in two ways.")
    if not told["different"]:
        return
    table = Table(box=None, header_style="dim", pad_edge=False)
    sides = ("live" if told["live"] is None else f"live {told['live']}", f"trial {told['trial']}")
    for column in ("who", "event", "at", *sides, "values that differ"):
        table.add_column(column, overflow="fold")
    for one in told["different"]:
        event = f"{escape(one['type'])}\n[dim]{one['event_id']}[/]"
        verdicts = (_verdict(one["live"]), _verdict(one["trial"]))
        table.add_row(_who(one), event, one["at"], *verdicts, escape("\n".join(map(_values, one["values"]))))
    console = session.console()
    console.print(table)
    if told["more"]:
        typer.echo(f"… and {told['more']:,} more: --limit")


def _who(one: dict[str, Any]) -> str:
    from rich.markup import escape

    if one["profile_id"] is None:
        return "[dim]nobody any more[/]"
    names = ", ".join(escape(one[word]) for word in ("name", "email") if one[word])
    return f"{names or 'nameless'}\n[dim]{one['profile_id']}[/]"


def _verdict(side: dict[str, Any] | None) -> str:
    from rich.markup import escape

    if side is None:
        return "[dim]not asked[/]"
    colour = "green" if side["verdict"] in {"fired", "trial"} else "yellow"
    return f"[{colour}]{side['verdict']}[/]\n[dim]{escape(side['reason'])}[/]"


def _side(side: dict[str, Any] | None) -> str:
    if side is None:
        return "not asked"
    return "not counted" if side["truth"] == "unknown" else f"{side['value']!r}: {side['truth']}"


def _values(one: dict[str, Any]) -> str:
    sides = [one["live"], one["trial"]]
    said = [_side(side) for side in sides]
    return f"{one['asked']}  {said[0]} | {said[1]}"


def switch(
    name: Name,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    since: Since = "7d",
    as_json: AsJson = False,
) -> None:
    """The version on trial becomes the live one, for what arrives from now on. Shows first what that changes.

    Who waits ends on the version they began with. Status 1: there is no such rule, or nothing of it is on trial.

    [bold]Examples[/]

        hub rules switch urgent-ticket
        hub rules switch urgent-ticket --yes --json
    """
    if as_json and not yes:
        raise typer.BadParameter("nobody is asked with --json: say --yes", param_hint="--json")
    session.run(_switch(name, period(since), yes, as_json))


async def _switch(name: str, back: timedelta, yes: bool, as_json: bool) -> None:
    from hub.api import comparing

    async with session.database() as pool:
        shown = await comparing.compared(pool, name, back, SHOWN)
        if not as_json:
            _print(shown)
        if not yes and not typer.confirm(f"Take version {shown['trial']} of {name} live?"):
            typer.echo("Nothing was changed.")
            return
        await _take_live(pool, name, shown["trial"])
    said = _line_out(session.settings().rules.folder / f"{name}.yaml", shown["trial"])
    if as_json:
        session.print_json({"name": name, "live": shown["trial"], "before": shown["live"], "file": said})
        return
    typer.echo(f"{name}: version {shown['trial']} is live{_paused(shown['paused'])}.")
    typer.echo(said)


def _paused(paused: bool) -> str:
    return ", and the rule is paused: hub rules resume" if paused else ""


async def _take_live(pool: Pool, name: str, version: int) -> None:
    from getpass import getuser

    from hub.automation.plan import switch as switched
    from hub.storage import rules
    from hub.storage.pool import transaction

    async with transaction(pool) as connection:
        await rules.alone(connection)
        change = switched((await rules.standing(connection))[name])
        if change is None or change.live != version:
            session.fail(f"version {version} of {name} is not on trial any more: somebody was quicker")
        await rules.write(connection, [change], [""], getuser())


def _line_out(file: Path, version: int) -> str:
    """Take `mode: trial` out of the file of a version; says what was done, or what is left to do."""
    from hub.automation.files import read, without_trial
    from schemas.rules import Rule

    try:
        content = file.read_bytes()
        value = read(str(file), content).value
        if not isinstance(value, Rule) or value.version != version:
            return f"{file} does not hold version {version}: it was left as it is."
        if value.mode == "live":
            return f"{file} says so already."
        left = without_trial(str(file), content)
        if left is None:
            return f"Take `mode: trial` out of {file}: it is no line of its own there."
        _replace(file.resolve(), left)
    except FileNotFoundError:
        return f"There is no {file} to take `mode: trial` out of."
    except OSError as error:
        return f"Take `mode: trial` out of {file}: {error.strerror}."
    return f"The line `mode: trial` was taken out of {file}."


def _replace(file: Path, content: bytes) -> None:
    """Write a file whole or not at all."""
    new = file.with_name(f"{file.name}.new")
    new.write_bytes(content)
    shutil.copymode(file, new)
    new.replace(file)
