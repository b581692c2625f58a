"""Tables of lists: a narrow terminal shows a row on two lines, and cuts nothing off."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from hub.cli.listing import Layout, laid_out

ID = "36608a7a-ff95-88f0-a30e-90768954af2e"
WHEN = "2026-11-22T17:16"
LAYOUT = Layout(("due", "", "title", "customer", "#tries", "id"), ((0, 1), (2, 5), (3, 4)), frozenset({"due", "id"}))


def printed(width: int) -> list[str]:
    screen = io.StringIO()
    console = Console(file=screen, width=width)
    row = (WHEN, "overdue", "Answer the ticket of somebody who just ordered", "Leila Moreau", "3", ID)
    console.print(laid_out(LAYOUT, [row], console))
    return screen.getvalue().splitlines()


@pytest.mark.parametrize("width", [80, 100, 120, 140, 200])
def test_times_and_ids_are_whole_in_a_terminal_of_any_width(width: int) -> None:
    lines = printed(width)
    assert any(WHEN in line for line in lines)
    assert any(ID in line for line in lines)
    assert "…" not in "".join(lines)
    assert max(map(len, lines)) <= width


def test_a_wide_one_has_a_line_for_each() -> None:
    assert len(printed(200)) == 2
    assert printed(80)[0].split() == ["due", "title", "customer"]
    assert printed(80)[1].split() == ["id", "tries"]
