"""`hub rules`: what happens by itself. Files are checked before anything acts on them."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hub.cli import rule_reasons, ruling, session, trials

if TYPE_CHECKING:
    from hub.automation.files import Loaded
    from hub.automation.problems import Problem

app = typer.Typer(rich_markup_mode="rich", no_args_is_help=True, help="What happens by itself: rules and segments.")
app.command()(ruling.apply)
app.command("list")(ruling.listing)
app.command()(ruling.show)
app.command()(rule_reasons.explain)
app.command()(trials.compare)
app.command()(trials.switch)
app.command()(ruling.pause)
app.command()(ruling.resume)

Paths = Annotated[
    list[Path] | None, typer.Argument(help="Files, or folders of them; default: the folder of \\[rules].", exists=True)
]


@app.callback()
def rules() -> None:
    """What happens by itself: rules and segments."""


@app.command()
def check(
    paths: Paths = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Read rules, their templates and segments: each as a sentence, or everything that is wrong with it, by line.

    Warnings are words that may be right and look like a slip of the pen. Status 1: something is wrong.

    [bold]Examples[/]

        hub rules check                          # that of `folder` in hub.toml
        hub rules check rules/urgent-ticket.yaml
        hub rules check --json | jq -r '.problems[].reason'
    """
    from hub.cli.applying import examined, files_of, loaded

    read = [session.told(partial(loaded, file)) for file in files_of(paths or [session.settings().rules.folder])]
    _, problems = session.told(lambda: examined(read))
    if as_json:
        session.print_json({"files": [_told(one) for one in read], "problems": [_plain(one) for one in problems]})
    else:
        _print(read, problems)
    if any(problem.grade == "error" for problem in problems):
        raise typer.Exit(session.FOUND_WRONG)


def _told(one: Loaded) -> dict[str, Any]:
    from hub.automation.sentences import sentence
    from schemas.actions import ACTIONS

    told: dict[str, Any] = {"file": one.where.file, "kind": None, "name": None, "version": None, "sentence": None}
    if one.value is not None:
        told |= {"kind": type(one.value).__name__.lower(), "name": one.value.name, "version": one.value.version}
        told |= {"sentence": sentence(one.value, ACTIONS)}
    return told


def _plain(problem: Problem) -> dict[str, Any]:
    return {
        "file": problem.file,
        "line": problem.line,
        "path": problem.path,
        "reason": problem.reason,
        "grade": problem.grade,
    }


def _print(loaded: list[Loaded], problems: list[Problem]) -> None:
    refused = {problem.file for problem in problems if problem.grade == "error"}
    for one in map(_told, loaded):
        if one["file"] not in refused:
            typer.secho(f"{one['name']} ({one['kind']}, version {one['version']})", bold=True)
            typer.echo(f"  {one['sentence']}")
    for problem in problems:
        typer.secho(str(problem), fg="red" if problem.grade == "error" else "yellow")
    if not loaded:
        typer.echo("There are no rules here: a rule is a file <name>.yaml, see docs/reference/rules.md.")
