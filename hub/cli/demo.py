"""`hub demo`: a hub of its own, a simulated company that keeps it busy, and a live table of what becomes of it."""

from __future__ import annotations

from pathlib import Path
from secrets import token_urlsafe
from typing import TYPE_CHECKING, Annotated

import typer

from hub.cli import session

if TYPE_CHECKING:
    from hub.cli.demo_run import Stage, Wishes
    from hub.demo.company import Plan
    from hub.demo.folder import Folder
    from hub.demo.tools import Outage

app = typer.Typer(rich_markup_mode="rich")

USUAL = {"gateway": 8080, "console": 8090, "inbox": 2525}
"""Ports of the two listeners, where nobody else has them."""
LONGEST_OUTAGE, OUTAGE_AGAIN = 12.0, 120.0
"""Seconds that one of the tools is out, and after which it is out again."""


@app.command()
def demo(
    exits: Annotated[bool, typer.Option("--exit", help="End when all is done, and stop every server.")] = False,
    summary: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the counts of this run as JSON.", dir_okay=False)
    ] = None,
    seed: Annotated[int, typer.Option(help="Another number is another company.")] = 7,
    events: Annotated[int, typer.Option(min=1, help="Requests that come quickly; without --exit, more follow.")] = 480,
    people: Annotated[int, typer.Option(min=1, max=720, help="How many people there are.")] = 120,
    rate: Annotated[float, typer.Option(min=0.1, max=500, help="Quick requests per second.")] = 12.0,
) -> None:
    """A simulated company at work, on a hub of its own: what comes in, what it becomes, what waits, who is told.

    People write to two forms, call and buy; some requests are sent twice,
    some events are told days late, and one of three tools is out for a while.
    Rules assign, remind and write mails, which a mailbox keeps as files; a day
    of theirs lasts five seconds, and some of the people answer.
    Everything is real but the people. The data stays in the state folder
    (HUB_STATE), and a second start sends the same events: all are dropped.

    [bold]Examples[/]

        hub demo                                      # until Ctrl-C
        hub demo --exit --summary demo.json           # two minutes, then counts
        hub demo --seed 8 --people 400 --rate 40      # another company
        HUB_CONFIG=var/demo/hub.toml hub lag --watch  # beside a running demo
    """
    from hub.cli.demo_run import Wishes

    if summary and not summary.resolve().parent.is_dir():
        raise typer.BadParameter(f"there is no folder {summary.parent}", param_hint="--summary")
    session.told(lambda: _perform(Wishes(exits, summary, seed, events, people, rate)))


def _perform(wishes: Wishes) -> None:
    from hub import embedded
    from hub.cli.demo_run import run
    from hub.demo.company import Plan
    from hub.demo.folder import Folder

    folder = Folder(_state())
    with folder.alone():
        began, is_first = folder.first_start()  # raises before the servers of a real hub are touched
        try:
            plan = Plan(wishes.seed, wishes.people, wishes.events, wishes.rate, began)
            stage = _staged(wishes, folder, plan, is_first=is_first)
            is_well = session.run(run(stage))
        finally:
            if wishes.exits:
                with embedded.terminal() as report:
                    embedded.stop(folder.state, report)
    if not is_well:
        raise typer.Exit(session.FOUND_WRONG)


def _state() -> Path:
    """The demo's folder: never the one that a hub.toml names, for that is somebody's real hub."""
    import platformdirs

    from hub.settings import environment

    named = environment().get("HUB_STATE")
    return Path(named or platformdirs.user_data_dir("hub-demo")).expanduser().resolve()


def _staged(wishes: Wishes, folder: Folder, plan: Plan, *, is_first: bool) -> Stage:
    """The tools' ports, hub.toml, and the servers. Raises Misconfigured."""
    from hub.cli.demo_run import Stage
    from hub.demo import tools as departments
    from hub.demo.mailbox import Mailbox
    from hub.demo.posts import KEYS, SIGNED
    from hub.settings import load

    keys = {name: token_urlsafe(24) for name in (*KEYS, *SIGNED)}
    tools = {name: departments.Tool(name) for name in departments.NAMES}
    tools[departments.OUT].outage = _outage(wishes.events / wishes.rate)
    doors = departments.doors()
    told = {name: (tool, departments.address(doors[name])) for name, tool in tools.items()}
    letter_box, mailbox = departments.door(), Mailbox(folder.mailbox)
    mailbox.open()
    folder.write_rules(_shipped())
    folder.write_settings(_listeners(), keys, told, departments.place(letter_box))
    settings = session.resolved(load(folder.settings))
    return Stage(wishes, plan, is_first, folder, settings, keys, tools, doors, mailbox, letter_box)


def _shipped() -> dict[str, bytes]:
    """The rules that come with the hub, and their mails."""
    from importlib.resources import as_file, files

    with as_file(files("hub.automation") / "shipped") as folder:
        return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*.*") if file.is_file()}


def _outage(quick_seconds: float) -> Outage:
    """Within the quick part of the run, however short it is, and now and then while somebody goes on watching."""
    from hub.demo.tools import Outage

    lasts = min(LONGEST_OUTAGE, quick_seconds * 0.3)
    return Outage(begins=quick_seconds * 0.2, lasts=lasts, every=max(OUTAGE_AGAIN, quick_seconds))


def _listeners() -> dict[str, str]:
    """The usual addresses, or free ports where somebody else has them."""
    from hub.embedded.ports import LOOPBACK, keep_or_choose

    return {name: f"{LOOPBACK}:{keep_or_choose(str(port))}" for name, port in USUAL.items()}
