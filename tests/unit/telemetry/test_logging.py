"""Log lines: JSON for programs, and nothing in them that is not on the list."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from hub.telemetry.logging import configure


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """What is logged, and everything as it was afterwards."""
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    out = io.StringIO()
    configure(out=out)
    yield out
    root.handlers[:] = before
    root.setLevel(level)
    structlog.reset_defaults()


def test_a_line_is_json_with_its_time_and_logger(lines: io.StringIO) -> None:
    structlog.get_logger("hub.test").warning("store_away", group="profiles", error="gone")
    line = json.loads(lines.getvalue())
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "store_away",
        "group": "profiles",
        "error": "gone",
        "level": "warning",
        "logger": "hub.test",
    }


def test_payloads_and_addresses_of_people_do_not_get_into_the_log(lines: io.StringIO) -> None:
    structlog.get_logger("hub.test").info("read", email="ann@example.com", body=b"x", data={"a": 1}, source="web")
    assert "ann@example.com" not in lines.getvalue()
    assert set(json.loads(lines.getvalue())) == {"event", "source", "level", "logger", "timestamp"}


def test_lines_of_other_libraries_look_the_same(lines: io.StringIO) -> None:
    logging.getLogger("somebody").error("it %s", "broke")
    assert json.loads(lines.getvalue())["event"] == "it broke"
    logging.getLogger("aiokafka").info("chatter")
    assert "chatter" not in lines.getvalue()


def test_an_error_brings_its_traceback_and_a_long_text_is_cut(lines: io.StringIO) -> None:
    try:
        raise ValueError("no " * 2000)
    except ValueError:
        structlog.get_logger("hub.test").exception("failed")
    line = json.loads(lines.getvalue())
    assert line["exception"].startswith("Traceback")
    assert line["exception"].endswith("…")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_at_a_terminal_a_line_is_pairs(lines: io.StringIO) -> None:
    screen = Terminal()
    configure(out=screen)
    structlog.get_logger("hub.test").info("retry", group="profiles", attempt=2)
    assert screen.getvalue().endswith("level=info event=retry group=profiles attempt=2 logger=hub.test\n")
