"""`hub schemas`: the published contracts; written anew, or checked against what is committed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hub.cli import session

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hub.cli.contracts import Json

app = typer.Typer(rich_markup_mode="rich")

BREAKING = """a breaking change: whoever builds on this has to change something.
Keep what was there; or raise the version, tell it in the changelog, and: hub schemas --write --breaking"""


@app.command()
def schemas(
    name: Annotated[str | None, typer.Argument(help="Print this one: form.submitted, asyncapi, openapi …")] = None,
    write: Annotated[bool, typer.Option("--write", help="Write the files. Refuses what breaks others.")] = False,
    breaking: Annotated[bool, typer.Option("--breaking", help="Write them all the same.")] = False,
    check: Annotated[bool, typer.Option("--check", help="Are the files what the code says?")] = False,
    folder: Annotated[Path, typer.Option(help="Where the files are.")] = Path("docs"),
    as_json: Annotated[bool, typer.Option("--json", help="All of them in one object.")] = False,
) -> None:
    """The contracts that others build on: JSON Schema per message, AsyncAPI for the topics, OpenAPI for HTTP.

    Status 1 with --check: a file is stale, or the change breaks others.

    [bold]Examples[/]

        hub schemas                      # their names
        hub schemas form.submitted       # one of them
        hub schemas --write              # after a change of the code
        hub schemas --check              # in the build
    """
    from hub.cli.contracts import contracts

    made = contracts()
    if check:
        _check(made, folder)
    elif write:
        _write(made, folder, breaking)
    elif as_json:
        session.print_json(made)
    else:
        _print(made, name)


def _print(made: Mapping[str, Json], name: str | None) -> None:
    from hub.cli.contracts import written

    names = {path.rpartition("/")[2].removesuffix(".json"): path for path in made}
    if name is None:
        typer.echo("\n".join(names))
    elif name in names:
        typer.echo(written(made[names[name]]), nl=False)
    else:
        raise typer.BadParameter(f"there is no {name!r}; `hub schemas` lists them", param_hint="NAME")


def _check(made: Mapping[str, Json], folder: Path) -> None:
    from hub.cli.contracts import written

    committed = _committed(folder)
    broken = breaks(committed, made)
    if broken:
        session.fail("\n".join([*broken, BREAKING]))
    stale = [path for path in sorted(made.keys() | committed.keys()) if made.get(path) != committed.get(path)]
    stale += [path for path in made if path not in stale and (folder / path).read_text("utf-8") != written(made[path])]
    if stale:
        session.fail("\n".join([*(f"{folder / path}: stale" for path in stale), "hub schemas --write"]))
    typer.echo(f"{len(made)} contracts are what the code says.")


def _write(made: Mapping[str, Json], folder: Path, breaking: bool) -> None:
    from hub.cli.contracts import written

    committed = _committed(folder)
    broken = breaks(committed, made)
    if broken and not breaking:
        session.fail("\n".join([*broken, BREAKING]))
    for path, contract in made.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(written(contract), encoding="utf-8")
    for path in committed.keys() - made.keys():
        (folder / path).unlink()
    typer.echo(f"{len(made)} contracts written to {folder}/.")


def _committed(folder: Path) -> dict[str, Json]:
    files = [*folder.glob("schemas/*.json"), folder / "asyncapi.json", folder / "openapi.json"]
    return {str(file.relative_to(folder)): json.loads(file.read_text("utf-8")) for file in files if file.exists()}


def breaks(committed: Mapping[str, Json], made: Mapping[str, Json]) -> list[str]:
    """What a change from the committed contracts to these breaks for others, one sentence each. Pure."""
    from hub.cli.compatibility import http_breaks, schema_breaks, topic_breaks
    from hub.cli.contracts import is_inbound

    found = []
    for path, before in sorted(committed.items()):
        after = made.get(path)
        if after is None:
            sentences = ["is gone"]
        elif path == "asyncapi.json":
            sentences = topic_breaks(before, after)
        elif path == "openapi.json":
            sentences = http_breaks(before, after)
        else:
            sentences = schema_breaks(before, after, "inbound" if is_inbound(path) else "outbound")
        found += [f"{path}: {sentence}" for sentence in sentences]
    return found
