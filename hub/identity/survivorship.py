"""One value per field out of all that the records say, and the profile's line: what everybody is told.

Every strategy is a maximum over a total order, so neither order nor repetition matters (identity.md §3.6).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

import orjson

from hub.identity import things
from hub.identity.consent import current, strictest
from hub.identity.evidence import ACCOUNT, MAILBOX, Known, Statement
from hub.identity.ids import as_text
from hub.identity.resolve import Person
from hub.identity.strategies import DEFAULT, Rules, Said, greatest, least, most_recent, union
from hub.identity.things import Stated
from hub.identity.traits import VERIFIED

TAGS = "tags"
_PROOFS = {flag: field for field, flag in VERIFIED.items()}
_Lines = dict[str, dict[str, str]]


def line(person: Person, activities: int, rules: Rules = DEFAULT) -> bytes:
    """The profile as one line of JSON, keys in order, no clock and no version in it: `schemas.profile.Profile`.

    `activities` is the number of inbound events of all its records.
    """
    said = _said(person.records, rules)
    tags = said.pop(TAGS, None)
    return orjson.dumps(
        {
            "activities": activities,
            "fields": _fields(person.records, said, rules),
            "identifiers": _identifiers(person.records),
            "owner": None,
            "profile_id": as_text(person.profile),
            "records": [
                {"key": key, "kind": kind, "source": source}
                for source, kind, key in sorted((one.source, one.kind, one.key[1]) for one in person.records)
            ],
            "stage": None,
            "tags": union(tags) if tags else [],
        },
        option=orjson.OPT_SORT_KEYS,
    )


def _fields(records: Sequence[Known], said: Mapping[str, Sequence[Said]], rules: Rules) -> _Lines:
    """Field → what is told of it: stated traits by their strategies, and what is worked out of events and things."""
    found: _Lines = {}
    for field, all_said in said.items():
        best = all_said[0] if len(all_said) == 1 else rules.strategies.get(field, most_recent)(all_said)
        found[field] = _shown(best)
        if best.proved:
            found[VERIFIED[field]] = {**found[field], "value": "true"}
    found |= _seen(records)
    if any(one.evidence.things or one.evidence.consents for one in records):
        found |= _derived(records) | _consents(records)
    return found


def _said(records: Iterable[Known], rules: Rules) -> dict[str, list[Said]]:
    """Field → what each record says of it."""
    found: dict[str, list[Said]] = defaultdict(list)
    for record in records:
        stated = record.evidence.fields
        for field, one in stated.items():
            if field not in _PROOFS:
                found[field].append(_of(record, field, one, rules))
        for flag in _PROOFS.keys() & stated.keys():
            if (field := _PROOFS[flag]) in stated:
                found[field][-1:] = _with_proof(found[field][-1], stated[flag])
    return found


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


def _seen(records: Iterable[Known]) -> _Lines:
    """When the person was seen first and last: every event counts, also one that is not believed."""
    first, last = [], []
    for record, source, _, key, known in records:
        first.append(Said(known.first_at, known.first_at, known.first_event, True, record, source, key[1]))  # noqa: FBT003 - an event is seen, believed or not
        last.append(Said(known.last_at, known.last_at, "", True, record, source, key[1]))  # noqa: FBT003 - likewise
    if len(first) > 1:
        return {"first_seen": _shown(least(first)), "last_seen": _shown(greatest(last))}
    return {"first_seen": _shown(first[0]), "last_seen": _shown(last[0])}


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
    claims = (claim for record in records for claim in record.evidence.claims)
    found = {(claim.namespace, claim.value) for claim in claims if claim.namespace != MAILBOX}
    found |= {("account", f"{record.source}:{record.key[1]}") for record in records if record.kind == ACCOUNT}
    return [{"type": namespace, "value": value} for namespace, value in sorted(found)]


def versioned(profile_line: bytes, version: int) -> bytes:
    """The line with its version as last key: `schemas.profile.ProfileState`."""
    return b'%s,"version":%d}' % (profile_line[:-1], version)


def redirect(survivor: bytes, version: int) -> bytes:
    """What stands under an absorbed id: `schemas.profile.ProfileRedirect`."""
    return orjson.dumps({"merged_into": as_text(survivor), "version": version})
