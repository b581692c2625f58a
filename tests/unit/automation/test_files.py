"""A file is a rule, a segment, or everything that is wrong with it at once, by line."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from hub.automation.files import LARGEST, read
from hub.automation.reader import Reading
from schemas.rules import ActionStep, BranchStep, OnEvent, Rule, Segment, WaitStep, span
from tests.support.rule_files import STEPS, lines, rule, segment, told

WHOLE = b"""
rule: urgent-ticket                    # its name
version: 1
about: A ticket from somebody who ordered lately is urgent.
mode: live
when: {event: ticket.opened}
if:
  all:
    - {count: [order.placed, order.paid], within: 30d, at_least: 1}
    - not: {profile: tags, contains: urgent}
    - any:
      - {event: ticket.priority, in: [high, urgent]}
      - {profile: fields.language, is: de}
      - {segment: best-customers, is: true}
max_age: 3d
again: 30d
exits:
  - {event: email.replied}
  - {event: order.placed, if: {event: order.total, at_least: 100}}
steps:
  - add_tag: {tag: urgent}
  - wait: {for: 2d}
  - wait: {until: 09:00}
  - wait: {event: [email.replied, call.logged], timeout: 2d, then: end}
  - branch: {if: {profile: stage, is: no}, then: [{end: {}}], else: [{add_tag: {tag: on}}]}
  - end: {}
