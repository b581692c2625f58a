"""The command line as a whole: quick help, examples everywhere, and errors without tracebacks."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hub.cli import COMMANDS, app, session
from hub.cli.lag import render, span
from hub.errors import HubError, Misconfigured, Reject, Retry
from hub.settings import Settings

command = CliRunner()
HEAVY = ("fastapi", "aiokafka", "asyncpg", "pydantic", "jgo", "rich.live", "uvicorn", "sqlalchemy")
PLACES = [
    *([name] for name in ("init", "serve", "lag", "topics", "doctor", "schemas")),
    *(["profiles", name] for name in ("export", "lookup", "show", "resolve")),
    *(["profiles", name] for name in ("assign", "stage", "tag", "note", "call")),
    *(["dead-letters", name] for name in ("list", "show", "retry")),
    *(["deliveries", name] for name in ("list", "show", "retry")),
    *(["duplicates", name] for name in ("list", "show", "decide")),
    *(["rules", name] for name in ("check", "apply", "list", "show", "explain", "pause", "resume")),
    *(["tasks", name] for name in ("list", "add", "done", "wait", "reopen", "drop", "assign", "postpone")),
    *(["pool", name] for name in ("list", "take")),
    *(["sources", name] for name in ("list", "test")),
    ["config", "check"],
    *(["embedded", name] for name in ("start", "status", "stop", "env")),
]


LOADED = f"""
import sys
from hub.cli import app
app(['--help'], standalone_mode=False)
print(*[name for name in {HEAVY} if name in sys.modules])
"""


def test_help_of_the_program_imports_nothing_heavy() -> None:
    found = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, text=True, check=True)
    assert found.stdout.splitlines()[-1].strip() == ""
    assert "dead-letters" in found.stdout


@pytest.mark.parametrize("words", PLACES, ids=" ".join)
def test_every_help_teaches_by_example(words: list[str]) -> None:
    answer = command.invoke(app, [*words, "--help"])
    assert answer.exit_code == 0
    assert "Examples" in answer.stdout
    assert f"hub {' '.join(words)}" in answer.stdout
    assert "install-completion" not in answer.stdout


@pytest.mark.parametrize(
    "words",
    [
        ["lgap"],
        ["lag", "--whatever"],
        ["profiles"],
        ["profiles", "lookup"],
        ["dead-letters", "retry"],
        ["profiles", "assign", "x"],
        ["profiles", "assign", "x", "eve@example.com", "--pool"],
        ["profiles", "tag", "x"],
        ["tasks", "assign", "x"],
        ["tasks", "list", "--bucket", "someday"],
        ["pool", "take", "x"],
    ],
)
def test_wrong_use_is_status_2(words: list[str]) -> None:
    assert command.invoke(app, words).exit_code == 2


def test_every_command_of_the_list_has_its_file() -> None:
    for name, entry in COMMANDS.items():
        assert entry.brief.endswith("."), name
        if name != "demo":
            assert Path("hub/cli", f"{entry.module}.py").exists()


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (Retry("Kafka does not answer"), "Kafka does not answer\n     `hub doctor`"),
        (Misconfigured("keys.crm: no secret"), "keys.crm: no secret\n     Mend it"),
        (Reject("this is no phone"), "hub: this is no phone\n"),
        (ExceptionGroup("tasks", [ExceptionGroup("inner", [Retry("away")])]), "hub: away\n"),
    ],
)
def test_what_the_hub_says_on_purpose_comes_without_a_traceback(
    error: Exception, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    async def work() -> None:
        raise error

    with pytest.raises(SystemExit) as end:
        session.run(work())
    assert end.value.code == 1
    assert said in capsys.readouterr().err


def test_a_mistake_of_our_own_keeps_its_traceback() -> None:
    async def work() -> None:
        raise ExceptionGroup("tasks", [Retry("away"), ZeroDivisionError()])

    with pytest.raises(ExceptionGroup):
        session.run(work())


def test_without_a_running_hub_a_command_says_so(tmp_path: Path) -> None:
    with pytest.raises(HubError, match=r"the hub is not running on .*\nStart it with `hub serve`"):
        session.resolved(Settings(state=tmp_path), start=False)


def test_configured_servers_are_taken_as_they_are(tmp_path: Path) -> None:
    found = Settings.model_validate(
        {
            "state": tmp_path,
            "kafka": {"servers": ["k:9092"]},
            "postgres": {"url": "postgresql://p/hub"},
            "redis": {"url": "redis://r"},
        }
    )
    assert session.resolved(found) is found


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (None, ""),
        (0, "0 s"),
        (0.04, "0.0 s"),
        (4.21, "4.2 s"),
        (119, "119.0 s"),
        (180, "3.0 min"),
        (2_419_200, "28.0 d"),
    ],
)
def test_spans_are_said_as_people_say_them(seconds: float | None, said: str) -> None:
    assert span(seconds) == said


def test_the_table_of_lag_shows_the_worst_of_each_topic() -> None:
    from rich.console import Console

    place = {"group": "profiles", "topic": "inbound.forms"}
    rows = [
        place | {"partition": 0, "messages": 5, "seconds": 2.0, "state": "ok", "seconds_to_loss": 500.0},
        place | {"partition": 1, "messages": 7, "seconds": 9.0, "state": "stalled", "seconds_to_loss": 400.0},
    ]
    queue = {"pending": 0, "oldest_seconds": None}
    tool = {"pending": 2, "sending": 0, "retry": 1, "dead": 4, "oldest_seconds": 3.0}
    report = {"groups": rows, "outbox": queue, "timers": queue, "dead_letters": 1}
    console = Console(width=120)
    with console.capture() as shown:
        console.print(render(report | {"deliveries": tool | {"destinations": {"sales": tool}}}))
    line = next(line for line in shown.get().splitlines() if "inbound.forms" in line)
    assert line.split() == ["profiles", "inbound.forms", "12", "9.0", "s", "6.7", "min", "stalled"]
    assert "deliveries to sales, 4 dead" in shown.get()
