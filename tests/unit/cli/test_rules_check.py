"""`hub rules check` tells each rule as a sentence, or everything that is wrong with it."""

from __future__ import annotations

import json
import re
from importlib.resources import files
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator
from typer.testing import CliRunner

from hub.cli import app
from hub.cli.contracts import contracts
from hub.settings import load
from tests.support.rule_files import lines

command = CliRunner()
DOCS = Path(__file__).parents[3] / "docs"
IN_DOCS = re.compile(r"^(?:# .*\n)?((?:rule|segment): ([a-z0-9-]+)(?: .*)?\n(?:.*\n)*?)(?=```|END$)", re.MULTILINE)
SHIPPED = Path(str(files("hub.automation"))) / "shipped"
NAMES = ["first-order", "left-cart", "new-lead", "open-complaint", "urgent-ticket"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of rules that hub.toml names."""
    (tmp_path / "hub.toml").write_text('[rules]\nfolder = "mine"\n')
    (tmp_path / "mine").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("HUB_CONFIG", raising=False)
    return tmp_path / "mine"


def test_every_shipped_rule_is_fine_and_told() -> None:
    answer = command.invoke(app, ["rules", "check", "--json", str(SHIPPED)])
    told = json.loads(answer.stdout)
    assert (answer.exit_code, told["problems"]) == (0, [])
    assert [one["name"] for one in told["files"]] == NAMES
    assert all(one["sentence"].startswith("When ") for one in told["files"])


@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_rule_fits_the_published_schema(name: str) -> None:
    schema = contracts()["schemas/rule.json"]
    Draft202012Validator.check_schema(schema)
    rule = yaml.safe_load((SHIPPED / f"{name}.yaml").read_text())
    assert [error.message for error in Draft202012Validator(schema).iter_errors(rule)] == []
    rule["steps"].append({"add_tag": {"tgg": "x"}})
    assert not Draft202012Validator(schema).is_valid(rule)


def test_the_folder_of_the_settings_is_read(folder: Path) -> None:
    (folder / "some.yaml").write_bytes(lines())
    answer = command.invoke(app, ["rules", "check"])
    assert (answer.exit_code, answer.stdout) == (0, "some (rule, version 1)\n  When an order is placed: end.\n")


def test_a_template_that_is_missing_or_wrong_is_told_as_the_rule_is(folder: Path) -> None:
    (folder / "some.yaml").write_bytes(lines().replace(b"{end: {}}", b"{send_email: {template: thanks}}"))
    answer = command.invoke(app, ["rules", "check"])
    assert (answer.exit_code, "there is no templates/thanks.liquid beside the rule" in answer.stdout) == (1, True)
    (folder / "templates").mkdir()
    mail = folder / "templates" / "thanks.liquid"
    mail.write_text("subject: Thanks\n---\nHi {{ profil.name }}\n")
    answer = command.invoke(app, ["rules", "check"])
    assert (answer.exit_code, "line 3: profil: no such value; did you mean profile?" in answer.stdout) == (1, True)
    mail.write_text("subject: Thanks\n---\nHi {{ profile.name }}\n")
    assert command.invoke(app, ["rules", "check"]).exit_code == 0


def test_a_wrong_file_is_status_1_with_line_place_and_word(folder: Path) -> None:
    (folder / "some.yaml").write_bytes(lines("if:", "  all:", "    - {cuont: order.paid, is: 1}"))
    answer = command.invoke(app, ["rules", "check"])
    assert answer.exit_code == 1
    assert answer.stdout == "mine/some.yaml:8: if.all[0].cuont: no such word; did you mean count?\n"


def test_a_warning_alone_is_status_0(folder: Path) -> None:
    (folder / "some.yaml").write_bytes(lines("if: {count: order.payd, is: 1}"))
    answer = command.invoke(app, ["rules", "check", "--json"])
    (problem,) = json.loads(answer.stdout)["problems"]
    assert (answer.exit_code, problem["grade"], problem["line"], problem["path"]) == (0, "warning", 6, "if.count")


def test_one_file_alone_knows_the_segments_beside_it(folder: Path) -> None:
    (folder / "some.yaml").write_bytes(lines("if: {segment: best}"))
    assert command.invoke(app, ["rules", "check", "mine/some.yaml"]).exit_code == 1
    (folder / "best.yaml").write_text("segment: best\nversion: 1\nabout: Best.\nif: {profile: tags, contains: vip}\n")
    answer = command.invoke(app, ["rules", "check", "mine/some.yaml"])
    assert (answer.exit_code, answer.stdout.count("version 1")) == (0, 1)


def test_no_rules_are_no_problem_and_a_wrong_path_is_wrong_use(folder: Path) -> None:
    answer = command.invoke(app, ["rules", "check"])
    assert (answer.exit_code, answer.stdout[:24]) == (0, "There are no rules here:")
    assert command.invoke(app, ["rules", "check", "nowhere"]).exit_code == 2


def test_the_settings_of_rules_come_from_the_environment_too(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (load().rules.apply, load().rules.time_scale) == (True, 1.0)
    monkeypatch.setenv("HUB_RULES__TIME_SCALE", "0.0001")
    monkeypatch.setenv("HUB_RULES__APPLY", "false")
    assert (load().rules.apply, load().rules.time_scale, load().rules.folder) == (False, 0.0001, Path("mine"))


def test_every_rule_and_segment_of_the_docs_is_right(folder: Path) -> None:
    pages = [DOCS / "reference" / "rules.md", *sorted((DOCS / "howto").glob("*.md"))]
    found = {name: text for page in pages for text, name in IN_DOCS.findall(page.read_text(encoding="utf-8"))}
    assert {*found} >= {"urgent-ticket", "best-customers", "call-back", "thank-the-best"}
    for name, text in found.items():
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    assert json.loads(command.invoke(app, ["rules", "check", "--json"]).stdout)["problems"] == []
