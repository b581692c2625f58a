"""What a rule needs beside its own file: the templates of its mails. They become a part of the version. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from hub.automation.files import Loaded, parsed
from hub.automation.problems import Place, Problem
from hub.automation.templates import BadTemplate, read
from hub.automation.walk import steps_of
from schemas.rules import ActionStep, Rule

VERB, TEMPLATE, SOURCE = "send_email", "template", "source"
Find = Callable[[str], bytes | None]
"""The content of a template by its name; None where there is none."""


def enclosed(one: Loaded, find: Find) -> tuple[Loaded, list[Problem]]:
    """The file with the text of its templates in it, and what is wrong with them.

    So who waits in a journey gets the mail of the version they began with, and a template that was changed asks for a
    new version of its rules.
    """
    if not isinstance(one.value, Rule) or not list(_mails(one.value)):
        return one, []
    texts: dict[str, str] = {}
    problems = []
    for place, settings in _mails(one.value):
        name = str(settings.get(TEMPLATE, ""))
        try:
            texts[name] = _text(name, settings.get(SOURCE), find)
        except BadTemplate as error:
            at = f"line {error.line}: " if error.line > 1 else ""
            problems.append(one.where.problem((*place, VERB, TEMPLATE), f"{name}: {at}{error}"))
    if problems:
        return one, problems
    plain: dict[str, Any] = one.value.model_dump(mode="json", by_alias=True, exclude_unset=True)
    return Loaded(one.where, parsed({**plain, "steps": _filled(plain["steps"], texts)}), one.problems), []


def first_mail(one: Loaded) -> Place | None:
    """Where the file sends its first mail; None where it sends none."""
    if not isinstance(one.value, Rule):
        return None
    return next(((*place, VERB) for place, _ in _mails(one.value)), None)


def _mails(rule: Rule) -> Iterator[tuple[Place, dict[str, Any]]]:
    for place, step in steps_of(rule.steps):
        if isinstance(step, ActionStep) and step.verb == VERB:
            yield place, step.settings


def _text(name: str, inside: str | None, find: Find) -> str:
    content = inside.encode() if inside is not None else find(name)
    if content is None:
        raise BadTemplate(f"there is no templates/{name}.liquid beside the rule")
    read(name, content)
    return content.decode("utf-8-sig")


def _filled(steps: list[dict[str, Any]], texts: dict[str, str]) -> list[dict[str, Any]]:
    found = []
    for step in steps:
        if VERB in step:
            found.append({VERB: {**step[VERB], SOURCE: texts[step[VERB][TEMPLATE]]}})
        elif "branch" in step:
            ways = {way: _filled(step["branch"][way], texts) for way in ("then", "else") if way in step["branch"]}
            found.append({"branch": {**step["branch"], **ways}})
        else:
            found.append(step)
    return found
