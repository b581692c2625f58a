"""Which of several statements of a field counts: each strategy is the maximum of a total order (identity.md §3.6).

So neither the order in which statements come nor a repetition matters. A trusted word comes before every other one,
whatever the strategy (design §6), and the last to decide are always time, source, event and value. What people and
rules of the hub set is in `hub.identity.remarks`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING, NamedTuple

import orjson

from hub.errors import Misconfigured

if TYPE_CHECKING:
    from hub.settings import Settings


class Said(NamedTuple):
    """A record's statement of a field. `place` is its source's rank for the field, higher first; 0 where none is set.

    `proved`: the source has proof of the contact point. `current`: the record has not said another value since.
    """

    value: str
    at: str
    event: str
    trusted: bool
    record: bytes
    source: str
    key: str
    place: int = 0
    proved: bool = False
    current: bool = True


Strategy = Callable[[Sequence[Said]], Said]


def _weight(one: Said) -> bool:
    """What is compared before everything else."""
    return one.trusted


def _last(one: Said) -> tuple[str, int, str, Said]:
    """What is compared after everything else; a statement itself begins with its value."""
    return one.at, one.place, one.event, one


def most_recent(said: Sequence[Said]) -> Said:
    """The newest."""
    return max(said, key=lambda one: (_weight(one), _last(one)))


def source_priority(said: Sequence[Said]) -> Said:
    """That of the source which comes first for this field, then the newest."""
    return max(said, key=lambda one: (_weight(one), one.place, _last(one)))


def verified_first(said: Sequence[Said]) -> Said:
    """One that its source has proof of, then one that its record still says, then the newest."""
    return max(said, key=lambda one: (_weight(one), one.proved, one.current, _last(one)))


def most_complete(said: Sequence[Said]) -> Said:
    """The one with the most parts filled, then the newest. The value is a JSON object and stays whole."""
    return max(said, key=lambda one: (_weight(one), len(orjson.loads(one.value)), _last(one)))


def most_frequent(said: Sequence[Said]) -> Said:
    """What the most records say (records, not events), then the newest."""
    known = believed(said)
    records: dict[str, set[bytes]] = defaultdict(set)
    for one in known:
        records[one.value].add(one.record)
    return max(known, key=lambda one: (len(records[one.value]), _last(one)))


def union(said: Sequence[Said]) -> list[str]:
    """All members of these sets, each a JSON list of texts; in order."""
    return sorted({member for one in believed(said) for member in orjson.loads(one.value)})


def believed(said: Sequence[Said]) -> Sequence[Said]:
    """Those that count where several are taken together: the trusted ones if there are any."""
    return [one for one in said if _weight(one)] or said


STRATEGIES: Mapping[str, Strategy] = {
    one.__name__: one for one in (most_recent, source_priority, verified_first, most_frequent, most_complete)
}
FIELDS: Mapping[str, Strategy] = {
    "address": most_complete,
    "birth_date": source_priority,
    "company": source_priority,
    "email": verified_first,
    "family_name": most_recent,
    "given_name": most_recent,
    "job_title": most_recent,
    "language": most_recent,
    "name": most_frequent,
    "phone": verified_first,
    "tax_id": source_priority,
    "timezone": most_recent,
}
"""Field → strategy; any other stated field is `most_recent`. `docs/fields.md` says it for people."""

_ONLY_FOR: Mapping[str, set[str]] = {"verified_first": {"email", "phone"}, "most_complete": {"address"}}


class Rules(NamedTuple):
    """Field → strategy, and field → source → place: an installation's own wishes over the defaults."""

    strategies: Mapping[str, Strategy] = FIELDS
    places: Mapping[str, Mapping[str, int]] = {}


DEFAULT = Rules()


def rules(settings: Settings) -> Rules:
    """The rules of `[survivorship]`. A field with a priority and no strategy is of `source_priority`.

    Raises Misconfigured, a line per wrong word, each beginning with the setting's name.
    """
    wrong = check(settings)
    if wrong:
        raise Misconfigured("\n".join(wrong))
    wished = settings.survivorship
    own = dict.fromkeys(wished.priority, source_priority) | {
        field: STRATEGIES[name] for field, name in wished.strategy.items()
    }
    places = {
        field: {source: len(sources) - number for number, source in enumerate(dict.fromkeys(sources))}
        for field, sources in wished.priority.items()
    }
    return Rules({**FIELDS, **own}, places)


def check(settings: Settings) -> list[str]:
    """What is wrong with `[survivorship]`, one sentence each."""
    wished = settings.survivorship
    found = [f"survivorship.priority.{field}: {_unknown(field, FIELDS)}" for field in wished.priority.keys() - FIELDS]
    for field, name in wished.strategy.items():
        at = f"survivorship.strategy.{field}"
        if field not in FIELDS:
            found.append(f"{at}: {_unknown(field, FIELDS)}")
        elif name not in STRATEGIES:
            found.append(f"{at}: {_unknown(name, STRATEGIES)}")
        elif field not in _ONLY_FOR.get(name, {field}):
            found.append(f"{at}: {name} is for {' and '.join(sorted(_ONLY_FOR[name]))} alone")
    return sorted(found)


def _unknown(word: str, known: Iterable[str]) -> str:
    names = sorted(known)
    near = get_close_matches(word, names, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    return f"there is no {word!r}, only {', '.join(names)}{hint}"
