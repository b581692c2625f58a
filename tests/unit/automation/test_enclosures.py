"""The templates of a rule's mails become a part of its version."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from hub.automation.enclosures import enclosed
from hub.automation.files import Loaded, read
from hub.automation.plan import Standing, body_of, plan
from schemas.rules import Rule

RULE = b"""rule: hello
version: 1
about: A hello.
when: {event: order.placed}
steps:
  - branch: {if: {profile: tags, contains: a}, then: [{send_email: {template: one}}], else: [{add_tag: {tag: b}}]}
  - send_email: {template: two, purpose: marketing}
"""
FILES = {"one": b"subject: One\n---\nx\n", "two": b"subject: Two\n---\n{{ profile.name }}\n"}


def loaded(files: dict[str, bytes]) -> tuple[Loaded, list[str]]:
    whole, problems = enclosed(read("rules/hello.yaml", RULE), files.get)
    return whole, [f"{one.line}: {one.reason}" for one in problems]


def mails(steps: Any) -> list[str]:
    return [str(step) for step in steps]


def test_each_mail_holds_its_text() -> None:
    whole, problems = loaded(FILES)
    assert problems == []
    assert isinstance(whole.value, Rule)
    text = body_of(whole.value)
    assert "subject: One" in text
    assert "{{ profile.name }}" in text
    assert whole.value.condition is None


def test_a_template_that_is_missing_or_wrong_is_told_with_the_rules_line() -> None:
    _, problems = loaded({"one": b"subject: One\n---\n{{ profil.name }}\n"})
    assert len(problems) == 2
    assert problems[0].startswith("6: one: line 3: profil: no such value; did you mean profile?")
    assert problems[1] == "7: two: there is no templates/two.liquid beside the rule"


def test_a_changed_template_wants_a_new_version_of_the_rule() -> None:
    before, _ = loaded(FILES)
    assert before.value
    known = {"hello": Standing("hello", "rule", 1, body_of(before.value), 1)}
    after, _ = loaded(FILES | {"one": b"subject: One!\n---\nx\n"})
    assert after.value
    assert "version 2" in plan([after.value], known).refused["hello"]
    assert plan([before.value], known).refused == {}


def test_a_rule_without_mails_is_left_as_it_is() -> None:
    quiet = RULE[: RULE.index(b"  - branch")].replace(b"hello", b"quiet") + b"  - add_tag: {tag: x}\n"
    one = read("rules/quiet.yaml", quiet)
    assert one.value
    assert enclosed(one, lambda _: None) == (one, [])


def test_a_text_in_the_rule_itself_stays_with_its_own_step() -> None:
    mails = b"""  - send_email: {template: one, source: "subject: A\\n---\\nfirst"}
  - send_email: {template: one, source: "subject: B\\n---\\nsecond"}
  - send_email: {template: one}
"""
    whole, problems = enclosed(read("rules/hello.yaml", RULE[: RULE.index(b"  - branch")] + mails), FILES.get)
    assert problems == []
    assert whole.value
    steps = orjson.loads(body_of(whole.value))["steps"]
    assert [step["send_email"]["source"].partition("---")[2].strip() for step in steps] == ["first", "second", "x"]


@pytest.mark.parametrize(
    "settings", [b"{template: one, source: 5}", b"{template: ../../one}", b"{}", b"{template: [1]}"]
)
def test_settings_that_are_wrong_are_left_to_the_checks(settings: bytes) -> None:
    asked: list[str] = []

    def find(name: str) -> bytes | None:
        asked.append(name)
        return None

    one = read("rules/hello.yaml", RULE[: RULE.index(b"  - branch")] + b"  - send_email: " + settings + b"\n")
    assert one.value
    assert enclosed(one, find) == (one, [])
    assert asked == [], "no file is opened for a name that is none"
