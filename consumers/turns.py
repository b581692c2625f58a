"""Whose turn it is in a team: turns of many deeds are taken together, and each sees what those before it did."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from hub.identity.ids import as_text, hash_id
from hub.storage import ledger, owners
from hub.storage.pool import Connection
from hub.tables import Colleague
from hub.verbs import Scene


class Choice(NamedTuple):
    """A deed that chooses of a team: its crew, those in question (empty: it weighs, so they are known later)."""

    team: str
    crew: Sequence[Colleague]
    among: Sequence[str]
    weighs: bool

    @property
    def key(self) -> str:
        """Under what the turns are counted: each set of people among whom is chosen has turns of its own, so that
        everybody of it is given as much, give or take one. The whole team's is its name. Choices that weigh share one
        row, which each of them holds: somebody may be in several teams.
        """
        if self.weighs:
            return "by capacity"
        if sorted(self.among) == sorted(one.address for one in self.crew):
            return self.team
        return f"{self.team} {as_text(hash_id('turn', self.team, *sorted(self.among)))}"


class Turns:
    """The turns that are ours, and how many customers everybody has by now."""

    def __init__(self, first: Mapping[str, int], owned: Mapping[str, int]) -> None:
        self._next = dict(first)
        self._owned = Counter(owned)

    def seen(self, choice: Choice, scene: Scene) -> Scene:
        """The scene with the turn that comes next, and the crew as it stands."""
        turn = self._next.get(choice.key, 0)
        self._next[choice.key] = turn + 1
        crew = [replace(one, owned=self._owned[one.address]) for one in choice.crew] if choice.weighs else choice.crew
        return replace(scene, turn=turn, crew=crew)

    def heed(self, given: Iterable[str]) -> None:
        """These were given a customer more."""
        self._owned.update(given)


async def take(connection: Connection, choices: Sequence[Choice]) -> Turns:
    """Take the turns. Whoever wants one of the same sort waits until this transaction ends, and sees what it gave."""
    wanted = Counter(one.key for one in choices)
    first = await ledger.turns(connection, wanted) if wanted else {}
    weighed = sorted({member.address for one in choices if one.weighs for member in one.crew})
    return Turns(first, await owners.owned(connection, weighed) if weighed else {})
