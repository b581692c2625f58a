"""Mails as Liquid templates: a subject, a line of dashes, a text. Rendered with limits, from plain values. Pure.

A template sees what it is given and nothing else: no files, no other templates, no clock, no attributes of Python. What
the data holds is never read as a template: a customer's name stays text.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from liquid import BoundTemplate, Environment
from liquid.exceptions import LiquidError
from rapidfuzz import fuzz, process

from hub.automation import filters
from hub.automation.problems import NEAR

LARGEST = 65_536
LONGEST_SUBJECT = 200
RULER = "---"
TAGS = frozenset(("assign", "break", "capture", "case", "comment", "continue", "for", "if", "unless", "#"))
"""What templates may use; `raw` is the lexer's own."""
ROOTS = ("profile", "event", "owner", "unsubscribe_url")
"""What is there to be said: the profile's fields and tags, the trigger's data, who looks after them, and the link by
which they take the consent to marketing back.
"""
_INNER = frozenset(("content", "output", "illegal"))


class BadTemplate(ValueError):
    """A file that is no template; `line` counts from 1."""

    def __init__(self, reason: str, line: int = 1) -> None:
        super().__init__(reason)
        self.line = line


class NotRendered(ValueError):
    """A template that does not come to an end with this data, or to nothing."""


class Bounded(Environment):
    """Liquid within limits; nothing from outside."""

    loop_iteration_limit = 1_000
    output_stream_limit = 4 * LARGEST
    local_namespace_limit = 4 * LARGEST
    context_depth_limit = 20
    block_nesting_limit = 10

    def __init__(self) -> None:
        super().__init__()
        self.tags = {name: tag for name, tag in self.tags.items() if name in TAGS | _INNER}
        filters.install(self)


@dataclass(frozen=True, slots=True)
class Template:
    """A mail that can be rendered."""

    name: str
    subject: BoundTemplate
    text: BoundTemplate


@dataclass(frozen=True, slots=True)
class Mail:
    """What a template came to: a subject of one line, and a text."""

    subject: str
    text: str


_BOUNDED = Bounded()


def read(name: str, content: bytes) -> Template:
    """A template out of a file: `subject: …`, a line `---`, the text. Raises BadTemplate."""
    if len(content) > LARGEST:
        raise BadTemplate(f"has more than {LARGEST} bytes")
    try:
        written = content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise BadTemplate("is no UTF-8") from error
    head, ruler, text = written.partition(f"\n{RULER}\n")
    word, colon, subject = head.partition(":")
    if not (ruler and colon and word.strip() == "subject" and subject.strip()) or "\n" in head.strip():
        raise BadTemplate(f"has to begin with a line `subject: …` and a line `{RULER}`")
    if not text.strip():
        raise BadTemplate("has no text", line=3)
    return Template(name, _parsed(subject.strip(), 1), _parsed(text, 3))


def render(template: Template, values: Mapping[str, Any]) -> Mail:
    """The mail for these values (JSON: texts, numbers, lists, objects). Raises NotRendered with the reason."""
    seen = {"now": None, "today": None, **values}
    try:
        subject, text = template.subject.render(**seen), template.text.render(**seen)
    except (LiquidError, RecursionError, OverflowError, ValueError, TypeError, ArithmeticError) as error:
        raise NotRendered(_reason(error)) from error
    line = " ".join("".join(sign if sign.isprintable() else " " for sign in subject).split())
    if not line:
        raise NotRendered("the subject is empty")
    if not text.strip():
        raise NotRendered("the text is empty")
    return Mail(line[:LONGEST_SUBJECT], text.replace("\x00", ""))


def _parsed(source: str, first_line: int) -> BoundTemplate:
    try:
        return _checked(_BOUNDED.from_string(source), source, first_line)
    except BadTemplate:
        raise
    except (LiquidError, RecursionError, ValueError, TypeError) as error:
        token = getattr(error, "token", None)
        behind = source[: token.start_index].count("\n") if token is not None and token.start_index > 0 else 0
        raise BadTemplate(_reason(error), first_line + behind) from error


def _checked(made: BoundTemplate, source: str, first_line: int) -> BoundTemplate:
    """Words that nobody knows are told now, not when the first mail is to go out."""
    used = made.analyze()
    asked = [("filter", word, found[0].index, tuple(filters.FILTERS)) for word, found in used.filters.items()]
    asked += [("value", word, found[0].span.index, ROOTS) for word, found in used.globals.items()]
    for what, word, place, known in asked:
        if word not in known:
            near = process.extractOne(word, known, scorer=fuzz.ratio, score_cutoff=NEAR)
            hint = f"; did you mean {near[0]}?" if near else f"; there are {', '.join(known)}"
            raise BadTemplate(f"{word}: no such {what}{hint}", first_line + source[:place].count("\n"))
    return made


def _reason(error: Exception) -> str:
    first = str(getattr(error, "message", "") or error).split("\n", 1)[0]
    return first[:200] or type(error).__name__
