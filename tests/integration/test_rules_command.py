"""`hub rules apply|list|show|pause|resume` on a real database: which version counts, and what is refused."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Iterable
from importlib.resources import files
from pathlib import Path
from typing import Any

import orjson
import pytest
from typer.testing import CliRunner, Result

from hub.automation.files import read
from hub.cli.applying import Wish, apply
from hub.cli.rules import app
from hub.storage import rules
from hub.storage.pool import Pool, reading
from hub.verbs import House

pytestmark = pytest.mark.integration
TEAM = '[teams.sales]\nmembers = ["ann@example.com", "bob@example.com"]\n'


@pytest.fixture
def folder(tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of rules that hub.toml names; the commands find this test's database and need no other server."""
    (tmp_path / "hub.toml").write_text(f'[rules]\nfolder = "mine"\n{TEAM}')
    (tmp_path / "mine").mkdir()
    monkeypatch.chdir(tmp_path)
    for name, value in {
        "POSTGRES__URL": database_url, "KAFKA__SERVERS": "127.0.0.1:1", "REDIS__URL": "redis://127.0.0.1:1/0"
    }.items():  # fmt: skip
        monkeypatch.setenv(f"HUB_{name}", value)
    return tmp_path / "mine"


def put(folder: Path, name: str = "some", version: int = 1, **words: Any) -> None:
    """A file with a rule that tags whoever orders; `if_` is `if`."""
    said = {"rule": name, "version": version, "about": "A rule.", "when": {"event": "order.placed"},
            "steps": [{"add_tag": {"tag": "buyer"}}]}  # fmt: skip
    text = orjson.dumps(said | {word.rstrip("_"): value for word, value in words.items()})
    (folder / f"{name}.yaml").write_bytes(text)


async def hub(*words: str) -> Result:
    """`hub rules …`, in a thread since it brings an event loop of its own."""
    return await asyncio.to_thread(CliRunner().invoke, app, list(words))


async def answer(*words: str, status: int = 0) -> Any:
    """What the command prints with --json."""
    result = await hub(*words, "--json")
    assert result.exit_code == status, result.output
    return json.loads(result.stdout)


async def changes(*words: str) -> list[tuple[str, str, int | None, int | None]]:
    """What `apply` changes."""
    return [(one["name"], one["what"], one["live"], one["trial"]) for one in (await answer("apply", *words))["changes"]]


async def reasons(*words: str) -> list[str]:
    """Why `apply` refuses."""
    return [one["reason"] for one in (await answer("apply", *words, status=1))["problems"]]


async def in_force(pool: Pool) -> list[tuple[str, int, bool]]:
    """The versions that look at events."""
    async with reading(pool) as connection:
        return [(one.name, one.version, one.on_trial) for one in await rules.in_force(connection)]


async def test_a_rule_is_taken_over_once_and_a_dry_run_takes_nothing(folder: Path, pool: Pool) -> None:
    put(folder)
    assert await changes("--dry-run") == [("some", "new", 1, None)]
    assert await in_force(pool) == []
    assert await changes() == [("some", "new", 1, None)]
    assert await changes() == [("some", "unchanged", 1, None)]
    assert await in_force(pool) == [("some", 1, False)]


async def test_a_changed_file_needs_the_next_number_and_an_older_one_is_refused(folder: Path, pool: Pool) -> None:
    put(folder)
    await changes()
    put(folder, about="Another.")
    assert await reasons() == ["version 1 is known and says something else: make it version 2"]
    put(folder, version=5, about="Another.")
    assert await changes() == [("some", "changed", 5, None)]
    put(folder)
    assert await reasons() == ["version 1 is older than 5, which is known: make it version 6"]
    assert await in_force(pool) == [("some", 5, False)]


