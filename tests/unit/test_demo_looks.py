"""What the demo counts, keeps and shows."""

from __future__ import annotations

import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from rich.console import Console

from hub.cli.demo_looks import Fates
from hub.demo.folder import Folder
from hub.demo.posts import DEPARTMENTS
from hub.demo.screen import LOW_ROWS, TALL_MORE, ByItself, Heard, Picture, Screen, board, line
from hub.demo.tools import Tool
from hub.errors import Misconfigured
from hub.identity.ids import as_text, event_id
from hub.settings import check
from producers.gateway.instances import check_sources

BEGAN = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
RULES = ("first-order", "left-cart", "new-lead", "open-complaint", "urgent-ticket")
ONE, TWO, THREE = (event_id("crm", str(number)) for number in range(3))


def test_a_repeat_within_the_run_and_an_event_of_an_earlier_one_are_dropped() -> None:
    fates = Fates(BEGAN)
    fates.add([as_text(ONE), as_text(ONE), as_text(TWO), as_text(THREE)])
    assert (fates.accepted, fates.dropped, len(fates.pending)) == (4, 0, 3)
    fates.settle({ONE: BEGAN + timedelta(seconds=1), TWO: BEGAN - timedelta(days=1)})
    assert (fates.dropped, fates.pending) == (2, {THREE})
    fates.add([as_text(ONE), as_text(TWO)])
    fates.settle({THREE: BEGAN})
    assert (fates.accepted, fates.dropped, fates.pending) == (6, 4, set())


def test_the_first_start_is_kept(tmp_path: Path) -> None:
    began, is_first = Folder(tmp_path).first_start()
    assert is_first
    assert Folder(tmp_path).first_start() == (began, False)


def test_a_folder_of_a_real_hub_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "postgres").mkdir()
    with pytest.raises(Misconfigured, match="no demo"):
        Folder(tmp_path).first_start()
    assert not (tmp_path / "demo.json").exists()


def test_a_first_start_that_nobody_can_read_is_said(tmp_path: Path) -> None:
    (tmp_path / "demo.json").write_text("{}")
    with pytest.raises(Misconfigured, match="unreadable"):
        Folder(tmp_path).first_start()


def test_the_settings_of_the_demo_are_right_and_closed_to_others(tmp_path: Path) -> None:
    folder = Folder(tmp_path / 'a "strange" folder')
    folder.first_start()
    listeners = {"gateway": "127.0.0.1:1", "console": "127.0.0.1:2", "inbox": "127.0.0.1:4"}
    secrets = {"crm": "secret", "shop": "secret", "desk": "secret"}
    folder.write_settings(listeners, secrets, {"sales": (Tool("sales"), "http://127.0.0.1:3/hub")}, "127.0.0.1:5")
    found = check(tomllib.loads(folder.settings.read_text()))
    assert (found.state, found.gateway.port, list(found.destinations)) == (folder.state, 1, ["sales"])
    assert {*found.sources} == {"contact-form", "offer-form", "inbox", "shop", "desk"}
    assert check_sources(found) == []
    assert (found.rules.folder, found.mail.relay, {*found.teams}) == (folder.rules, "127.0.0.1:5", {"sales", "service"})
    assert found.rules.time_scale * 86_400 == pytest.approx(5, rel=1e-3)
    assert folder.settings.stat().st_mode & 0o077 == 0


def a_picture() -> Picture:
    return Picture(
        doing="The company is at work",
        seconds=83,
        planned=480,
        came_in=dict.fromkeys(DEPARTMENTS, (1234, 56)),
        people=1234,
        lag=dict.fromkeys(("profiles", "sync.marketing", "sync.sales", "sync.service"), (1234, 12.3)),
        outbox=12,
        tools={
            name: Heard(1234, 567, 89, 503, is_out=name == "marketing") for name in ("sales", "service", "marketing")
        },
        by_itself=ByItself(dict.fromkeys(RULES, 12), 3, 1234, 5, 6, 78, 9),
        letters=[f"somebody.with.a.long.address{number}@example.com: May we still help you?" for number in range(50)],
        news=[f"Somebody with quite a long name, number {number}" * 3 for number in range(50)],
    )


@pytest.mark.parametrize(("width", "height"), [(80, 24), (80, 39), (120, 40), (120, 60), (80, 22)])
def test_the_table_fits_the_terminal_and_no_line_of_it_is_broken(width: int, height: int) -> None:
    console = Console(width=width, height=height, force_terminal=True, color_system=None, record=True)
    console.print(board(a_picture(), height))
    rows = console.export_text().splitlines()
    assert len(rows) < height
    assert rows[-1].startswith("Somebody" if height > LOW_ROWS else "By itself  60 actions, 1,234 mails")
    assert any("customers who wait in a rule" in row for row in rows) is (height >= LOW_ROWS + TALL_MORE)
    assert sum("web forms" in row and "people" in row for row in rows) == 1
    assert sum("profiles" in row and "sales" in row for row in rows) == 1
    assert any("Was told  marketing is out for now" in row for row in rows)


def test_elsewhere_a_moment_is_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    screen = Screen(Console(width=80, force_terminal=False))
    with screen:
        screen.show(a_picture())
        screen.show(a_picture())
        screen.show(a_picture(), last=True)
    printed = capsys.readouterr().out.splitlines()
    assert printed == [line(a_picture())] * 2
    assert "6170 events in; 1234 people" in printed[0]


def test_what_waits_is_said_by_name() -> None:
    assert Picture(lag={"profiles": (0, 0.0)}).waiting == ""
    assert Picture(lag={"profiles": (3, 0.1)}, outbox=2, tools={"sales": Heard(waits=4)}).waiting == (
        "3 in Kafka for profiles, 2 in the outbox, 4 for sales"
    )
