"""`hub funnel`: who stands in which stage, who goes on, and how long it takes."""

from __future__ import annotations

from collections.abc import Coroutine, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from hub.cli import session
from hub.cli.listing import Layout, laid_out
from hub.cli.trials import period

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.table import Table

WIDEST = 24
"""Cells of the longest bar."""
_STANDING = Layout(
    ("who", "#for", "since", "owner", "profile"), ((0, 4), (2, 1), (3,)), frozenset({"since", "profile"})
)
ROOMY = 100
"""Columns of a terminal in which the report has room."""
UNITS = ((86_400, "d"), (3600, "h"), (60, "min"))


def funnel(
    since: Annotated[str, typer.Option(help="How far back: 24h, 30d, 12w.", metavar="DURATION")] = "90d",
    stage: Annotated[str | None, typer.Option(help="Who stands in this one, the longest first.")] = None,
    profile: Annotated[str | None, typer.Option(help="The way of one profile, by its id.", metavar="ID")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="With --stage: profiles at the most.")] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """For each stage: who stands there, who came, went on, back and out, and how long it takes.

    The stages are those of `funnel` in hub.toml. Status 1: there is no such stage or profile.

    [bold]Examples[/]

        hub funnel
        hub funnel --since 30d --json | jq '.stages[] | {stage, conversion}'
        hub funnel --stage lead --limit 10      # who has waited longest
        hub funnel --profile 9c5f1de2-55c0-8a50-9d2f-6f0f3f7a9b11
    """
    if stage is not None and profile is not None:
        raise typer.BadParameter("--stage and --profile are two questions: ask one of them")
    told = session.run(_asked(period(since), stage, profile, limit))
    if as_json:
        session.print_json(told)
        return
    show = _way if profile is not None else _standing if stage is not None else _report
    console = session.console()
    console.print(show(told, console))


async def _asked(back: timedelta, stage: str | None, profile: str | None, limit: int) -> dict[str, Any]:
    from hub.api import funnel as api

    settings = session.settings()
    async with session.database(settings) as pool:
        asked: Coroutine[Any, Any, dict[str, Any]]
        if profile is not None:
            asked = api.way(pool, profile)
        elif stage is not None:
            asked = api.standing(pool, settings.funnel, stage, limit)
        else:
            asked = api.report(pool, settings.funnel, back)
        return await asked


def _report(told: Mapping[str, Any], console: Console) -> RenderableType:
    from rich.console import Group

    rows: list[Mapping[str, Any]] = [*told["stages"], *told["others"]]
    most = max([one["now"] for one in rows], default=0)
    table = _table(
        "stage", "#now", "", "#came", "#on", "#back", "#out",
        "#further", "#there for", "#longest", "#stayed", "#longest",
    )  # fmt: skip
    table.collapse_padding = console.width < ROOMY
    for column in table.columns:
        column.no_wrap = column.header not in {"", "stage"}  # the bar gives way first
    for one in rows:
        table.add_row(*_row(one, most, strange=one in told["others"]))
    since = f"[dim]came, on, back, out, further and stayed: since {told['since']}; times are medians[/]"
    return Group(table, f"[dim]without a stage[/] {told['without']:,}", since)


def _row(one: Mapping[str, Any], most: int, *, strange: bool) -> list[RenderableType]:
    from rich.bar import Bar
    from rich.markup import escape

    name = f"[yellow]{escape(one['stage'])}[/] [dim]not in hub.toml[/]" if strange else escape(one["stage"])
    share = "" if one["conversion"] is None else f"{one['conversion']:.0%}"
    counts = [f"{one[word]:,}" for word in ("came", "went_on", "went_back", "went_out")]
    bar = Bar(max(most, 1), 0, one["now"], width=WIDEST, color="cyan")
    times = [lasting(one[word][which]) for word in ("standing_seconds", "stayed_seconds")
             for which in ("median", "longest")]  # fmt: skip
    return [name, f"{one['now']:,}", bar, *counts, share, *times]


def _standing(told: Mapping[str, Any], console: Console) -> RenderableType:
    from rich.console import Group
    from rich.markup import escape

    rows = []
    for one in told["profiles"]:
        who = ", ".join(escape(one[word]) for word in ("name", "email") if one[word]) or "nameless"
        owner = escape(one["owner"] or "nobody")
        rows.append((who, lasting(one["seconds"]), one["since"][:19], owner, f"[dim]{one['profile_id']}[/]"))
    left = told["now"] - len(told["profiles"])
    more = [f"… and {left:,} more: --limit"] if left else []
    return Group(f"[bold]{escape(told['stage'])}[/]  {told['now']:,}", laid_out(_STANDING, rows, console), *more)


def _way(told: Mapping[str, Any], _console: Console) -> RenderableType:
    from rich.console import Group
    from rich.markup import escape

    table = _table("stage", "since", "#for", "by")
    for one in told["stages"]:
        table.add_row(escape(one["stage"]), one["since"], lasting(one["seconds"]), escape(one["by"]))
    name = escape(told["name"] or told["email"] or "nameless")
    return Group(f"[bold]{name}[/]  [dim]{told['profile_id']}[/]", table if told["stages"] else "no stage yet")


def lasting(seconds: float | None) -> str:
    """A time for people: `12.3 d`, `4.0 h`, `5.0 min`, `12 s`."""
    if seconds is None:
        return ""
    return next((f"{seconds / size:.1f} {unit}" for size, unit in UNITS if seconds >= size), f"{seconds:.0f} s")


def _table(*columns: str) -> Table:
    """A table; a column whose name begins with `#` holds numbers."""
    from rich.table import Table

    table = Table(box=None, header_style="dim", pad_edge=False)
    for column in columns:
        justify: Literal["left", "right"] = "right" if column.startswith("#") else "left"
        table.add_column(column.removeprefix("#"), justify=justify, overflow="fold")
    return table