async def test_a_version_on_trial_stands_beside_the_live_one_until_a_live_one_comes(folder: Path, pool: Pool) -> None:
    put(folder)
    await changes()
    put(folder, version=2, mode="trial")
    assert await changes() == [("some", "on trial", 1, 2)]
    assert await in_force(pool) == [("some", 1, False), ("some", 2, True)]
    put(folder, version=3)
    assert await changes() == [("some", "changed", 3, None)]
    assert await in_force(pool) == [("some", 3, False)]


async def test_a_rule_without_a_file_ends_with_prune_alone_and_one_with_a_wrong_file_never(
    folder: Path, pool: Pool
) -> None:
    put(folder)
    put(folder, "other")
    await changes()
    (folder / "other.yaml").unlink()
    assert await changes() == [("some", "unchanged", 1, None)]
    (folder / "some.yaml").write_text("rule: some\n")
    assert await reasons("--prune") != []
    assert await in_force(pool) == [("other", 1, False), ("some", 1, False)]
    put(folder)
    assert ("other", "retired", None, None) in await changes("--prune")
    assert await in_force(pool) == [("some", 1, False)]
    put(folder, "other")
    assert ("other", "new", 1, None) in await changes()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"steps": [{"call_webhook": {"destination": "x"}}]}, "hub.toml has no destination x"),
        ({"steps": [{"create_task": {"team": "sail", "title": "x"}}]}, "hub.toml has no team sail"),
        ({"steps": [{"notify": {"team": "sail", "text": "Look."}}]}, "hub.toml has no"),
        ({"steps": [{"send_email": {"template": "hello", "source": "subject: x\n---\nx"}}]}, "hub.toml has no relay"),
        ({"steps": [{"assign_owner": {"team": "sail"}}]}, "hub.toml has no team sail"),
        ({"steps": [{"assign_owner": {"team": "nobody", "strategy": "capacity"}}]}, "hub.toml has no team nobody"),
        ({"when": {"enters": "bestt"}}, "no such segment: bestt; did you mean best?"),
        ({"if_": {"segment": "worst"}}, "no such segment: worst"),
    ],
)
async def test_what_this_hub_cannot_do_is_refused_by_name_and_nothing_is_taken_over(
    folder: Path, pool: Pool, words: dict[str, Any], said: str
) -> None:
    (folder / "best.yaml").write_text("segment: best\nversion: 1\nabout: Best.\nif: {profile: tags, contains: vip}\n")
    put(folder, **words)
    put(folder, "fine")
    assert any(said in reason for reason in await reasons())
    assert await in_force(pool) == []


async def test_a_rule_is_taken_over_with_the_segment_that_it_asks_or_behind_it(folder: Path, pool: Pool) -> None:
    (folder / "best.yaml").write_text("segment: best\nversion: 1\nabout: Best.\nif: {profile: tags, contains: vip}\n")
    put(folder, when={"enters": "best"})
    (reason,) = await reasons(str(folder / "some.yaml"))
    assert "the segment best is not taken over: take its file over as well" in reason
    assert await in_force(pool) == []
    assert ("best", "new", 1, None) in await changes()
    assert await in_force(pool) == [("some", 1, False)]
    refused = await hub("pause", "best")
    assert (refused.exit_code, "no such rule" in refused.output) == (1, True)


async def test_every_shipped_rule_is_taken_over_where_its_teams_and_a_relay_are(folder: Path, pool: Pool) -> None:
    shutil.copytree(Path(str(files("hub.automation"))) / "shipped", folder, dirs_exist_ok=True)
    (folder.parent / "hub.toml").write_text(
        f'[rules]\nfolder = "mine"\n{TEAM}[teams.service]\nmembers = ["cy@example.com"]\n'
        '[mail]\nrelay = "127.0.0.1:25"\nfrom = "hello@example.com"\n'
    )
    names = sorted(file.stem for file in folder.glob("*.yaml"))
    assert {"first-order", "new-lead", "urgent-ticket"} <= set(names)
    assert await changes() == [(name, "new", 1, None) for name in names]
    assert await in_force(pool) == [(name, 1, False) for name in names]


