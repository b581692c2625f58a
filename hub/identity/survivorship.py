"""One value per field out of all that the records say, and the profile's line: what everybody is told.

Every strategy is a maximum over a total order, so neither order nor repetition matters (identity.md §3.6).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import orjson

from hub.identity import things
from hub.identity.consent import current, strictest
from hub.identity.evidence import ACCOUNT, MAILBOX, Known, Statement
from hub.identity.ids import as_text
from hub.identity.remarks import current as current_remarks
from hub.identity.resolve import Person
from hub.identity.strategies import (
    DEFAULT,
    Rules,
    Said,
    most_frequent,
    most_recent,
    source_priority,
    union,
    verified_first,
)
from hub.identity.things import Stated
from hub.identity.traits import VERIFIED

TAGS = "tags"
_PROOFS = {flag: field for field, flag in VERIFIED.items()}
_SPECIAL = {TAGS, *_PROOFS}
_Lines = dict[str, dict[str, str]]


class Lines(NamedTuple):
    """A profile as it is told; the same without what rules set, None where that is the same; and its owner."""

    line: bytes
    facts: bytes | None
    owner: str | None = None


def line(person: Person, activities: int, rules: Rules = DEFAULT) -> bytes:
    """The profile as one line of JSON, keys in order, no clock and no version in it: `schemas.profile.Profile`.

    `activities` is the number of inbound events of all its records.
    """
    return lines(person, activities, rules).line


def lines(person: Person, activities: int, rules: Rules = DEFAULT) -> Lines:
    """As `line`, and what `hub profiles export --facts` prints."""
    records = person.records
    fields, tags = _plain(records[0]) if len(records) == 1 and _is_plain(records[0]) else _worked_out(records, rules)
    told = {
        "activities": activities,
        "fields": dict(sorted(fields.items())),
        "identifiers": _identifiers(records),
        "owner": None,
        "profile_id": as_text(person.profile),
        "records": [
            {"key": key, "kind": kind, "source": source}
            for source, kind, key in sorted([(one.source, one.kind, one.key[1]) for one in records])
        ],
        "stage": None,
        "tags": tags,
    }
    if not any(one.evidence.set for one in records):
        return Lines(orjson.dumps(told), None)
    named, persons = (_set(records, tags, rules=by) for by in (True, False))
    return Lines(orjson.dumps(told | named), None if persons == named else orjson.dumps(told | persons), named["owner"])


def _set(records: Sequence[Known], stated_tags: Iterable[str], *, rules: bool) -> dict[str, Any]:
    """What the hub's people and rules set; a tag that a source states stays as long as it states it."""
    now = current_remarks([one.evidence.set for one in records], rules=rules)
    return {"owner": now.owner, "stage": now.stage, "tags": sorted({*stated_tags, *now.tags})}


def _is_plain(record: Known) -> bool:
    """Whether what a record says by itself needs no strategy: no proofs, no tags, no things, no consents."""
    known = record.evidence
    return not known.things and not known.consents and _SPECIAL.isdisjoint(known.fields)


def _plain(record: Known) -> tuple[_Lines, list[str]]:
    """The short way for most people, who are one record: everything that it says, and when it was seen."""
    source, key, known = record.source, record.key[1], record.evidence
    found = {
        field: {"at": one.at, "key": key, "source": source, "value": one.value} for field, one in known.fields.items()
    }
    for field, at in (("first_seen", known.first_at), ("last_seen", known.last_at)):
        found[field] = {"at": at, "key": key, "source": source, "value": at}
    return found, []


def _worked_out(records: Sequence[Known], rules: Rules) -> tuple[_Lines, list[str]]:
    """Field → what is told of it: stated traits by their strategies, and what is worked out of events and things."""
    stated: dict[str, list[_Stated]] = defaultdict(list)
    for record in records:
        for field, one in record.evidence.fields.items():
            stated[field].append((record, one))
    proofs = [field for flag, field in _PROOFS.items() if stated.pop(flag, None)]
    tags = [_of(record, TAGS, one, rules) for record, one in stated.pop(TAGS, ())]
    found: _Lines = {}
    for field, by in stated.items():
        if field not in proofs and (len(by) == 1 or _newest_wins(field, by, rules)):
            record, one = max(by, key=_newness)
            found[field] = {"at": one.at, "key": record.key[1], "source": record.source, "value": one.value}
        else:
            found |= _chosen(field, by, rules)
    found |= _seen(records)
    if any(one.evidence.things or one.evidence.consents for one in records):
        found |= _derived(records) | _consents(records)
    return found, union(tags) if tags else []


