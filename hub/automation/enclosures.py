"""What a rule needs beside its own file: the templates of its mails. They become a part of the version. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

from pydantic import ValidationError

from hub.automation.files import Loaded, parsed
from hub.automation.problems import Place, Problem
from hub.automation.templates import BadTemplate, read
from hub.automation.walk import steps_of
from schemas.actions import SendEmail
from schemas.rules import ActionStep, Rule

VERB, TEMPLATE, SOURCE = "send_email", "template", "source"
WRITING = frozenset({VERB, "notify"})
"""The verbs that write mails."""
Find = Callable[[str], bytes | None]
"""The content of a template by its name; None where there is none."""


def enclosed(one: Loaded, find: Find) -> tuple[Loaded, list[Problem]]:
    """The file with the text of its templates in it, and what is wrong with them.

    So who waits in a journey gets the mail of the version they began with, and a template that was changed asks for a
    new version of its rules.
    """
    if not isinstance(one.value, Rule):
        return one, []
    texts: dict[str, str] = {}
    problems = []
    for place, settings in _mails(one.value):
        try:
            texts[settings.template] = _text(settings, find)
        except BadTemplate as error:
            at = f"line {error.line}: " if error.line > 1 else ""
            problems.append(one.where.problem((*place, VERB, TEMPLATE), f"{settings.template}: {at}{error}"))
    if problems or not texts:
        return one, problems
    plain: dict[str, Any] = one.value.model_dump(mode="json", by_alias=True, exclude_unset=True)
    return Loaded(one.where, parsed({**plain, "steps": _filled(plain["steps"], texts)}), one.problems), []


def first_mail(one: Loaded) -> Place | None:
    """Where the file sends its first mail; None where it sends none."""
    if not isinstance(one.value, Rule):
        return None
    steps = ((place, step) for place, step in steps_of(one.value.steps) if isinstance(step, ActionStep))
    mails = ((place, step) for place, step in steps if step.verb in WRITING and "destination" not in step.settings)
    return next(((*place, step.verb) for place, step in mails), None)


def first_offer(one: Loaded) -> Place | None:
    """Where the file sends its first mail of `purpose: marketing`; None where it sends none."""
    mails = _mails(one.value) if isinstance(one.value, Rule) else ()
    return next(((*place, VERB) for place, mail in mails if mail.purpose == "marketing"), None)


def _mails(rule: Rule) -> Iterator[tuple[Place, SendEmail]]:
    """The steps that send a mail, but those whose settings are wrong: `hub.automation.checks` tells of them."""
    for place, step in steps_of(rule.steps):
        if isinstance(step, ActionStep) and step.verb == VERB:
            with suppress(ValidationError):
                yield place, SendEmail.model_validate(step.settings)


def _text(settings: SendEmail, find: Find) -> str:
    content = find(settings.template) if settings.source is None else settings.source.encode()
    if content is None:
        raise BadTemplate(f"there is no templates/{settings.template}.liquid beside the rule")
    read(settings.template, content)
    return content.decode("utf-8-sig")


def _filled(steps: list[dict[str, Any]], texts: dict[str, str]) -> list[dict[str, Any]]:
    found = []
    for step in steps:
        if VERB in step:
            text = texts.get(step[VERB].get(TEMPLATE))
            found.append({VERB: step[VERB] if text is None else {SOURCE: text, **step[VERB]}})
        elif "branch" in step:
            ways = {way: _filled(step["branch"][way], texts) for way in ("then", "else") if way in step["branch"]}
            found.append({"branch": {**step["branch"], **ways}})
        else:
            found.append(step)
    return found
