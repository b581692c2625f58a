"""What files change of the rules that count: which version begins, which ends, and which files are refused. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import orjson

from schemas.rules import Rule, Segment

Kind = Literal["rule", "segment"]
What = Literal["new", "changed", "on trial", "switched", "retired", "unchanged"]
MODE = "mode"
"""The word of a file that says how its version stands: no part of what the version says."""
IS_LIVE = "this version is live by now: take the line out, or try another one with a higher version"


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of a name: its newest version and that one's text (JSON), and which versions count."""

    name: str
    kind: Kind
    newest: int
    body: str
    live: int | None = None
    trial: int | None = None
    paused: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """What becomes of a name. `value` is what the file holds; None: there is no file any more."""

    name: str
    what: What
    live: int | None
    trial: int | None
    value: Rule | Segment | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be done, and what is not: name → why its file is refused. `hints`: name → what `mode` says in vain."""

    changes: tuple[Change, ...]
    refused: Mapping[str, str]
    hints: Mapping[str, str] = field(default_factory=dict)


def kind_of(value: Rule | Segment) -> Kind:
    """What a file holds."""
    return "rule" if isinstance(value, Rule) else "segment"


def body_of(value: Rule | Segment) -> str:
    """A file as it is kept: what it says, and nothing that it leaves out. How it stands is told elsewhere."""
    return orjson.dumps(_plain(value), option=orjson.OPT_SORT_KEYS).decode()


def as_it_stands(value: Rule, *, on_trial: bool) -> Rule:
    """A version in the mode that counts now, whatever its file said when it was taken over."""
    return value.model_copy(update={MODE: "trial" if on_trial else "live"})


def same_steps(body: str, other: str) -> bool:
    """Whether two versions (JSON) do the same where they fire."""
    one, two = (orjson.loads(text) for text in (body, other))
    return all(one.get(word) == two.get(word) for word in ("steps", "exits"))


def plan(values: Iterable[Rule | Segment], known: Mapping[str, Standing], *, prune: bool = False) -> Plan:
    """The way from what counts to what these files say. A file that is gone ends its rule with `prune` alone.

    What is live never goes back to trial by itself: a version that was switched stays live while its file says `trial`.
    """
    changes: list[Change] = []
    refused: dict[str, str] = {}
    hints: dict[str, str] = {}
    named = {one.name: one for one in values}
    for name, value in sorted(named.items()):
        reason = _refusal(value, known.get(name))
        if reason:
            refused[name] = reason
        else:
            changes.append(_change(value, known.get(name)))
            if _on_trial(value) and changes[-1].live == value.version:
                hints[name] = IS_LIVE
    gone = (one for name, one in sorted(known.items()) if name not in named and (one.live or one.trial))
    changes += [Change(one.name, "retired", None, None) for one in gone if prune]
    return Plan(tuple(changes), refused, hints)


def _refusal(value: Rule | Segment, known: Standing | None) -> str | None:
    if known is None:
        return None
    if known.kind != kind_of(value):
        return f"{value.name} was a {known.kind} before: give the {kind_of(value)} another name"
    if value.version < known.newest:
        return (
            f"version {value.version} is older than {known.newest}, which is known: make it version {known.newest + 1}"
        )
    if value.version == known.newest and _plain(value) != _without_mode(orjson.loads(known.body)):
        return f"version {value.version} is known and says something else: make it version {known.newest + 1}"
    return None


def _change(value: Rule | Segment, known: Standing | None) -> Change:
    before, tried = (known.live, known.trial) if known else (None, None)
    on_trial = _on_trial(value) and before != value.version
    live, trial = (before, value.version) if on_trial else (value.version, None)
    if (before, tried) == (live, trial):
        return Change(value.name, "unchanged", live, trial, value)
    if not on_trial and tried == value.version:
        return Change(value.name, "switched", live, trial, value)
    what: What = "on trial" if on_trial else "changed" if before else "new"
    return Change(value.name, what, live, trial, value)


def _on_trial(value: Rule | Segment) -> bool:
    return isinstance(value, Rule) and value.mode == "trial"


def _plain(value: Rule | Segment) -> dict[str, Any]:
    plain: dict[str, Any] = value.model_dump(mode="json", by_alias=True, exclude_unset=True)
    return _without_mode(plain)


def _without_mode(plain: dict[str, Any]) -> dict[str, Any]:
    return {word: said for word, said in plain.items() if word != MODE}


def changed(plan_: Plan) -> Sequence[Change]:
    """Those of its changes that are any."""
    return [one for one in plan_.changes if one.what != "unchanged"]


def switch(known: Standing) -> Change | None:
    """The version on trial becomes the live one; None: nothing is on trial."""
    return Change(known.name, "switched", known.trial, None) if known.trial else None
