"""`hub doctor`: the most likely troubles, each with what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from hub.cli import session

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hub.cli.diagnosis import Finding

app = typer.Typer(rich_markup_mode="rich")
MARKS = {"ok": "[green]✓[/]", "warning": "[yellow]![/]", "wrong": "[red]✗[/]"}


@app.command()
def doctor(as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False) -> None:
    """Look for the most likely troubles, and say what to do about each. Status 1: something is wrong.

    Settings, ports, disk, the private servers, versions, tables, topics,
    clocks, rules, the mail relay, consumers without members,
    what has waited too long.
    It changes nothing.

    [bold]Examples[/]

        hub doctor
        hub doctor --json | jq '.findings[] | select(.verdict == "wrong")'
    """
    from hub.cli.diagnosis import examine

    findings = session.run(examine())
    if as_json:
        session.print_json({"findings": [finding._asdict() for finding in findings]})
    else:
        _print(findings)
    if any(finding.verdict == "wrong" for finding in findings):
        raise typer.Exit(session.FOUND_WRONG)


def _print(findings: Sequence[Finding]) -> None:
    from rich.markup import escape
    from rich.table import Table

    table = Table.grid(padding=(0, 1))
    for finding in findings:
        table.add_row(MARKS[finding.verdict], f"[bold]{finding.about}[/]", escape(finding.found))
        if finding.verdict != "ok" and finding.advice:
            table.add_row("", "", f"[dim]→[/] {escape(finding.advice)}")
    session.console().print(table)
