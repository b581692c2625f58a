"""Rules of identity that change in the middle of a test: caps, and whose mailbox is nobody's."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import pytest

from hub.identity import evidence, normalise, outcome, resolve
from hub.identity.evidence import Fact
from hub.identity.review import is_blocked


class RuleSet(NamedTuple):
    """Caps, codes, and names of mailboxes: which are nobody's beside the listed ones, which of those are somebody's."""

    claimers: int
    codes: int
    blocked: tuple[str, ...] = ()
    free: tuple[str, ...] = ()


class Rules:
    """The rules of this test."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._patch = monkeypatch
        self._listed = normalise._ROLES

    def are(self, today: RuleSet) -> None:
        """From now on."""
        self._patch.setattr(resolve, "MOST_CLAIMERS", dict.fromkeys(resolve.MOST_CLAIMERS, today.claimers))
        for module in (resolve, outcome):
            self._patch.setattr(module, "MOST_CODES", today.codes)
        self._patch.setattr(normalise, "_ROLES", (self._listed | set(today.blocked)) - set(today.free))
        self.forget()

    @staticmethod
    def forget() -> None:
        """What was normalised by other rules."""
        normalise.email.cache_clear()
        normalise._canonical.cache_clear()
        evidence.recognise.cache_clear()


def today(facts: Iterable[Fact]) -> list[Fact]:
    """Facts under the keys that they were written with, their values read by today's rules."""
    return [
        one._replace(
            who=one.who._replace(
                claims=tuple(
                    claim._replace(blocked=is_blocked(claim.namespace, claim.value)) for claim in one.who.claims
                )
            )
        )
        if one.who
        else one
        for one in facts
    ]
