"""Templates of mails: what they may do, what they may not, and that no data and no template breaks out or runs away."""

from __future__ import annotations

import string
import tracemalloc
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.automation.filters import FILTERS
from hub.automation.templates import LARGEST, BadTemplate, Mail, NotRendered, read, render

ANN: dict[str, Any] = {"profile": {"given_name": "Ann", "tags": ["a", "b"]}, "event": {"total": "19.90"}}


def rendered(text: str, subject: str = "Hello", **values: Any) -> str:
    return render(read("t", f"subject: {subject}\n---\n{text}".encode()), ANN | values).text


def test_a_mail_has_a_subject_and_a_text() -> None:
    made = read("welcome", b"subject: Welcome, {{ profile.given_name }}\r\n---\r\nHello {{ profile.given_name }}!\r\n")
    mail = render(made, ANN)
    assert (mail.subject, mail.text) == ("Welcome, Ann", "Hello Ann!\n")


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{{ profile.family_name | default: 'friend' }}", "friend"),
        ("{{ event.total | plus: 0.1 }}", "20"),
        ("{{ 0.1 | plus: 0.2 }}", "0.3"),
        ("{% for tag in profile.tags %}{{ tag | upcase }}{% endfor %}", "AB"),
        ("{{ profile.tags | join: ', ' }}", "a, b"),
        ("{{ '2026-11-22T08:15:30.123Z' | date: '%-d %B %Y' }}", "22 November 2026"),
        ("{{ 'soon' | date }}", "soon"),
        ("{% if profile.given_name == 'Ann' %}yes{% endif %}", "yes"),
        ("{{ 'long text' | truncate: 5 }}", "long…"),
    ],
)
def test_what_templates_can_say(source: str, expected: str) -> None:
    assert rendered(source) == expected


def test_a_name_is_data_and_never_a_template() -> None:
    assert rendered("{{ owner }}", owner="{{ 1 | plus: 1 }}{% for %}") == "{{ 1 | plus: 1 }}{% for %}"


def test_a_subject_is_one_line_whatever_the_data_holds() -> None:
    mail = render(
        read("t", b"subject: Hi {{ owner }}\n---\nx"), {"owner": "a\r\nBcc: eve@example.com\x00\u2028b" + "c" * 500}
    )
    assert "\n" not in mail.subject
    assert "\r" not in mail.subject
    assert mail.subject.startswith("Hi a Bcc: eve@example.com b")
    assert len(mail.subject) == 200


@pytest.mark.parametrize(
    ("content", "line", "word"),
    [
        (b"no subject\n---\nx", 1, "subject"),
        (b"subject: x\n---\n   ", 3, "no text"),
        (b"subject: x\n---\nfine\n{{ profile.name | upcaze }}", 4, "did you mean upcase"),
        (b"subject: x\n---\n\n\n{{ profil.name }}", 5, "did you mean profile"),
        (b"subject: x\n---\n{% include 'other' %}", 3, "include"),
        (b"subject: x\n---\n{% if %}", 3, "missing"),
        (b"subject: x\n---\n{{ now }}", 3, "now: no such value"),
        (b"subject: \xff\n---\nx", 1, "UTF-8"),
        (b"subject: x\n---\n" + b"x" * LARGEST, 1, "bytes"),
        (b"subject: x\n---\n" + b"{% if a %}" * 12 + b"{% endif %}" * 12, 3, "nest"),
    ],
)
def test_a_bad_template_is_told_with_its_line(content: bytes, line: int, word: str) -> None:
    with pytest.raises(BadTemplate, match=word) as raised:
        read("t", content)
    assert raised.value.line == line


