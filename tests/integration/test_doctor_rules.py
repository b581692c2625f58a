"""The doctor tells of rules that do not act, and of a relay that is away."""

from __future__ import annotations

import json
from pathlib import Path
from uuid import uuid4

import pytest
from typer.testing import CliRunner

from hub.cli import app
from hub.embedded import Addresses
from tests.support.rule_files import lines

pytestmark = pytest.mark.integration


@pytest.fixture(autouse=True)
def _environment(servers: Addresses, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = tmp_path / "hub.toml"
    config.write_text('[gateway]\nlisten = "127.0.0.1:0"\n[mail]\nrelay = "127.0.0.1:1"\nfrom = "hello@example.com"\n')
    for name, value in {
        "HUB_CONFIG": str(config),
        "HUB_STATE": str(tmp_path / "state"),
        "HUB_CONSOLE__LISTEN": "127.0.0.1:0",
        "HUB_RULES__FOLDER": str(tmp_path / "rules"),
        "HUB_KAFKA__SERVERS": ",".join(servers.kafka),
        "HUB_KAFKA__PREFIX": f"doctor-{uuid4().hex[:8]}.",
        "HUB_KAFKA__PARTITIONS": "2",
        "HUB_POSTGRES__URL": database_url,
        "HUB_REDIS__URL": servers.redis,
    }.items():
        monkeypatch.setenv(name, value)


def found(about: str) -> tuple[str, str]:
    """What the doctor says of something: verdict and words."""
    answer = CliRunner().invoke(app, ["doctor", "--json"])
    (one,) = [one for one in json.loads(answer.stdout)["findings"] if one["about"] == about]
    return one["verdict"], one["found"]


def test_files_that_were_not_taken_over_and_a_relay_that_is_away_are_told(tmp_path: Path) -> None:
    assert found("rules") == ("ok", "none")
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "some.yaml").write_bytes(lines())
    assert found("rules") == ("warning", "none; not taken over: some")
    assert CliRunner().invoke(app, ["rules", "apply"]).exit_code == 0
    assert found("rules") == ("ok", "1 live")
    verdict, words = found("mail relay")
    assert (verdict, words.startswith("127.0.0.1:1: ")) == ("wrong", True)
