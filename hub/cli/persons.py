"""A profile for people: who, from where, what happened."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table


def render(profile: Mapping[str, Any]) -> RenderableType:
    """A profile with its timeline, as tables."""
    name = profile["fields"].get("name", {}).get("value") or "nameless"
    facts = f"{profile['activities']} activities, version {profile['version']}"
    parts: list[RenderableType] = [f"[bold]{escape(name)}[/]  [dim]{profile['profile_id']}  {facts}[/]"]
    parts += [*_set(profile), ""]
    parts += [_fields(profile["fields"]), "", _records(profile["records"]), "", _timeline(profile["timeline"])]
    return Group(*parts)


def _set(profile: Mapping[str, Any]) -> list[str]:
    """Owner, stage and tags on a line, where there is any."""
    found = [(name, profile[name]) for name in ("owner", "stage") if profile[name]]
    found += [("tags", ", ".join(profile["tags"]))] if profile["tags"] else []
    return ["  ".join(f"[dim]{name}[/] {escape(value)}" for name, value in found)] if found else []


def _fields(fields: Mapping[str, Mapping[str, str]]) -> Table:
    table = _table("field", "value", "from", "said at")
    for field, said in fields.items():
        table.add_row(field, escape(said["value"]), escape(f"{said['source']} {said['key']}"), said["at"])
    return table


def _records(records: list[Mapping[str, str]]) -> Table:
    table = _table("source", "kind", "key")
    for record in records:
        table.add_row(escape(record["source"]), record["kind"], escape(record["key"]))
    return table


def _timeline(entries: list[Mapping[str, str]]) -> Table:
    table = _table("at", "what happened", "source", "event")
    for entry in entries:
        table.add_row(entry["at"], escape(entry["type"]), escape(entry["source"]), f"[dim]{entry['id']}[/]")
    return table


def _table(*columns: str) -> Table:
    table = Table(box=None, header_style="dim", pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    return table