"""


def test_a_rule_with_every_word_is_read() -> None:
    loaded = read("rules/urgent-ticket.yaml", WHOLE)
    assert told(loaded.problems) == []
    made = loaded.value
    assert isinstance(made, Rule)
    assert isinstance(made.when, OnEvent)
    assert made.when.event == ("ticket.opened",)
    assert [type(step) for step in made.steps[:3]] == [ActionStep, WaitStep, WaitStep]
    assert (made.again, made.max_age, made.mode, len(made.exits)) == ("30d", "3d", "live", 2)


def test_no_and_on_are_texts_as_in_yaml_1_2() -> None:
    made = read("urgent-ticket.yaml", WHOLE).value
    assert isinstance(made, Rule)
    branch = made.steps[4]
    assert isinstance(branch, BranchStep)
    assert branch.branch.condition.model_dump(by_alias=True, exclude_unset=True) == {"profile": "stage", "is": "no"}
    assert branch.branch.else_[0] == ActionStep({"add_tag": {"tag": "on"}})


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("no", "no"),
        ("on", "on"),
        ("true", True),
        ("~", None),
        ("", None),
        ("017", 17),
        ("1.50", 1.5),
        ("1e3", 1000.0),
        ("0x1F", "0x1F"),
        ("1_000", "1_000"),
        ("12:30", "12:30"),
        ("2026-01-31", "2026-01-31"),
        (".inf", ".inf"),
        ("'5'", "5"),
        ("9" * 31, "9" * 31),
        ("|\n  5\n", "5\n"),
    ],
)
def test_a_plain_word_is_what_yaml_1_2_says(written: str, value: Any) -> None:
    assert Reading(f"x: {written}").value() == {"x": value}


def test_what_is_left_out_has_its_default() -> None:
    made = rule().value
    assert isinstance(made, Rule)
    assert (made.mode, made.max_age, made.again, made.exits, made.condition) == ("live", "3d", "always", (), None)


def test_a_segment_is_read() -> None:
    made = segment("best", {"profile": "fields.orders", "at_least": 5}).value
    assert isinstance(made, Segment)


def test_everything_wrong_is_told_at_once_with_line_and_place() -> None:
    content = lines(
        "mode: tral",
        "if:",
        "  all:",
        "    - {cuont: [order.placed], within: 30d, at_least: 1}",
        "    - {profile: tags, contians: urgent}",
        "    - {profile: stage}",
        "again: sometimes",
        "agian: 3d",
    )
    assert told(read("rules/some.yaml", content).problems) == [
        "rules/some.yaml:6: mode: has to be live or trial; did you mean trial?",
        "rules/some.yaml:9: if.all[0].cuont: no such word; did you mean count?",
        "rules/some.yaml:10: if.all[1].contians: no such word; did you mean contains?",
        "rules/some.yaml:11: if.all[2]: asks nothing: it needs an operator, as `is` or `at_least`",
        "rules/some.yaml:12: again: has to be always, once or a duration, as 30d",
        "rules/some.yaml:13: agian: no such word; did you mean again?",
    ]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "some.yaml:1: the file is empty"),
        (b"\xff", "some.yaml:1: is not UTF-8"),
        (b"- a", "some.yaml:1: has to begin with `rule: its-name` or `segment: its-name`"),
        (b"a: [", "some.yaml:1: is no YAML: expected the node content, but found '<stream end>'"),
        (b"a: *b", "some.yaml:1: a: anchors (&) and aliases (*) are not read here; a text is quoted"),
        (b"a: &b c", "some.yaml:1: a: anchors (&) and aliases (*) are not read here; a text is quoted"),
        (b"a: !x y", "some.yaml:1: a: tags (!x) are not read here; a text is quoted"),
        (b"a: b\n---\nc: d", "some.yaml:2: a second document begins here: one file is one rule or one segment"),
        (b"%YAML 1.1\n---\na: b", "some.yaml:1: a line that begins with % is not read here"),
        (b"? [a]\n: b", "some.yaml:1: a key has to be a plain word"),
        (b"[" * 5000, "some.yaml:1: is nested more than 64 times"),
        (b"x: [" + b"a," * 20_000 + b"]", "some.yaml:1: holds more than 10000 values"),
        (b"#" * (LARGEST + 1), "some.yaml:1: is larger than 64 KiB"),
        (lines("version: 2"), "some.yaml:6: version: is said twice"),
        (lines("exits: [{evnt: a.b}]"), "some.yaml:6: exits[0].evnt: no such word; did you mean event?"),
        (lines("exits: [{event: a.b, enters: c}]"), "not event and enters together"),
        (lines("if: {event: a, profile: tags, is: 1}"), "not event and profile together"),
        (lines("if: {event: a, is: .nan}", "x: 1"), "some.yaml:7: x: no such word"),
        (lines("if: {event: a, is: }"), "compares with nothing; `exists: false` asks for a missing value"),
        (lines("if: {event: a, is: ' '}"), "is empty; `exists: false` asks whether a value is missing"),
        (lines("if: {event: a, at_least: tall}"), "has to be a number or a time"),
        (lines("if: {count: a.b, at_least: 1.5}"), "some.yaml:6: if.at_least: has to be a whole number"),
        (lines("if: {profile: name, is: a}"), "has to be owner, stage, tags, activities or fields.<name>"),
        (lines("max_age: 3 days"), "some.yaml:6: max_age: has to be a duration, as 90s, 15m, 4h, 2d, 1w"),
        (lines("steps: [{wait: {for: 2d}}]"), "steps: is said twice"),
    ],
)
def test_a_file_that_is_wrong_says_where_and_why(content: bytes, said: str) -> None:
    loaded = read("some.yaml", content)
    assert loaded.value is None
    assert any(said in one for one in told(loaded.problems)), told(loaded.problems)


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ({"wait": {"fro": "2d"}}, "steps[0].wait.fro: no such word; did you mean for?"),
        ({"wait": {}}, "steps[0].wait: has to hold one of for, until, event, and one of them alone"),
        ({"wait": {"for": "2d", "until": "09:00"}}, "has to hold one of for, until, event"),
        ({"wait": {"for": "2d", "timeout": "1d"}}, "which belong to a wait for an event"),
        ({"wait": {"until": "9:00"}}, "steps[0].wait.until: has to be a time of day, as 09:00"),
        ({"branch": {"if": {"profile": "stage", "is": "x"}}}, "steps[0].branch.then: is missing"),
        ({"end": {}, "add_tag": {}}, "steps[0]: has to be one verb and its settings, as `end: {}`"),
        ("end", "steps[0]: has to be one verb and its settings"),
        ({"Add": {}}, "steps[0].Add: has to be a verb in small letters"),
        ({"add_tag": None}, "steps[0].add_tag: has to hold words and their values"),
    ],
)
def test_a_step_that_is_wrong_says_where_and_why(step: Any, said: str) -> None:
    assert any(said in one for one in told(rule(steps=[step]).problems)), told(rule(steps=[step]).problems)


def nested(levels: int) -> dict[str, Any]:
    tree: dict[str, Any] = {"profile": "stage", "is": "x"}
    for _ in range(levels - 1):
        tree = {"not": tree}
    return tree


def test_a_tree_has_eight_levels_at_the_most() -> None:
    assert rule(if_=nested(8)).value is not None
    assert told(rule(if_=nested(9)).problems) == [
        "some.yaml:1: if: is 9 levels deep, 8 at the most: a segment may hold a part of it"
    ]


def test_a_tree_has_a_hundred_conditions_at_the_most() -> None:
    leaf = {"profile": "stage", "is": "x"}
    assert rule(if_={"all": [leaf] * 99}).value is not None
    wide = {"all": [{"any": [leaf] * 50}, {"any": [leaf] * 50}]}
    assert "holds 103 conditions, 100 at the most" in told(rule(if_=wide).problems)[0]


def test_a_rule_has_fifty_steps_at_the_most_with_those_of_its_branches() -> None:
    assert rule(steps=STEPS * 50).value is not None
    branch = {"branch": {"if": {"profile": "stage", "is": "x"}, "then": STEPS * 30}}
    assert "are 62" in told(rule(steps=[branch, branch]).problems)[0]


def test_a_file_bears_the_name_of_what_is_in_it() -> None:
    (problem,) = read("rules/other.yaml", lines()).problems
    assert str(problem) == "rules/other.yaml:1: rule: is called some, the file other: they have to be the same"


def test_a_segment_asks_no_event() -> None:
    (problem,) = segment("best", {"all": [{"event": "total", "at_least": 5}]}).problems
    assert "a segment knows no event" in str(problem)


@pytest.mark.parametrize(
    ("written", "seconds"), [("90s", 90), ("15m", 900), ("4h", 14_400), ("2d", 172_800), ("1w", 604_800)]
)
def test_a_duration_lasts_what_it_says(written: str, seconds: int) -> None:
    assert span(written).total_seconds() == seconds


DAY = settings(
    max_examples=300, derandomize=True, database=None, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
NIGHT = settings(DAY, derandomize=False, max_examples=100_000)
PIECES = [
    *"{}[],:-?&*!|>'\"%@`#\n \t~<=",
    "rule: some\n",
    "if:\n",
    "  all:\n",
    "  - ",
    "count",
    "event",
    ": ",
    "---\n",
    "\ufeff",
    "\x85",
    "é",
    "1e9",
    "!!binary ",
    "<<: ",
]
yaml = st.lists(st.sampled_from(PIECES), max_size=40).map(lambda several: "".join(several).encode())
damaged = st.tuples(st.integers(0, len(WHOLE)), st.integers(0, 9), st.sampled_from(PIECES)).map(
    lambda cut: WHOLE[: cut[0]] + cut[2].encode() + WHOLE[cut[0] + cut[1] :]
)
contents = st.one_of(yaml, damaged, st.binary(max_size=60))


def survives(content: bytes) -> None:
    loaded = read("urgent-ticket.yaml", content)
    assert (loaded.value is None) == bool(loaded.problems)
    assert all(problem.reason and 1 <= problem.line <= content.count(b"\n") + 2 for problem in loaded.problems)


@given(contents)
@example(b"a: \x00")
@example(b"? ")
@example(b"'\\")
@example(b"a: !<tag:yaml.org,2002:str> b")
@DAY
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    survives(content)


@pytest.mark.nightly
@pytest.mark.timeout(7200)
@given(contents)
@NIGHT
def test_any_bytes_are_read_or_refused_by_night(content: bytes) -> None:
    survives(content)
