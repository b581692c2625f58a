"""`hub lag`: how far every consumer is behind, and what waits beside Kafka."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hub.cli import session

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from rich.console import RenderableType
    from rich.table import Table

app = typer.Typer(rich_markup_mode="rich")

COLOURS = {
    "ok": "green",
    "slow": "yellow",
    "unknown": "magenta",
    "rewound": "cyan",
    "stalled": "bold red",
    "stopped": "bold red",
}
LOOK_SECONDS = 2.0


@app.command()
def lag(
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Look again every two seconds, until Ctrl-C.")] = False,
    partitions: Annotated[bool, typer.Option("--partitions", help="A line per partition, not per topic.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For programs: the same as GET /api/lag.")] = False,
) -> None:
    """How far every consumer is behind, and what waits beside Kafka.

    Seconds are the age of the first record that was not read. States:
    [green]ok[/] · [yellow]slow[/]: the lag only grows · [red]stalled[/]: nothing moves ·
    [red]stopped[/]: nobody reads · [cyan]rewound[/]: reads again what it had read ·
    [magenta]unknown[/]: nothing to tell it from, yet

    [bold]Examples[/]

        hub lag
        hub lag --watch
        hub lag --json | jq '[.groups[].messages] | add'
        hub lag --json | jq -e 'all(.groups[]; .messages == 0)'
    """
    if watch:
        with suppress(KeyboardInterrupt):
            session.run(_watch(partitions))
        return
    report = session.run(_once())
    if as_json:
        session.print_json(report)
    else:
        session.console().print(render(report, partitions=partitions))


async def _once() -> dict[str, Any]:
    from consumers.monitor import Monitor

    settings = session.resolved(session.settings(), start=False)
    async with session.database(settings) as pool, Monitor(settings, pool) as monitor:
        return await monitor.report()


async def _watch(partitions: bool) -> None:
    import asyncio

    from rich.live import Live

    from consumers.monitor import Monitor
    from hub.errors import Retry

    settings = session.resolved(session.settings(), start=False)
    with Live(console=session.console(), auto_refresh=False) as live:
        async with session.database(settings) as pool, Monitor(settings, pool) as monitor:
            while True:
                try:
                    shown: RenderableType = render(await monitor.report(), partitions=partitions)
                except Retry as error:
                    shown = f"[red]{error}[/]"
                live.update(shown, refresh=True)
                await asyncio.sleep(LOOK_SECONDS)


def render(report: Mapping[str, Any], *, partitions: bool = False) -> RenderableType:
    """The report for people."""
    from rich.console import Group

    rows = report["groups"] if partitions else _topics(report["groups"])
    return Group(_table(rows, partitions), "", _rooms(report))


def _table(rows: Iterable[Mapping[str, Any]], partitions: bool) -> Table:
    from rich.table import Table

    table = Table(box=None, header_style="dim", pad_edge=False)
    numbers = ("partition", "messages", "behind", "to loss")
    for column in ("group", "topic", *(("partition",) if partitions else ()), "messages", "behind", "to loss", "state"):
        table.add_column(column, justify="right" if column in numbers else "left")
    for row in rows:
        part = (str(row["partition"]),) if partitions else ()
        state = f"[{COLOURS[row['state']]}]{row['state']}[/]"
        to_loss = "" if row["seconds_to_loss"] is None else span(row["seconds_to_loss"])
        messages = f"{row['messages']:,}"
        table.add_row(row["group"], row["topic"], *part, messages, span(row["seconds"]), to_loss, state)
    return table


def _topics(rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """One row per group and topic: messages added up, seconds and states the worst of its partitions."""
    from hub.telemetry.lagstate import WORST

    found: dict[tuple[str, str], dict[str, Any]] = {}
    for row in rows:
        place = (row["group"], row["topic"])
        known = found.setdefault(place, {**row, "messages": 0})
        known["messages"] += row["messages"]
        known["state"] = max(known["state"], row["state"], key=WORST.__getitem__)
        known["seconds"] = _worse(max, known["seconds"], row["seconds"])
        known["seconds_to_loss"] = _worse(min, known["seconds_to_loss"], row["seconds_to_loss"])
    return list(found.values())


def _worse(choose: Any, one: float | None, other: float | None) -> float | None:
    known = [seconds for seconds in (one, other) if seconds is not None]
    return choose(known) if known else None


def _rooms(report: Mapping[str, Any]) -> Table:
    """What waits beside Kafka."""
    from rich.table import Table

    table = Table(box=None, header_style="dim", pad_edge=False)
    for column in ("waiting", "how many", "longest"):
        table.add_column(column, justify="left" if column == "waiting" else "right")
    table.add_row("outbox, for Kafka", *_queue(report["outbox"]))
    for name, tool in report["deliveries"]["destinations"].items():
        dead = f", [red]{tool['dead']} dead[/]" if tool["dead"] else ""
        waiting = tool["pending"] + tool["sending"] + tool["retry"]
        table.add_row(f"deliveries to {name}{dead}", f"{waiting:,}", span(tool["oldest_seconds"]))
    table.add_row("timers", *_queue(report["timers"]))
    letters = report["dead_letters"]
    table.add_row("dead letters", f"[red]{letters:,}[/]" if letters else "0", "")
    return table


def _queue(queue: Mapping[str, Any]) -> tuple[str, str]:
    return f"{queue['pending']:,}", span(queue["oldest_seconds"])


def span(seconds: float | None) -> str:
    """Seconds as people say them: `0 s`, `4.2 s`, `3 min`, `5.2 h`, `27.9 d`; nothing where they are not known."""
    if seconds is None:
        return ""
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.1f} {unit}"
    return f"{seconds:.1f} s" if seconds else "0 s"
