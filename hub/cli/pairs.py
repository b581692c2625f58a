"""Suspected duplicates for people: the queue, and two people side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table

Told = Mapping[str, Any]
_COLOURS = {"equal": "green", "similar": "yellow", "different": "red", "only one": "dim"}
_BANDS = {"likely": "green", "possible": "yellow"}


def queue(page: Told, state: str) -> RenderableType:
    """`GET /api/duplicates` as a table."""
    pairs = page["duplicates"]
    if not pairs:
        return f"no {state} pairs"
    table = _table("sure", "who", "for", "against", "pair")
    for pair in pairs:
        names = f"{pair['one']['name']} and {pair['other']['name']}"
        table.add_row(_sure(pair), escape(names), escape(_for(pair)), _signed(pair["reasons"], "−"), pair["id"])
    more = [f"[dim]more: --before {page['next']}[/]"] if page["next"] else []
    return Group(table, *more)


def side_by_side(pair: Told) -> RenderableType:
    """`GET /api/duplicates/{rec_a}~{rec_b}` as tables."""
    one, other = pair["one"]["name"], pair["other"]["name"]
    parts: list[RenderableType] = [
        f"[bold]{escape(one)} and {escape(other)}[/]  [dim]{pair['id']}[/]",
        f"{_sure(pair)}, {pair['state']} since {pair['since']}",
        f"why the hub did not decide itself: {escape(pair['why'])}",
        "",
        _fields(pair),
        "",
        _reasons(pair["reasons"]),
        *_before(pair["before"]),
        *_effects(pair["same"]),
    ]
    return Group(*parts)


def _sure(pair: Told) -> str:
    if pair["band"] is None:
        return "a rule asks"
    return f"[{_BANDS[pair['band']]}]{pair['band']}[/], {pair['chance']}"


def _for(pair: Told) -> str:
    found = _signed(pair["reasons"], "+")
    return f"{pair['why']}; {found}" if pair["source"] == "refused" else found


def _signed(reasons: Sequence[Told], sign: str) -> str:
    return ", ".join(f"{_words(one['trait'])} {one['level']}" for one in reasons if sign in one["sign"])


def _words(trait: str) -> str:
    return {"given": "given name", "family": "family name"}.get(trait, trait.replace("_", " "))


def _fields(pair: Told) -> Table:
    one, other = (f"{pair[end]['name']} ({pair[end]['record'][:8]}…)" for end in ("one", "other"))
    table = _table("field", escape(one), escape(other), "verdict")
    for row in pair["fields"]:
        verdict = f"[{_COLOURS[row['verdict']]}]{row['verdict']}[/]"
        table.add_row(_words(row["field"]), escape(row["one"]), escape(row["other"]), verdict)
    return table


def _reasons(reasons: Sequence[Told]) -> Table:
    """How the score comes about; what one of the two does not say weighs nothing, and is left out."""
    table = _table("trait", "compared", "says")
    for one in reasons:
        if one["sign"]:
            table.add_row(_words(one["trait"]), one["level"], one["sign"])
    return table


def _before(decisions: Sequence[Told]) -> list[RenderableType]:
    if not decisions:
        return []
    table = _table("decided before", "at", "by", "reason", "")
    for one in decisions:
        force = "in force" if one["in_force"] else "not in force"
        table.add_row(one["type"], one["at"], escape(one["by"] or ""), escape(one["reason"] or ""), force)
    return ["", table]


def _effects(same: Told | None) -> list[RenderableType]:
    if same is None:
        return []
    merges = [f"{one['profile_id']} takes in {', '.join(one['absorbed'])}" for one in same["merges"]]
    return ["", "[bold]if they are one person[/]", *merges]


def _table(*columns: str) -> Table:
    table = Table(box=None, header_style="dim", pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    return table
