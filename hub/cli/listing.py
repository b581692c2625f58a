"""Tables of lists: a row is a line, or two where the terminal is narrow; no time and no id is ever cut off."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console
    from rich.table import Table

_ENDLESS = 10_000
"""Columns of a terminal in which everything has room."""


class Layout(NamedTuple):
    """The names of the columns (`#` before one of numbers), and which cells stand below each other where it is narrow.

    `whole` are those that are never broken: times and ids.
    """

    columns: Sequence[str]
    narrow: Sequence[tuple[int, ...]]
    whole: frozenset[str]


def laid_out(layout: Layout, rows: Sequence[Sequence[str]], console: Console) -> Table:
    """The table, as wide as it wants to be where that has room. Cells are Rich's markup."""
    wide = _table(layout, rows, [(place,) for place in range(len(layout.columns))])
    wanted = console.measure(wide, options=console.options.update(max_width=_ENDLESS)).maximum
    return wide if wanted <= console.width else _table(layout, rows, layout.narrow)


def _table(layout: Layout, rows: Sequence[Sequence[str]], groups: Sequence[tuple[int, ...]]) -> Table:
    from rich.table import Table

    table = Table(box=None, header_style="dim", pad_edge=False)
    for group in groups:
        names = [layout.columns[place] for place in group]
        numbers: Literal["left", "right"] = "right" if all(name.startswith("#") for name in names) else "left"
        heading = "\n".join(name.removeprefix("#") for name in names)
        whole = bool(layout.whole.intersection(names))
        table.add_column(heading, justify=numbers, overflow="fold", no_wrap=whole)
    for row in rows:
        table.add_row(*("\n".join(row[place] for place in group) for group in groups))
    return table
