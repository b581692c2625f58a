"""An explanation for people: why one person, why not, who decided, what moved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table

Told = Mapping[str, Any]


def render(told: Told) -> RenderableType:
    """`GET /api/profiles/{id}/why` as tables."""
    names = {record["id"]: f"{record['source']} {record['key']}" for record in told["records"]}
    parts: list[RenderableType] = [f"[bold]{told['profile_id']}[/]  [dim]rules {told['rules']}[/]", ""]
    parts += [_records(told["records"])]
    parts += _edges("one person, because", told["joined"], names)
    parts += _edges("kept apart from others", told["apart"], names)
    parts += _decisions(told["decisions"])
    parts += _operations(told["operations"], names)
    if told["redirects"]:
        parts += ["", "[bold]ids that lead here[/]", *told["redirects"]]
    return Group(*parts)


def _records(records: Sequence[Told]) -> Table:
    table = _table("record", "kind", "names", "first heard of", "events", "")
    for number, one in enumerate(records):
        trust = "" if one["trusted"] else "untrusted"
        name = f"{one['source']} {one['key']}" + ("  [dim](founder)[/]" if number == 0 else "")
        table.add_row(
            escape(name) if number else name,
            one["kind"],
            escape(", ".join(one["names"])),
            one["first_at"],
            str(one["activities"]),
            trust,
        )
    return table


def _edges(title: str, edges: Sequence[Told], names: Mapping[str, str]) -> list[RenderableType]:
    if not edges:
        return []
    table = _table("record", "and", "reason")
    for one in edges:
        far = f"a record of {(one['other_profile'] or '?')[:8]}…"
        table.add_row(*(escape(names.get(one[end], far)) for end in ("one", "other")), escape(one["sentence"]))
    return ["", f"[bold]{title}[/]", table]


def _decisions(decisions: Sequence[Told]) -> list[RenderableType]:
    if not decisions:
        return []
    table = _table("decision", "what", "at", "by", "reason", "")
    for one in decisions:
        force = "in force" if one["in_force"] else "not in force"
        table.add_row(one["id"], one["type"], one["at"], escape(one["by"] or ""), escape(one["reason"] or ""), force)
    return ["", "[bold]decisions[/]", table]


def _operations(operations: Sequence[Told], names: Mapping[str, str]) -> list[RenderableType]:
    if not operations:
        return []
    table = _table("operation", "at", "because of", "what moved")
    for one in operations:
        moves = [f"{names.get(move['record'], move['record'])} → {move['to'][:8]}…" for move in one["moves"]]
        table.add_row(str(one["operation"]), one["at"], one["cause_type"] or "the rules", escape(", ".join(moves)))
    return ["", "[bold]operations[/]  [dim]undo one: hub profiles undo N[/]", table]


def _table(*columns: str) -> Table:
    table = Table(box=None, header_style="dim", pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    return table
