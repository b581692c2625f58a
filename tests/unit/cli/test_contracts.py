"""The generated contracts are valid, fit what the code takes and tells, and are what is committed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from typer.testing import CliRunner, Result

from hub.cli import app
from hub.cli.contracts import EVERY_INBOUND, EVERY_OUTBOUND, Json, asyncapi, contracts, schema, written
from schemas.topics import TOPICS

EVERY = EVERY_INBOUND | EVERY_OUTBOUND
command = CliRunner()


@pytest.fixture
def folder(made: dict[str, Json], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with every contract just written; `hub schemas` has them made already."""
    monkeypatch.setattr("hub.cli.contracts.contracts", lambda: made)
    assert schemas(tmp_path, "--write").exit_code == 0
    return tmp_path


def schemas(folder: Path, *words: str) -> Result:
    return command.invoke(app, ["schemas", *words, "--folder", str(folder)])


@pytest.mark.parametrize("name", EVERY)
def test_every_schema_is_one(name: str) -> None:
    Draft202012Validator.check_schema(schema(name, EVERY[name]))


def test_a_form_fits_its_schema_and_a_wrong_one_does_not() -> None:
    form = Draft202012Validator(schema("form.submitted", EVERY["form.submitted"]))
    assert form.is_valid({"email": "ann@example.com", "fields": {"size": "L"}, "more": 1})
    assert not form.is_valid({"email": 5})


def references(value: Any) -> list[str]:
    if isinstance(value, dict):
        own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
        return own + [one for inner in value.values() for one in references(inner)]
    return [one for inner in value for one in references(inner)] if isinstance(value, list) else []


def test_every_reference_leads_somewhere(made: dict[str, Json]) -> None:
    for path, contract in made.items():
        for reference in references(contract):
            if reference.startswith("./"):
                assert reference.removeprefix("./") in made, reference
            else:
                place: Any = contract
                for part in reference.removeprefix("#/").split("/"):
                    assert part in place, f"{path}: {reference}"
                    place = place[part]


def test_every_topic_is_told_with_its_messages() -> None:
    channels = asyncapi()["channels"]
    assert set(channels) == {topic.name for topic in TOPICS}
    assert set(channels["inbound.forms"]["messages"]) == {"form.submitted", "any"}
    assert set(channels["profiles"]["messages"]) == {"profile.state", "profile.redirect"}


def test_openapi_tells_both_listeners_and_who_may_ask(made: dict[str, Json]) -> None:
    paths = made["openapi.json"]["paths"]
    assert {"/events", "/in/{source}", "/api/lag", "/api/profiles/{id}/timeline", "/healthz"} <= set(paths)
    assert paths["/events"]["servers"][0]["url"].endswith(":8080")
    for path, methods in paths.items():
        if path.startswith("/api/"):
            assert all(one["security"] == [{"HTTPBearer": []}] for one in methods.values()), path


def test_the_same_code_writes_the_same_bytes(made: dict[str, Json]) -> None:
    again = contracts()
    assert made is not again
    assert {path: written(one) for path, one in made.items()} == {path: written(one) for path, one in again.items()}


def test_what_was_just_written_is_not_stale(folder: Path) -> None:
    assert schemas(folder, "--check").exit_code == 0


def test_a_stale_file_fails_the_check(folder: Path) -> None:
    file = folder / "schemas" / "note.added.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"description": "old"}))
    answer = schemas(folder, "--check")
    assert answer.exit_code == 1
    assert "note.added.json: stale" in answer.stderr


def test_a_breaking_change_fails_the_check_and_is_not_written_by_accident(folder: Path) -> None:
    file = folder / "schemas" / "form.submitted.json"
    before = json.loads(file.read_text())
    before["properties"]["fax"] = {"type": "string"}
    file.write_text(json.dumps(before))
    for wrong in ("--check", "--write"):
        answer = schemas(folder, wrong)
        assert answer.exit_code == 1
        assert "schemas/form.submitted.json: fax: is gone" in answer.stderr
        assert "breaking change" in answer.stderr
    assert schemas(folder, "--write", "--breaking").exit_code == 0
    assert schemas(folder, "--check").exit_code == 0