async def test_a_rule_may_name_a_tool_that_hub_toml_has_and_no_other(folder: Path, pool: Pool) -> None:
    steps: list[dict[str, Any]] = [
        {"call_webhook": {"destination": "crm"}},
        {"notify": {"destination": "chat", "text": "Look."}},
    ]
    put(folder, steps=steps)
    assert await reasons() == [
        "hub.toml has no destination crm: [destinations.crm]",
        "hub.toml has no destination chat: [destinations.chat]",
    ]
    toml = folder.parent / "hub.toml"
    toml.write_text(
        f"{toml.read_text()}"
        '[destinations.crm]\nkind = "webhook"\nurl = "https://crm.example/hub"\nsecret_file = "/elsewhere"\n'
        '[destinations.chat]\nkind = "slack"\nurl = "https://chat.example/hooks/x"\n'
    )
    put(folder, "other", steps=[{"call_webhook": {"destination": "chat"}}])
    assert await reasons() == ["chat is of a kind that no call_webhook may name; it hears notify"]
    (folder / "other.yaml").unlink()
    assert await changes() == [("some", "new", 1, None)], "without a relay for mails, and without the tool's secret"
    assert await in_force(pool) == [("some", 1, False)]


async def test_at_a_start_what_is_right_is_taken_over_beside_what_is_wrong(folder: Path, pool: Pool) -> None:
    put(folder)
    await changes()
    put(folder, "other")
    files_ = [read("some.yaml", b"rule: some\n"), read("other.yaml", (folder / "other.yaml").read_bytes())]
    applied = await apply(pool, Wish(files_, House(), "hub serve", partly=True))
    assert (applied.is_wrong, [one.name for one in applied.changes]) == (True, ["other"])
    assert await in_force(pool) == [("other", 1, False), ("some", 1, False)]


async def test_a_paused_rule_looks_at_nothing_and_leaves_what_came_meanwhile_alone(folder: Path, pool: Pool) -> None:
    put(folder)
    await changes()
    async with reading(pool) as connection:
        (before,) = await rules.in_force(connection)
    assert await answer("pause", "some") == {"name": "some", "paused": True, "changed": True}
    assert (await answer("pause", "some"))["changed"] is False
    assert await in_force(pool) == []
    put(folder, version=2)
    await changes()
    assert await in_force(pool) == []
    assert "some is running." in (await hub("resume", "some")).output
    async with reading(pool) as connection:
        (after,) = await rules.in_force(connection)
    assert (after.version, after.since > before.since) == (2, True)


async def test_list_and_show_tell_what_counts(folder: Path) -> None:
    put(folder)
    put(folder, "other", mode="trial")
    await changes()
    listed = (await answer("list"))["rules"]
    assert [(one["name"], one["live"], one["trial"], one["waiting"]) for one in listed] == [
        ("other", None, 1, 0),
        ("some", 1, None, 0),
    ]
    shown = await answer("show", "some")
    assert (shown["state"], shown["verdicts"], len(shown["versions"])) == ("live 1", {}, 1)
    assert shown["versions"][0]["body"]["rule"] == "some"
    assert _holds((await hub("list")).output, ("some", "live 1", "A rule."))
    assert _holds((await hub("show", "some")).output, ("version 1", "add the tag buyer"))


def _holds(text: str, words: Iterable[str]) -> bool:
    return all(word in text for word in words)


async def test_a_name_that_nothing_bears_is_told_with_the_nearest(folder: Path) -> None:
    put(folder)
    await changes()
    for words in (("show", "sme"), ("pause", "sme"), ("resume", "sme")):
        result = await hub(*words)
        assert (result.exit_code, "did you mean some?" in result.output) == (1, True), result.output
    assert (await hub("apply", "nowhere")).exit_code == 2
    assert (await hub("apply", "mine/some.yaml", "--prune")).exit_code == 2