@pytest.mark.parametrize(
    "source",
    [
        "{% for i in (1..100000000) %}x{% endfor %}",
        "{% for i in (1..900) %}{% for j in (1..900) %}x{% endfor %}{% endfor %}",
        "{% assign x = 'aaaaaaaa' %}{% for i in (1..900) %}{% assign x = x | append: x %}{% endfor %}",
        "{% assign x = 'aaaa' %}" + "{% assign x = x | replace: 'a', x %}" * 20,
        "{{ 'aaaaaaaaaaaaaaaa'" + " | replace: 'a', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'" * 40 + " }}",
        "{% assign x = 999999999 %}{% for i in (1..900) %}{% assign x = x | times: x %}{% endfor %}{{ x }}",
        "{{ '1e999999999' | plus: 1 }}",
        "{{ 1 | divided_by: 0 }}",
        "{{ 1 | round: 99999999 }}",
        "{{ '2026-11-22T08:15:30Z' | date: '%999999999d' }}",
    ],
)
def test_nothing_runs_away(source: str) -> None:
    tracemalloc.start()
    try:
        with pytest.raises((NotRendered, BadTemplate)):
            rendered(source)
        assert tracemalloc.get_traced_memory()[1] < 20_000_000, "bytes"
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "path", ["__class__", "__class__.__mro__", "given_name.__class__", "__init__.__globals__", "_x"]
)
def test_nothing_of_python_can_be_reached(path: str) -> None:
    assert rendered(f"[{{{{ profile.{path} }}}}]") == "[]"


DAY = settings(derandomize=True, database=None, deadline=None, suppress_health_check=[HealthCheck.too_slow])
NIGHT = settings(DAY, derandomize=False, max_examples=100_000)
WORDS = [
    "{{",
    "}}",
    "{%",
    "%}",
    "|",
    ":",
    "'",
    "for",
    "in",
    "if",
    "endif",
    "endfor",
    "assign",
    "x",
    "=",
    "(1..9)",
    ".",
    "[0]",
]
SOURCES = st.lists(
    st.sampled_from([*WORDS, *FILTERS, "capture", "endcapture", "profile", "raw", "include", "999999999999999"])
    | st.text(string.printable, max_size=6),
    max_size=25,
).map(" ".join)
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["x", "profile", "event"]), inner),
    max_leaves=6,
)


def outcome(subject: str, text: str, values: dict[str, Any]) -> Mail | str:
    """The mail, or the reason why there is none: nothing else comes out of it."""
    try:
        return render(read("t", f"subject: {subject}\n---\n{text}".encode()), values)
    except (BadTemplate, NotRendered) as error:
        return str(error)


def survives(source: str, value: Any) -> None:
    """It becomes a mail within its limits, or the reason is told."""
    found = outcome(source, source, {"profile": value, "event": value})
    assert found
    if isinstance(found, Mail):
        assert "\n" not in found.subject
        assert len(found.text) <= 4 * LARGEST


def filtered(name: str, words: list[Any]) -> None:
    """A filter of any values with any arguments gives something, or the reason is told."""
    said = ", ".join(f"profile[{number}]" for number in range(len(words)))
    source = f"{{{{ event | {name}{': ' if words else ''}{said} }}}}."
    assert outcome("s", source, {"event": words[0] if words else None, "profile": words})


@DAY
@given(SOURCES, VALUES)
def test_no_template_and_no_data_crash(source: str, value: Any) -> None:
    survives(source, value)


@pytest.mark.nightly
@pytest.mark.timeout(7200)
@given(SOURCES, VALUES)
@NIGHT
def test_no_template_and_no_data_crash_by_night(source: str, value: Any) -> None:
    survives(source, value)


FILTERED = st.sampled_from(sorted(FILTERS))


@DAY
@given(FILTERED, st.lists(VALUES, max_size=3))
def test_no_filter_crashes(name: str, words: list[Any]) -> None:
    filtered(name, words)


@pytest.mark.nightly
@pytest.mark.timeout(7200)
@given(FILTERED, st.lists(VALUES, max_size=3))
@NIGHT
def test_no_filter_crashes_by_night(name: str, words: list[Any]) -> None:
    filtered(name, words)
