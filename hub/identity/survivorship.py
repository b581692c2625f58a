"""One value per field out of all that the records say, and the profile's line: what everybody is told.

Every strategy is a maximum over a total order, so neither order nor repetition matters (identity.md §3.6).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import orjson

from hub.identity.evidence import ACCOUNT, Known, Statement
from hub.identity.ids import as_text
from hub.identity.resolve import Person


def line(person: Person, activities: int) -> bytes:
    """The profile as one line of JSON, keys in order, no clock and no version in it: `schemas.profile.Profile`.

    `activities` is the number of inbound events of all its records.
    """
    return orjson.dumps(
        {
            "activities": activities,
            "fields": _fields(person.records),
            "identifiers": _identifiers(person.records),
            "owner": None,
            "profile_id": as_text(person.profile),
            "records": [
                {"key": key, "kind": kind, "source": source}
                for source, kind, key in sorted((one.source, one.kind, one.key[1]) for one in person.records)
            ],
            "stage": None,
            "tags": [],
        }
    )


def _fields(records: Iterable[Known]) -> dict[str, Mapping[str, str]]:
    best: dict[str, tuple[Statement, Known]] = {}
    for record in records:
        for field, statement in record.evidence.fields.items():
            known = best.get(field)
            if known is None or statement.rank > known[0].rank:
                best[field] = (statement, record)
    return {
        field: {"at": said.at, "key": by.key[1], "source": by.source, "value": said.value}
        for field, (said, by) in sorted(best.items())
    }


def _identifiers(records: Iterable[Known]) -> list[dict[str, str]]:
    found = {(claim.namespace, claim.value) for record in records for claim in record.evidence.claims}
    found |= {("account", f"{record.source}:{record.key[1]}") for record in records if record.kind == ACCOUNT}
    return [{"type": namespace, "value": value} for namespace, value in sorted(found)]


def versioned(profile_line: bytes, version: int) -> bytes:
    """The line with its version as last key: `schemas.profile.ProfileState`."""
    return b'%s,"version":%d}' % (profile_line[:-1], version)


def redirect(survivor: bytes, version: int) -> bytes:
    """What stands under an absorbed id: `schemas.profile.ProfileRedirect`."""
    return orjson.dumps({"merged_into": as_text(survivor), "version": version})
