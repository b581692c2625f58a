"""`hub config check`: everything that is wrong with the settings, at once and by name. Never prints a secret."""

from __future__ import annotations

import socket
from importlib import import_module
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from hub.cli import session

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from hub.settings import Listener, Settings

    Finder = Callable[[Settings], Iterator[str]]

app = typer.Typer(rich_markup_mode="rich", no_args_is_help=True, help="The settings: what is wrong with them.")

# Where components say what is wrong with their instances: module, function, table of hub.toml.
CHECKS = (
    ("producers.gateway.instances", "check_sources", "sources"),
    ("producers.gateway.tracking", "check_write_keys", "sources"),
    ("consumers.instances", "check_destinations", "destinations"),
    ("hub.identity.strategies", "check", "survivorship"),
    ("hub.identity.blocklist", "check", "identity"),
    ("hub.leaving", "check", "mail"),
)
SCHEMES = {"postgres.url": ("postgresql", "postgres"), "redis.url": ("redis", "rediss", "unix")}


@app.callback()
def config() -> None:
    """The settings: what is wrong with them."""


@app.command()
def check(
    kinds: Annotated[bool, typer.Option("--kinds", help="List the kinds of sources and destinations instead.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Read hub.toml, the environment and the rules, and name everything that is wrong. Status 1: something is.

    Rules are looked at with what hub.toml has: teams, destinations, the relay. A warning is no reason for status 1.

    [bold]Examples[/]

        hub config check
        hub config check --kinds
        HUB_CONFIG=staging.toml hub config check --json | jq -r '.problems[]'
    """
    if kinds:
        _print_kinds(as_json)
        return
    found = everything_found()
    if as_json:
        session.print_json({"problems": found.wrong, "warnings": found.odd})
    else:
        for colour, told in (("red", found.wrong), ("yellow", found.odd)):
            for one in told:
                typer.secho(one, fg=colour)
        if not found.wrong:
            typer.echo("The settings are fine." if not found.odd else "Nothing is wrong.")
    if found.wrong:
        raise typer.Exit(session.FOUND_WRONG)


class Found(NamedTuple):
    """What is wrong with the settings, and what only looks so: a sentence each, beginning with the setting's name."""

    wrong: list[str]
    odd: list[str]


def everything_found() -> Found:
    """Everything that is wrong with the settings and with the rules that they name."""
    from hub.errors import Misconfigured

    try:
        settings = session.settings()
    except Misconfigured as error:
        return Found(str(error).splitlines(), [])
    finders: tuple[Finder, ...] = (_components, _password, _keys, _addresses, _listeners)
    found = Found([problem for find in finders for problem in find(settings)], [])
    for grade, problem in _rules(settings):
        (found.wrong if grade == "error" else found.odd).append(f"rules.folder: {problem}")
    return found


def _password(settings: Settings) -> Iterator[str]:
    from hub.errors import Misconfigured
    from hub.settings import read_secret

    file = settings.mail.password_file
    if file is not None:
        try:
            if not read_secret(file):
                yield f"mail.password_file: {file} is empty"
        except Misconfigured as error:
            yield f"mail.password_file: {error}"


def _rules(settings: Settings) -> Iterator[tuple[str, str]]:
    """Grade and words of what there is to say of the rules."""
    from hub.cli.applying import wrong_as_it_stands
    from hub.errors import Misconfigured

    folder = settings.rules.folder
    if "folder" in settings.rules.model_fields_set and not folder.is_dir():
        yield "warning", f"{folder}: warning: there is no such folder"
    try:
        problems = wrong_as_it_stands(settings)
    except Misconfigured as error:
        yield "error", str(error)
        return
    for one in problems:
        yield one.grade, str(one)


def _components(settings: Settings) -> Iterator[str]:
    for module, function, table in CHECKS:
        if getattr(settings, table):
            examine: Callable[[Settings], list[str]] = getattr(import_module(module), function)
            yield from examine(settings)


def _keys(settings: Settings) -> Iterator[str]:
    from hub.errors import Misconfigured
    from hub.settings import key_secret

    owners: dict[str, str] = {}
    for name, key in settings.keys.items():
        try:
            secret = key_secret(name, key)
        except Misconfigured as error:
            yield str(error) if str(error).startswith("keys.") else f"keys.{name}.secret_file: {error}"
            continue
        if secret in owners:
            yield f"keys.{name}: the same secret as keys.{owners[secret]}, so nobody could tell who speaks"
        if not key.scopes:
            yield f"keys.{name}.scopes: opens nothing"
        owners.setdefault(secret, name)


def _addresses(settings: Settings) -> Iterator[str]:
    from urllib.parse import urlsplit

    for name, url in (("postgres.url", settings.postgres.url), ("redis.url", settings.redis.url)):
        scheme = urlsplit(url).scheme if url else SCHEMES[name][0]
        if scheme not in SCHEMES[name]:
            yield f"{name}: begins with {SCHEMES[name][0]}://, not with {scheme or 'nothing'}"
    for server in settings.kafka.servers:
        host, _, port = server.rpartition(":")
        if not host or not _is_port(port):
            yield f"kafka.servers: {server!r} is no host:port"


def _listeners(settings: Settings) -> Iterator[str]:
    seen: dict[int, str] = {}
    for name, listener in (("gateway", settings.gateway), ("console", settings.console)):
        host, _, port = listener.listen.rpartition(":")
        if not host or not _is_port(port):
            yield f"{name}.listen: {listener.listen!r} is no host:port"
            continue
        if listener.port and listener.port in seen:
            yield f"{name}.listen: port {listener.port} is that of {seen[listener.port]}.listen"
        seen[listener.port] = name
        problem = taken(listener)
        if problem and not ours_runs(settings):
            yield f"{name}.listen: {listener.listen}: {problem}"


def _is_port(written: str) -> bool:
    return written.isascii() and written.isdigit() and int(written) < 65_536


def taken(listener: Listener) -> str | None:
    """Why nobody can listen there, or None."""
    family = socket.AF_INET6 if ":" in listener.host else socket.AF_INET
    try:
        with socket.create_server((listener.host, listener.port), family=family):
            return None
    except OSError as error:
        return error.strerror or str(error)


def ours_runs(settings: Settings) -> bool:
    """Whether a hub runs on this state folder: the one that is listening may be ours."""
    from hub.cli.lock import held

    return held(settings.state)


def _print_kinds(as_json: bool) -> None:
    found: dict[str, Any] = {}
    for table, module, registry in (
        ("sources", "producers.sources", "SOURCES"),
        ("destinations", "consumers.destinations", "DESTINATIONS"),
    ):
        found[table] = {kind.name: kind.description for kind in getattr(import_module(module), registry)}
    if as_json:
        session.print_json(found)
        return
    for table, kinds in found.items():
        typer.echo(f"{table}:")
        for name, description in sorted(kinds.items()):
            typer.echo(f"  {name:<12} {description}")
