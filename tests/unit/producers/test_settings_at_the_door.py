"""Sources and keys of hub.toml, read once: everything wrong is told at once and by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hub.errors import BadProof, Misconfigured
from hub.settings import Settings, check
from producers.gateway.instances import check_sources, instances
from producers.gateway.keys import Forbidden, read_keys

FORM = {"kind": "web_form", "keys": ["pk"]}


def with_sources(**tables: Any) -> Settings:
    return check({"sources": {name.replace("_", "-"): table for name, table in tables.items()}})


def with_keys(**tables: Any) -> Settings:
    return check({"keys": tables})


def test_an_instance_knows_its_kind_and_its_settings() -> None:
    found = instances(with_sources(web_eu=FORM | {"region": "DE"}, web_us=FORM))
    assert list(found) == ["web-eu", "web-us"]
    assert (found["web-eu"].source.name, found["web-eu"].settings.region) == ("web_form", "DE")


@pytest.mark.parametrize(("trust", "public"), [(None, True), (False, True), (True, False)])
def test_a_source_may_be_trusted_or_not_by_word(trust: bool | None, public: bool) -> None:
    table = FORM if trust is None else FORM | {"trust": trust}
    assert instances(with_sources(web=table))["web"].edge.public is public


def test_everything_wrong_is_told_at_once_and_by_name() -> None:
    settings = with_sources(one={"kind": "web_from"}, two={"kind": "web_form"}, three=FORM | {"region": "x", "kys": []})
    problems = check_sources(settings)
    assert [problem.partition(":")[0] for problem in problems] == [
        "sources.one.kind",
        "sources.two.keys",
        "sources.three.region",
        "sources.three.kys",
    ]
    assert "did you mean 'web_form'?" in problems[0]
    with pytest.raises(Misconfigured) as wrong:
        instances(settings)
    assert str(wrong.value).splitlines() == problems


def test_right_sources_have_no_problems() -> None:
    assert check_sources(with_sources(web=FORM)) == []


def test_a_key_opens_what_its_scopes_say(tmp_path: Path) -> None:
    (tmp_path / "reader").write_text("s2\n", encoding="utf-8")
    keys = read_keys(
        with_keys(
            crm={"secret": "s1", "scopes": ["events:write", "profiles:read"]},
            reader={"secret_file": str(tmp_path / "reader"), "scopes": ["profiles:read"]},
        )
    )
    assert keys.opening("Bearer s1", "events:write").name == "crm"
    assert keys.opening("bearer  s2 ", "profiles:read").name == "reader"
    with pytest.raises(Forbidden) as wrong:
        keys.opening("Bearer s2", "events:write")
    assert (wrong.value.status, wrong.value.field) == (403, "authorization")


@pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer ", "Bearer s", "Basic s1", "s1", "Bearer s\xff"])
def test_nothing_else_opens(authorization: str) -> None:
    keys = read_keys(with_keys(crm={"secret": "s1", "scopes": ["events:write"]}))
    with pytest.raises(BadProof) as wrong:
        keys.opening(authorization, "events:write")
    assert (wrong.value.status, wrong.value.field) == (401, "authorization")


def test_a_key_has_one_secret_of_its_own() -> None:
    with pytest.raises(Misconfigured) as wrong:
        read_keys(with_keys(a={}, b={"secret": "x", "secret_file": "/nowhere"}, c={"secret": "y"}))
    assert [line.partition(":")[0] for line in str(wrong.value).splitlines()] == ["keys.a", "/nowhere"]
    with pytest.raises(Misconfigured, match="same secret"):
        read_keys(with_keys(a={"secret": "x"}, b={"secret": "x"}))