_Stated = tuple[Known, Statement]
_WITHOUT_PROOF_OR_PLACE = {most_recent, source_priority, verified_first}


def _newest_wins(field: str, by: Sequence[_Stated], rules: Rules) -> bool:
    """Whether the field's strategy comes to the newest statement here, which most do without proofs and priorities."""
    strategy = rules.strategies.get(field, most_recent)
    if strategy in _WITHOUT_PROOF_OR_PLACE:
        return field not in rules.places
    return strategy is most_frequent and len({one.value for _, one in by}) == 1


def _newness(stated: _Stated) -> tuple[bool, str, str, str, bytes]:
    """As `strategies.most_recent` orders them."""
    record, one = stated
    return one.trusted, one.at, one.event, one.value, record.record


def _chosen(field: str, by: Iterable[_Stated], rules: Rules) -> _Lines:
    """One of several statements, by the field's strategy; and whether it is proved, where anybody said that."""
    flag, said = VERIFIED.get(field), list[Said]()
    for record, one in by:
        now = _of(record, field, one, rules)
        proof = record.evidence.fields.get(flag) if flag else None
        said += _with_proof(now, proof) if proof else (now,)
    best = said[0] if len(said) == 1 else rules.strategies.get(field, most_recent)(said)
    shown = _shown(best)
    return {field: shown, flag: {**shown, "value": "true"}} if flag and best.proved else {field: shown}


def _of(record: Known, field: str, one: Statement, rules: Rules) -> Said:
    place = rules.places[field].get(record.source, 0) if field in rules.places else 0
    return Said(one.value, one.at, one.event, one.trusted, record.record, record.source, record.key[1], place)


def _with_proof(now: Said, flag: Statement) -> Iterator[Said]:
    """What the record says now, and the contact point that it has proof of, where that is another one.

    A stranger's word proves nothing that a trusted one says.
    """
    is_proof = flag.value == now.value and flag.trusted >= now.trusted
    yield now._replace(proved=is_proof)
    if flag.value not in {"", now.value}:
        yield now._replace(
            value=flag.value, at=flag.at, event=flag.event, trusted=flag.trusted, proved=True, current=False
        )


def _shown(one: Said) -> dict[str, str]:
    return {"at": one.at, "key": one.key, "source": one.source, "value": one.value}


def _seen(records: Sequence[Known]) -> _Lines:
    """When the person was seen first and last: every event counts, also one that is not believed."""
    first = min(records, key=lambda one: (one.evidence.first_at, one.evidence.first_event, one.record))
    last = max(records, key=lambda one: (one.evidence.last_at, one.record))
    return {
        field: {"at": at, "key": by.key[1], "source": by.source, "value": at}
        for field, by, at in (
            ("first_seen", first, first.evidence.first_at),
            ("last_seen", last, last.evidence.last_at),
        )
    }


def _derived(records: Iterable[Known]) -> _Lines:
    stated = [
        (name, Stated(one.value, one.at, one.event, one.trusted, record.source, record.key[1]))
        for record in records
        for name, one in record.evidence.things.items()
    ]
    return {
        one.field: {"at": one.newest.at, "key": one.newest.key, "source": one.newest.source, "value": one.value}
        for one in things.derive(stated)
    }


def _consents(records: Iterable[Known]) -> _Lines:
    """`consent.<purpose>.<contact point>` → given or withdrawn."""
    said: dict[str, list[Said]] = defaultdict(list)
    for record in records:
        for about, words in record.evidence.consents.items():
            said[about].append(_of(record, about, current(words), DEFAULT))
    return {f"consent.{about}": _shown(strictest(all_said)) for about, all_said in said.items()}


def _identifiers(records: Iterable[Known]) -> list[dict[str, str]]:
    found = set()
    for record in records:
        for claim in record.evidence.claims:
            if claim.namespace != MAILBOX:
                found.add((claim.namespace, claim.value))
        if record.kind == ACCOUNT:
            found.add(("account", f"{record.source}:{record.key[1]}"))
    return [{"type": namespace, "value": value} for namespace, value in sorted(found)]


def versioned(profile_line: bytes, version: int) -> bytes:
    """The line with its version as last key: `schemas.profile.ProfileState`."""
    return b'%s,"version":%d}' % (profile_line[:-1], version)


def redirect(survivor: bytes, version: int) -> bytes:
    """What stands under an absorbed id: `schemas.profile.ProfileRedirect`."""
    return orjson.dumps({"merged_into": as_text(survivor), "version": version})
