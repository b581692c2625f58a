"""`hub profiles resolve`: everybody once more, by the rules of today."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hub.cli import session

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.progress import Progress

    from consumers.reviewing import Page

MOST_SHOWN = 50
AsJson = Annotated[bool, typer.Option("--json", help="For programs.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would become of whom, and write nothing.")]


def resolve(dry_run: DryRun = False, as_json: AsJson = False) -> None:
    """Who is who, asked again for everybody, after an upgrade that changed the rules.

    Fields are chosen again as well, where the table survivorship of
    hub.toml is another one. The hub may run meanwhile. Where the rules are the same nothing is written.

    [bold]Examples[/]

        hub profiles resolve --dry-run
        hub profiles resolve
        hub profiles resolve --dry-run --json | jq '.splits | length'
    """
    report = session.run(_resolve(dry_run))
    if as_json:
        session.print_json(report.as_json())
        return
    session.console().print(_render(report, "would change" if dry_run else "changed"))


@dataclass(slots=True)
class Report:
    """What a walk over everybody came to; `names` says who the ids are."""

    groups: int = 0
    changed: int = 0
    merges: dict[str, list[str]] = field(default_factory=dict)
    splits: dict[str, list[str]] = field(default_factory=dict)
    values: dict[tuple[str, str], tuple[str, str]] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)

    def add(self, page: Page) -> None:
        """Take a page in."""
        from hub.identity.ids import as_text

        self.groups += page.groups
        self.changed += len(page.review.changes.profiles)
        self.values |= page.review.values
        for told in page.review.changes.profiles:
            profile = as_text(told.person.profile)
            for kept, others in ((self.merges, told.absorbed), (self.splits, told.parts)):
                if others:
                    kept.setdefault(profile, []).extend(as_text(other) for other in others)
                    self.names |= {as_text(one): _name(page, one) for one in (told.person.profile, *others)}

    def as_json(self) -> dict[str, Any]:
        """What programs get; `values` say from what to what their state goes: link, shared or blocked."""
        from hub.identity.resolve import RULES

        return {
            "rules": RULES,
            "groups": self.groups,
            "changed": self.changed,
            "merges": [{"profile_id": one, "absorbed": others} for one, others in sorted(self.merges.items())],
            "splits": [{"profile_id": one, "parts": others} for one, others in sorted(self.splits.items())],
            "values": [
                {"type": namespace, "value": value, "was": was, "is": now}
                for (namespace, value), (was, now) in sorted(self.values.items())
            ],
        }


def _name(page: Page, profile: bytes) -> str:
    """What people call the founder of a profile: an e-mail, else what its source knows it by."""
    known = page.rows[profile].known
    email = known.evidence.fields.get("email")
    return email.value if email else f"{known.source} {known.key[1]}"


async def _resolve(dry_run: bool) -> Report:
    from contextlib import aclosing

    from consumers.reviewing import review
    from hub.identity import blocklist
    from hub.identity.strategies import rules
    from hub.storage.review import count_groups

    settings, report = session.settings(), Report()
    blocklist.apply(settings)
    async with session.database(settings) as pool:
        with _progress() as bar:
            task = bar.add_task("groups", total=await count_groups(pool))
            async with aclosing(review(pool, rules(settings), dry_run=dry_run)) as pages:
                async for page in pages:
                    report.add(page)
                    bar.update(task, completed=report.groups)
    return report


def _progress() -> Progress:
    """A bar at a terminal, on standard error; nothing elsewhere."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
        disable=not sys.stderr.isatty(),
    )


def _render(report: Report, verb: str) -> RenderableType:
    from rich.console import Group
    from rich.markup import escape
    from rich.table import Table

    told = report.as_json()
    parts: list[RenderableType] = [f"{report.groups} groups, rules {told['rules']}: {report.changed} profiles {verb}"]
    values = [(one["type"], one["value"], f"{one['was']} → {one['is']}") for one in told["values"]]
    for title, rows in (
        ("takes in", list(_people(report, report.merges))),
        ("lets go", list(_people(report, report.splits))),
        ("value", values),
    ):
        if not rows:
            continue
        table = Table(box=None, header_style="dim", pad_edge=False)
        for column in ("type", "value", "state") if title == "value" else ("profile", "who", title):
            table.add_column(column, overflow="fold")
        for row in rows[:MOST_SHOWN]:
            table.add_row(*map(escape, row))
        parts += ["", table]
        if len(rows) > MOST_SHOWN:
            parts.append(f"… and {len(rows) - MOST_SHOWN} more: --json lists all")
    return Group(*parts)


def _people(report: Report, found: Mapping[str, list[str]]) -> Iterable[tuple[str, str, str]]:
    for profile, others in sorted(found.items()):
        names = ", ".join(report.names[other] for other in others[:MOST_SHOWN])
        yield profile, report.names[profile], names if len(others) <= MOST_SHOWN else f"{names}, …"
