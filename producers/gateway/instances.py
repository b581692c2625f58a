"""The source instances of hub.toml, read once: which kind, whose settings, and what goes with every answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from hub.components import Request, Source
from hub.errors import Misconfigured
from hub.settings import Instance as Table
from hub.settings import Settings
from producers.gateway.records import Edge
from producers.sources import SOURCES


@dataclass(frozen=True, slots=True)
class Instance:
    """A source that is set up: `POST /in/{name}`. `heeds` are the headers that its `read` looks at."""

    name: str
    source: Source
    settings: Any
    edge: Edge
    heeds: tuple[str, ...]

    def heeded(self, request: Request) -> dict[str, str]:
        """Those headers, as far as they are there: without them a dead letter could not be read again."""
        return {name: request.headers[name] for name in self.heeds if name in request.headers}


def instances(settings: Settings) -> dict[str, Instance]:
    """Every source instance by its name. Raises Misconfigured that lists everything wrong, one on a line."""
    problems = check_sources(settings)
    if problems:
        raise Misconfigured("\n".join(problems))
    return {name: _instance(name, table) for name, table in settings.sources.items()}


def check_sources(settings: Settings) -> list[str]:
    """What is wrong with the sources of hub.toml, each by its name: `sources.web-eu.keys: Field required`."""
    return [problem for name, table in settings.sources.items() for problem in _problems(name, table)]


def _problems(name: str, table: Table) -> list[str]:
    try:
        _instance(name, table)
    except Misconfigured as unknown:
        return [f"sources.{name}.kind: {unknown}"]
    except ValidationError as error:
        return [
            f"{'.'.join(str(part) for part in ('sources', name, *at['loc']))}: {at['msg']}" for at in error.errors()
        ]
    return []


def _instance(name: str, table: Table) -> Instance:
    source = SOURCES[table.kind]
    settings = source.settings.model_validate(table.own)
    trust = getattr(settings, "trust", None)
    edge = Edge(name, public=source.public if trust is None else not trust, topic=source.topic)
    return Instance(name, source, settings, edge, tuple(sorted(source.heeds(settings))))
