"""`hub rules`: what happens by itself. Files are checked before anything acts on them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hub.cli import session

if TYPE_CHECKING:
    from hub.automation.files import Loaded
    from hub.automation.problems import Problem

app = typer.Typer(rich_markup_mode="rich", no_args_is_help=True, help="What happens by itself: rules and segments.")

Paths = Annotated[
    list[Path] | None, typer.Argument(help="Files, or folders of them; default: the folder of [rules].", exists=True)
]


@app.callback()
def rules() -> None:
    """What happens by itself: rules and segments."""


@app.command()
def check(
    paths: Paths = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Read rules and segments: each as a sentence, or everything that is wrong with it, by line.

    Warnings are words that may be right and look like a slip of the pen. Status 1: something is wrong.

    [bold]Examples[/]

        hub rules check                          # the folder of [rules] in hub.toml
        hub rules check rules/urgent-ticket.yaml
        hub rules check --json | jq -r '.problems[].reason'
    """
    from hub.automation.checks import check as examine
    from schemas.actions import ACTIONS

    files = files_of(paths) if paths else files_of([session.settings().rules.folder])
    loaded = [_read(file) for file in files]
    beside = {near for file in files for near in file.parent.glob("*.yaml")}.difference(files)
    problems = examine(loaded, ACTIONS, [_read(file) for file in sorted(beside)])
    if as_json:
        session.print_json({"files": [_told(one) for one in loaded], "problems": [_plain(one) for one in problems]})
    else:
        _print(loaded, problems)
    if any(problem.grade == "error" for problem in problems):
        raise typer.Exit(session.FOUND_WRONG)


def files_of(paths: list[Path]) -> list[Path]:
    """The files meant: those named, and every .yaml of a folder, in the order of their names; each once."""
    found = [file for path in paths for file in (sorted(path.glob("*.yaml")) if path.is_dir() else [path])]
    return list(dict.fromkeys(file for file in found if file.exists()))


def _read(file: Path) -> Loaded:
    from hub.automation.files import LARGEST, read

    try:
        with file.open("rb") as content:
            return read(str(file), content.read(LARGEST + 1))
    except OSError as error:
        session.fail(f"{file}: {error.strerror}")


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
