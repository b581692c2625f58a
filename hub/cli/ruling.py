"""`hub rules apply|list|show|pause|resume`: which rules count."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hub.cli import session

if TYPE_CHECKING:
    from hub.cli.applying import Applied
    from hub.storage.rules import Listed

AsJson = Annotated[bool, typer.Option("--json", help="For programs.")]
Name = Annotated[str, typer.Argument(help="The name of a rule, as `list` has it.", metavar="NAME")]


def apply(
    path: Annotated[Path | None, typer.Argument(help="A file or a folder; default: that of \\[rules].")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would change, and change nothing.")] = False,
    prune: Annotated[bool, typer.Option("--prune", help="Rules without a file end; who waits in one goes on.")] = False,
    as_json: AsJson = False,
) -> None:
    """Take the files over: from now on events are looked at as they say. Status 1: a file is wrong, nothing changes.

    A file with `mode: trial` and a higher version stands beside the live one until a live version comes, or until
    `hub rules switch` takes it live.

    [bold]Examples[/]

        hub rules apply --dry-run
        hub rules apply
        hub rules apply rules/urgent-ticket.yaml
        hub rules apply --prune                  # and end the rules whose files are gone
    """
    if path is not None and not path.exists():
        session.fail(f"{path}: no such file or folder", 2)
    if prune and path is not None and not path.is_dir():
        session.fail("--prune ends every rule that has no file: it takes a folder, not a file", 2)
    applied = session.run(_applied(path, dry_run, prune))
    if as_json:
        session.print_json(
            {"changes": [_plain(applied, name) for name in _names(applied)], "problems": _wrong(applied)}
        )
    else:
        _print(applied, dry_run)
    if applied.is_wrong:
        raise typer.Exit(session.FOUND_WRONG)


async def _applied(path: Path | None, dry_run: bool, prune: bool) -> Applied:
    from getpass import getuser

    from hub.cli import applying

    settings = session.settings()
    folder = path or settings.rules.folder
    if not folder.exists():
        session.fail(f"{folder}: there is no such folder; [rules] in hub.toml names it")
    files = [applying.loaded(file) for file in applying.files_of([folder])]
    wish = applying.Wish(
        files, applying.house_of(settings), getuser(), prune=prune, dry_run=dry_run, mail=bool(settings.mail.relay)
    )
    async with session.database(settings) as pool:
        return await applying.apply(pool, wish)


def _names(applied: Applied) -> list[str]:
    return [one.name for one in applied.changes]


def _plain(applied: Applied, name: str) -> dict[str, Any]:
    (one,) = (change for change in applied.changes if change.name == name)
    return {"name": one.name, "what": one.what, "live": one.live, "trial": one.trial}


def _wrong(applied: Applied) -> list[dict[str, Any]]:
    return [
        {"file": one.file, "line": one.line, "path": one.path, "reason": one.reason, "grade": one.grade}
        for one in applied.problems
    ]


def _print(applied: Applied, dry_run: bool) -> None:
    for one in applied.changes:
        stands = ", ".join(f"{word} {number}" for word, number in (("live", one.live), ("trial", one.trial)) if number)
        typer.echo(f"{one.name}: {'would be ' * (dry_run and one.what != 'unchanged')}{one.what}"
                   f"{f' ({stands})' if stands else ''}")  # fmt: skip
    for problem in applied.problems:
        typer.secho(str(problem), fg="red" if problem.grade == "error" else "yellow")
    if applied.is_wrong:
        typer.echo("Nothing was changed.")
    elif not applied.changes:
        typer.echo("There are no rules here: a rule is a file <name>.yaml, see docs/reference/rules.md.")


def listing(as_json: AsJson = False) -> None:
    """Every rule and segment that was taken over: which version counts, how many wait in it, what it is for.

    What it does, as a sentence: `hub rules show NAME`, or --json.

    [bold]Examples[/]

        hub rules list
        hub rules list --json | jq -r '.rules[] | select(.paused) | .name'
    """
    rows = session.run(_listed())
    if as_json:
        session.print_json({"rules": [_row(one) for one in rows]})
        return
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=None, header_style="dim", pad_edge=False)
    for column in ("rule", "state", "waiting", "what it is for"):
        table.add_column(column, justify="right" if column == "waiting" else "left")
    for one in rows:
        table.add_row(one.name, _state(one), f"{one.waiting:,}", escape(one.about))
    if rows:
        session.console().print(table)
    else:
        typer.echo("No rule was taken over yet: hub rules apply.")


async def _listed() -> list[Listed]:
    from hub.storage import rules

    async with session.database() as pool:
        return await rules.listing(pool)


def _state(one: Listed) -> str:
    stands = [f"{word} {number}" for word, number in (("live", one.live), ("trial", one.trial)) if number]
    return ("paused, " * (one.paused and bool(stands or one.waiting))) + (", ".join(stands) or "retired")


def _row(one: Listed) -> dict[str, Any]:
    from hub.clock import text

    return {**one._asdict(), "changed_at": text(one.changed_at)}


def show(name: Name, as_json: AsJson = False) -> None:
    """A rule: its versions, how often each began a journey, who waits, and how often it decided what.

    [bold]Examples[/]

        hub rules show urgent-ticket
        hub rules show urgent-ticket --json | jq .verdicts
    """
    told = session.run(_shown(name))
    if as_json:
        session.print_json(told)
        return
    typer.secho(f"{told['name']} ({told['state']})", bold=True)
    for one in told["versions"]:
        journeys = f": {one['began']:,} began, {one['waiting']:,} wait" * (told["kind"] == "rule")
        typer.echo(f"  version {one['version']}, taken over {one['applied_at']}{journeys}")
        typer.echo(f"    {one['sentence']}")
    if told["verdicts"]:
        typer.echo("  " + ", ".join(f"{verdict}: {count:,}" for verdict, count in told["verdicts"].items()))


async def _shown(name: str) -> dict[str, Any]:
    import orjson

    from hub.clock import text
    from hub.storage import rules

    async with session.database() as pool:
        listed = {one.name: one for one in await rules.listing(pool)}
        _known(name, list(listed))
        versions, verdicts = await rules.versions(pool, name), await rules.verdicts(pool, name)
    return _row(listed[name]) | {
        "state": _state(listed[name]),
        "versions": [
            {**one._asdict(), "applied_at": text(one.applied_at), "body": orjson.loads(one.body)} for one in versions
        ],
        "verdicts": verdicts,
    }


def _known(name: str, names: list[str]) -> None:
    from hub.automation.problems import no_such

    if name not in names:
        session.fail(no_such("rule", name, names) if names else "no rule was taken over yet: hub rules apply")


def pause(name: Name, as_json: AsJson = False) -> None:
    """A rule begins nothing more, and who waits in it waits on, until `hub rules resume`.

    [bold]Examples[/]

        hub rules pause urgent-ticket
    """
    _turn(name, as_json, paused=True)


def resume(name: Name, as_json: AsJson = False) -> None:
    """A rule goes on with what arrives from now on; what arrived meanwhile sets nothing off.

    [bold]Examples[/]

        hub rules resume urgent-ticket
    """
    _turn(name, as_json, paused=False)


def _turn(name: str, as_json: bool, *, paused: bool) -> None:
    is_new = session.run(_turned(name, paused))
    if as_json:
        session.print_json({"name": name, "paused": paused, "changed": is_new})
    else:
        typer.echo(f"{name} {'is' if is_new else 'was'} {'paused' if paused else 'running'}"
                   f"{'' if is_new else ' already'}.")  # fmt: skip


async def _turned(name: str, paused: bool) -> bool:
    from getpass import getuser

    from hub.storage import rules
    from hub.storage.pool import transaction

    async with session.database() as pool:
        async with transaction(pool) as connection:
            await rules.alone(connection)
            is_new = await rules.pause(connection, name, getuser(), paused=paused)
        if is_new is None:
            listed = await rules.listing(pool)
            _known(name, [one.name for one in listed if one.kind == "rule" and (one.live or one.trial)])
    return bool(is_new)
