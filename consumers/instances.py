"""The destination instances of hub.toml, read once: which kind, with whose settings."""

from __future__ import annotations

from pydantic import ValidationError

from consumers.destinations import DESTINATIONS
from consumers.tools import Manners, Tool
from hub.errors import Misconfigured
from hub.settings import Instance, Settings


def instances(settings: Settings) -> dict[str, Tool]:
    """Every destination instance by its name. Raises Misconfigured that lists everything wrong, one on a line."""
    if problems := check_destinations(settings):
        raise Misconfigured("\n".join(problems))
    return {name: _tool(name, table) for name, table in settings.destinations.items()}


def check_destinations(settings: Settings) -> list[str]:
    """What is wrong with the destinations of hub.toml, each by its name: `destinations.sales.url: Field required`."""
    return [problem for name, table in settings.destinations.items() for problem in _problems(name, table)]


def _problems(name: str, table: Instance) -> list[str]:
    try:
        _tool(name, table)
    except Misconfigured as unknown:
        return [f"destinations.{name}.kind: {unknown}"]
    except ValidationError as error:
        return [_sentence(name, at["loc"], at["msg"]) for at in error.errors()]
    return []


def _sentence(name: str, place: tuple[int | str, ...], message: str) -> str:
    return f"{'.'.join(map(str, ('destinations', name, *place)))}: {message.removeprefix('Value error, ')}"


def _tool(name: str, table: Instance) -> Tool:
    destination = DESTINATIONS[table.kind]
    own = destination.settings.model_validate(table.own)
    if not isinstance(own, Manners):
        raise TypeError(f"the settings of the kind {destination.name} are no consumers.tools.Manners")
    return Tool(name, destination, own)
