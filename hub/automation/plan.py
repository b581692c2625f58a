"""What files change of the rules that count: which version begins, which ends, and which files are refused. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import orjson

from schemas.rules import Rule, Segment

Kind = Literal["rule", "segment"]
What = Literal["new", "changed", "on trial", "retired", "unchanged"]


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
    """What is to be done, and what is not: name → why its file is refused."""

    changes: tuple[Change, ...]
    refused: Mapping[str, str]


def kind_of(value: Rule | Segment) -> Kind:
    """What a file holds."""
    return "rule" if isinstance(value, Rule) else "segment"


def body_of(value: Rule | Segment) -> str:
    """A file as it is kept: what it says, and nothing that it leaves out."""
    return orjson.dumps(_plain(value), option=orjson.OPT_SORT_KEYS).decode()


def plan(values: Iterable[Rule | Segment], known: Mapping[str, Standing], *, prune: bool = False) -> Plan:
    """The way from what counts to what these files say. A file that is gone ends its rule with `prune` alone."""
    changes: list[Change] = []
    refused: dict[str, str] = {}
    named = {one.name: one for one in values}
    for name, value in sorted(named.items()):
        reason = _refusal(value, known.get(name))
        if reason:
            refused[name] = reason
        else:
            changes.append(_change(value, known.get(name)))
    gone = (one for name, one in sorted(known.items()) if name not in named and (one.live or one.trial))
    changes += [Change(one.name, "retired", None, None) for one in gone if prune]
    return Plan(tuple(changes), refused)


def _refusal(value: Rule | Segment, known: Standing | None) -> str | None:
    if known is None:
        return None
    if known.kind != kind_of(value):
        return f"{value.name} was a {known.kind} before: give the {kind_of(value)} another name"
    if value.version < known.newest:
        return (
            f"version {value.version} is older than {known.newest}, which is known: make it version {known.newest + 1}"
        )
    if value.version == known.newest and _plain(value) != orjson.loads(known.body):
        return f"version {value.version} is known and says something else: make it version {known.newest + 1}"
    return None


def _change(value: Rule | Segment, known: Standing | None) -> Change:
    on_trial = isinstance(value, Rule) and value.mode == "trial"
    before = known.live if known else None
    live, trial = (before, value.version) if on_trial else (value.version, None)
    if known and (known.live, known.trial) == (live, trial):
        return Change(value.name, "unchanged", live, trial, value)
    what: What = "on trial" if on_trial else "changed" if before else "new"
    return Change(value.name, what, live, trial, value)


def _plain(value: Rule | Segment) -> dict[str, Any]:
    plain: dict[str, Any] = value.model_dump(mode="json", by_alias=True, exclude_unset=True)
    return plain


def changed(plan_: Plan) -> Sequence[Change]:
    """Those of its changes that are any."""
    return [one for one in plan_.changes if one.what != "unchanged"]
