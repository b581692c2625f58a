"""`hub config check` names everything that is wrong at once, and prints no secret."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hub.cli import app
from hub.cli.config import everything_found

command = CliRunner()


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A hub.toml that the settings are read from; nothing else reaches them."""
    file = tmp_path / "hub.toml"
    for name in ("HUB_KAFKA__SERVERS", "HUB_POSTGRES__URL", "HUB_REDIS__URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HUB_CONFIG", str(file))
    monkeypatch.setenv("HUB_STATE", str(tmp_path / "state"))
    return file


PORTS = '[gateway]\nlisten = "127.0.0.1:0"\n[console]\nlisten = "127.0.0.1:0"\n'


def test_what_init_writes_is_fine(write: Path) -> None:
    assert command.invoke(app, ["init", str(write)]).exit_code == 0
    assert write.stat().st_mode & 0o777 == 0o600
    found = [problem for problem in everything_found().wrong if ".listen" not in problem]
    assert found == []


def test_init_overwrites_only_by_force(write: Path) -> None:
    write.write_text("mine")
    answer = command.invoke(app, ["init", str(write)])
    assert (answer.exit_code, write.read_text()) == (1, "mine")
    assert "--force" in answer.stderr
    assert command.invoke(app, ["init", str(write), "--force"]).exit_code == 0
    assert write.read_text() != "mine"


WRONG = """
[kafka]
servers = ["nobody"]
[postgres]
url = "mysql://x"
[redis]
url = "localhost:6379"
[keys.both]
secret = "s3cret-one"
secret_file = "/nowhere/else"
[keys.none]
scopes = ["profiles:read"]
[keys.closed]
secret = "s3cret-two"
[keys.twin]
secret = "s3cret-two"
scopes = ["profiles:read"]
[mail]
unsubscribe = "https://hub.example.com"
secret_file = "/nowhere/else"
relay = "127.0.0.1:25"
from = "hello@example.com"
user = "hub"
password_file = "/nowhere/password"
[rules]
folder = "/nowhere/rules"
[sources.form]
kind = "web_from"
[sources.web]
kind = "web_form"
[destinations.sales]
kind = "webhook"
"""
SAID = (
    "kafka.servers: 'nobody'",
    "postgres.url: begins with postgresql://",
    "redis.url: begins with redis://",
    "keys.both",
    "keys.none: needs `secret`",
    "keys.closed.scopes: opens nothing",
    "keys.twin: the same secret as keys.closed",
    "sources.form.kind: no source of kind 'web_from'; there are",
    "sources.web.keys: Field required",
    "destinations.sales",
    "mail.secret_file: /nowhere/else",
    "mail.password_file: /nowhere/password",
    "rules.folder: /nowhere/rules: warning: there is no such folder",
)


def test_everything_wrong_is_said_at_once_by_name(write: Path) -> None:
    write.write_text(PORTS + WRONG)
    answer = command.invoke(app, ["config", "check"])
    assert answer.exit_code == 1
    assert [name for name in SAID if name not in answer.stdout] == []
    assert "s3cret" not in answer.stdout


def test_a_file_that_is_no_toml_is_one_problem(write: Path) -> None:
    write.write_text("[gateway")
    answer = command.invoke(app, ["config", "check", "--json"])
    assert answer.exit_code == 1
    (problem,) = json.loads(answer.stdout)["problems"]
    assert str(write) in problem


def test_a_port_that_somebody_has_is_wrong(write: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = busy.getsockname()[1]
        write.write_text(f'[gateway]\nlisten = "127.0.0.1:{port}"\n[console]\nlisten = "127.0.0.1:0"\n')
        (problem,) = everything_found().wrong
    assert problem.startswith(f"gateway.listen: 127.0.0.1:{port}: ")


@pytest.mark.parametrize(
    ("gateway", "console", "said"),
    [
        ("8080", "127.0.0.1:0", "gateway.listen: '8080' is no host:port"),
        ("127.0.0.1:http", "127.0.0.1:0", "gateway.listen: '127.0.0.1:http' is no host:port"),
        ("127.0.0.1:1", "127.0.0.1:1", "console.listen: port 1 is that of gateway.listen"),
    ],
)
def test_listeners_need_an_address_each(write: Path, gateway: str, console: str, said: str) -> None:
    write.write_text(f'[gateway]\nlisten = "{gateway}"\n[console]\nlisten = "{console}"\n')
    assert said in everything_found().wrong


def test_kinds_are_listed(write: Path) -> None:
    write.write_text("")
    found = json.loads(command.invoke(app, ["config", "check", "--kinds", "--json"]).stdout)
    assert "web_form" in found["sources"]
    assert "webhook" in found["destinations"]


def test_a_wrong_word_of_survivorship_is_named_with_the_nearest_right_one(write: Path) -> None:
    write.write_text(f'{PORTS}[survivorship.strategy]\ncompny = "most_recent"\n[survivorship.priority]\nname = "crm"\n')
    (problem,) = everything_found().wrong
    assert problem.startswith("survivorship.strategy.compny: there is no 'compny'")
    assert problem.endswith("did you mean 'company'?")


RULE = """rule: offer
version: 1
about: An offer.
when: {event: order.paid}
steps:
  - assign_owner: {team: sales}
  - notify: {destination: chat, text: Paid.}
  - send_email: {template: offer, source: "subject: Hi\\n---\\nHi", purpose: marketing}
"""
MAIL = '[mail]\nrelay = "127.0.0.1:25"\nfrom = "hello@example.com"\n'


def test_the_rules_are_looked_at_with_what_hub_toml_has(write: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(write.parent)
    (write.parent / "rules").mkdir()
    (write.parent / "rules" / "offer.yaml").write_text(RULE)
    write.write_text(PORTS)
    said = everything_found().wrong
    assert [one.partition(": rules/offer.yaml:")[2].split(": ")[:2] for one in said] == [
        ["6", "steps[0].assign_owner"],
        ["7", "steps[1].notify"],
        ["8", "steps[2].send_email"],
    ]
    assert all(one.startswith("rules.folder: ") for one in said)


def test_offers_without_a_link_to_leave_are_a_warning(write: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(write.parent)
    (write.parent / "rules").mkdir()
    (write.parent / "rules" / "offer.yaml").write_text(RULE)
    house = '[teams.sales]\nmembers = ["ann@example.com"]\n[destinations.chat]\nkind = "slack"\nurl = "https://example.com/x"\n'
    write.write_text(PORTS + MAIL + house)
    answer = command.invoke(app, ["config", "check"])
    assert answer.exit_code == 0
    assert "rules.folder: rules/offer.yaml:8: steps[2].send_email: warning: these mails bear no link" in answer.stdout
    write.write_text(PORTS + MAIL + 'unsubscribe = "https://hub.example.com"\n' + house)
    assert everything_found() == ([], [])
