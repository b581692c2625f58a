"""The live table: what came in, what it became, what waits, what was told. Plain lines where no terminal looks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from hub import clock

WIDEST = 104
LOW_ROWS, TALL_MORE, NEWS_LEAST = 23, 17, 4
"""Rows of everything but the news, the cursor's among them; how many more there must be for all that rules did, and how
many of these are left for news."""
LETTERS = 9
LINE_SECONDS = 5.0
TWO_HUNDREDS = range(200, 300)


@dataclass(frozen=True, slots=True)
class Heard:
    """A tool: how often it was told something new, how often it turned the hub away, what waits for it."""

    told: int = 0
    turned_away: int = 0
    waits: int = 0
    last: int | None = None
    is_out: bool = False


@dataclass(frozen=True, slots=True)
class ByItself:
    """What rules did: how often each, what they held back, mails that went out, waits that a reply or silence ended.

    `waits` are customers on their way through a rule, `coming` mails and answers on theirs.
    """

    fired: Mapping[str, int] = field(default_factory=dict)
    held: int = 0
    mails: int = 0
    replies: int = 0
    silences: int = 0
    waits: int = 0
    coming: int = 0

    @property
    def actions(self) -> int:
        """Everything that was done."""
        return sum(self.fired.values())


@dataclass(frozen=True, slots=True)
class Picture:
    """Everything that the table shows at one moment. `came_in` holds requests and repeats among them by department."""

    doing: str = ""
    seconds: float = 0.0
    planned: int | None = None
    came_in: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    people: int = 0
    activities: int = 0
    merges: int = 0
    dropped: int = 0
    dead_letters: int = 0
    lag: Mapping[str, tuple[int, float | None]] = field(default_factory=dict)
    outbox: int = 0
    tools: Mapping[str, Heard] = field(default_factory=dict)
    by_itself: ByItself = ByItself()
    news: Sequence[str] = ()
    letters: Sequence[str] = ()

    @property
    def events(self) -> int:
        """Requests that were taken in."""
        return sum(count for count, _ in self.came_in.values())

    @property
    def waiting(self) -> str:
        """What still waits, in words; empty where nothing does."""
        groups = {name: messages for name, (messages, _) in self.lag.items() if messages}
        parts = [f"{messages} in Kafka for {name}" for name, messages in groups.items()]
        parts += [f"{self.outbox} in the outbox"] if self.outbox else []
        parts += [f"{tool.waits} for {name}" for name, tool in self.tools.items() if tool.waits]
        parts += [f"{self.by_itself.waits} on the way through a rule"] if self.by_itself.waits else []
        parts += [f"{self.by_itself.coming} mails"] if self.by_itself.coming else []
        return ", ".join(parts)


def board(picture: Picture, height: int = 40) -> RenderableType:
    """The table, for a terminal of so many rows: a low one says what rules did in one line."""
    is_low = height < LOW_ROWS + TALL_MORE
    quarters = Table.grid(expand=True, padding=(0, 4, 0, 0))
    quarters.add_column(ratio=1)
    quarters.add_column(ratio=1)
    quarters.add_row(_came_in(picture), _became(picture))
    quarters.add_row("", "")
    quarters.add_row(_waits(picture), _was_told(picture))
    if not is_low:
        quarters.add_row("", "")
        quarters.add_row(_by_itself(picture), _letters(picture))
    parts: list[RenderableType] = [_head(picture), "", quarters]
    parts += ["", Text(f"By itself  {acted(picture)}", overflow="ellipsis", no_wrap=True)] if is_low else []
    rows = height - LOW_ROWS - (0 if is_low else TALL_MORE - NEWS_LEAST)
    if rows > 0:
        parts += ["", Text("Just now", style="bold")]
        news = picture.news[-rows:] or ["nothing that the tools did not know"]
        parts += [Text(one, overflow="ellipsis", no_wrap=True) for one in news]
    return Group(*parts)


def acted(picture: Picture) -> str:
    """What rules did, in words."""
    done = picture.by_itself
    return f"{done.actions:,} actions, {done.mails:,} mails, {done.held:,} held back, {done.waits:,} wait"


def _head(picture: Picture) -> Text:
    planned = f" of {picture.planned:,}" if picture.planned and picture.events <= picture.planned else ""
    minutes, seconds = divmod(int(picture.seconds), 60)
    text = Text(f"{picture.doing}  ", style="bold", overflow="ellipsis", no_wrap=True)
    return text.append(f"{picture.events:,}{planned} events, {minutes}:{seconds:02}", style="dim")


def _quarter(title: str, explained: str, table: Table) -> Group:
    """A heading with a word of explanation, and what stands under it."""
    heading = Text(title, style="bold", overflow="ellipsis", no_wrap=True)
    return Group(heading.append(f"  {explained}", style="dim not bold"), table)


def _table(*columns: str) -> Table:
    """Columns of which all but the first are numbers."""
    table = Table(box=None, pad_edge=False, expand=True, header_style="dim")
    for place, column in enumerate(columns):
        table.add_column(column, justify="right" if place else "left", no_wrap=True, ratio=None if place else 1)
    return table


def _came_in(picture: Picture) -> Group:
    table = _table("department", "events", "sent again")
    for source, (count, again) in picture.came_in.items():
        table.add_row(source, f"{count:,}", f"{again:,}")
    return _quarter("Came in", "and is safe on Kafka", table)


def _became(picture: Picture) -> Group:
    table = _table("what", "how many")
    table.add_row("people", f"[bold]{picture.people:,}[/]")
    table.add_row("new things they did", f"{picture.activities:,}")
    table.add_row("profiles merged into others", f"{picture.merges:,}")
    table.add_row("repeats dropped", f"{picture.dropped:,}")
    table.add_row("dead letters", f"[red]{picture.dead_letters:,}[/]" if picture.dead_letters else "0")
    return _quarter("Became", "one profile per person", table)


def _waits(picture: Picture) -> Group:
    table = _table("group", "records", "behind")
    for group, (messages, seconds) in picture.lag.items():
        behind = "" if seconds is None else f"{seconds:.1f} s"
        table.add_row(group, _busy(messages), behind)
    table.add_row("outbox, for Kafka", _busy(picture.outbox), "")
    return _quarter("Waits", "to be read by each consumer", table)


def _was_told(picture: Picture) -> Group:
    table = _table("tool", "told", "sent away", "waits", "last")
    for name, tool in picture.tools.items():
        style = "green" if tool.last in TWO_HUNDREDS else "yellow"
        last = f"[{style}]{tool.last}[/]" if tool.last else ""
        table.add_row(name, f"{tool.told:,}", f"{tool.turned_away:,}", _busy(tool.waits), last)
    out = [name for name, tool in picture.tools.items() if tool.is_out]
    return _quarter("Was told", f"{', '.join(out)} is out for now" if out else "by signed webhooks", table)


def _by_itself(picture: Picture) -> Group:
    table = _table("rule", "did something")
    done = picture.by_itself
    for name, count in done.fired.items():
        table.add_row(name, f"{count:,}")
    table.add_row("held back, with a reason", f"{done.held:,}")
    table.add_row("waits ended by a reply", f"{done.replies:,}")
    table.add_row("waits ended in silence", f"{done.silences:,}")
    table.add_row("customers who wait in a rule", _busy(done.waits))
    return _quarter("By itself", "a day lasts five seconds", table)


def _letters(picture: Picture) -> Group:
    table = Table.grid()
    table.add_column(no_wrap=True, overflow="ellipsis")
    for letter in picture.letters[-LETTERS:] or ["none yet"]:
        table.add_row(Text(letter, overflow="ellipsis", no_wrap=True))
    return _quarter(f"Mails  {picture.by_itself.mails:,}", "the last ones, as they went out", table)


def _busy(count: int) -> str:
    return f"[yellow]{count:,}[/]" if count else "0"


def line(picture: Picture) -> str:
    """A moment on one line."""
    told = ", ".join(f"{name} {tool.told}" for name, tool in picture.tools.items())
    known = f"{picture.people} people, {picture.merges} merges, {picture.dropped} repeats dropped"
    waiting = sum(messages for messages, _ in picture.lag.values()) + picture.outbox
    waiting += sum(tool.waits for tool in picture.tools.values())
    waiting += picture.by_itself.waits + picture.by_itself.coming
    acted = f"{picture.by_itself.actions} actions, {picture.by_itself.mails} mails"
    return f"{picture.seconds:5.0f} s  {picture.events} events in; {known}; told: {told}; {acted}; {waiting} wait"


class Screen:
    """Shows pictures: at a terminal in place, elsewhere as a line now and then."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console()
        if self._console.is_terminal and self._console.width > WIDEST:
            self._console.width = WIDEST
        self._live = Live(console=self._console, auto_refresh=False, vertical_overflow="crop")
        self._next_line = 0.0

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def show(self, picture: Picture, *, last: bool = False) -> None:
        """Show this moment; the last one in any case."""
        if self._console.is_terminal:
            self._live.update(board(picture, self._console.height), refresh=True)
        elif last or clock.monotonic() >= self._next_line:
            self._next_line = clock.monotonic() + LINE_SECONDS
            self.say(line(picture))

    def say(self, text: str) -> None:
        """A sentence."""
        self._console.print(escape(text), highlight=False, soft_wrap=not self._console.is_terminal)
