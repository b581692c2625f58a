"""Consent belongs to a contact point and a purpose: what each record says of it now, and what that comes to.

What is *current* of one record: its newest statement by event time; at the same time a withdrawal counts. A word that
is not trusted may withdraw what a trusted one gave, and never gives back what a trusted one withdrew. Of several
records, one that says withdrawn is enough: only that record itself can lift it, by a later consent. So no merge and no
other source ever widens a consent (identity.md §3.6).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple, TypeVar

from hub.identity.word import Word

GIVEN, WITHDRAWN = "given", "withdrawn"
STATES: Mapping[str, str] = {"consent.given": GIVEN, "consent.withdrawn": WITHDRAWN}
"""Event type → what it says."""


class Consent(NamedTuple):
    """What an event says: `about` is `<purpose>.<contact point>`, `state` is given or withdrawn."""

    about: str
    state: str


W = TypeVar("W", bound=Word)


def newest(said: Iterable[W]) -> list[W]:
    """What has to be kept of a record's words on one contact point: the newest trusted one, and the newest other."""
    best: dict[bool, W] = {}
    for one in said:
        if one.trusted not in best or _order(one) > _order(best[one.trusted]):
            best[one.trusted] = one
    return [best[trusted] for trusted in (False, True) if trusted in best]


def current(said: Iterable[W]) -> W:
    """What a record says now. `said` is not empty."""
    *others, last = newest(said)
    for one in others:  # the untrusted word, where there is a trusted one
        if one.value == WITHDRAWN and one.at >= last.at:
            return one
    return last


def strictest(said: Iterable[W]) -> W:
    """What the current words of several records come to: a withdrawal if there is one, the newest of its kind."""
    return max(said, key=lambda one: (one.value == WITHDRAWN, one.at, one.event))


def _order(one: Word) -> tuple[str, bool, str]:
    return one.at, one.value == WITHDRAWN, one.event
