"""Why are these records one person: the edges, the rules' version, the decisions, the operations, the old ids."""

from __future__ import annotations

from typing import Any

import orjson

from hub import clock
from hub.api.deciding import living
from hub.identity.decisions import standing
from hub.identity.explanation import Reason, explain
from hub.identity.ids import as_text
from hub.identity.outcome import Row
from hub.identity.resolve import RULES
from hub.storage import decisions
from hub.storage.decisions import Made, Operation
from hub.storage.pool import Pool


async def why(pool: Pool, written: str) -> dict[str, Any]:
    """The explanation of the profile that an id leads to (`hub.api.shapes.Why`). Raises Reject, NotFound, Retry."""
    identity = await living(pool, written)
    rows = (await decisions.scope(pool, [identity])).rows
    told = explain([row.known for row in rows.values()])
    person = next(one for one in told.people if one.profile == identity)
    records = [known.record for known in person.records]
    joined, apart = told.of(person)
    operations = await decisions.operations(pool, records)
    made = await decisions.made(pool, records)
    live = in_force(rows)
    ids = {before for one in operations for _, before, _ in one.moves if before} & set(records)
    return {
        "profile_id": as_text(identity),
        "rules": RULES,
        "records": [record_told(rows[record]) for record in records],
        "joined": [_reason(one, rows, identity) for one in joined],
        "apart": [_reason(one, rows, identity) for one in apart],
        "decisions": [decision_told(one, live) for one in made],
        "operations": [_operation(one) for one in operations],
        "redirects": [as_text(one) for one in sorted(ids - {identity})],
    }


def in_force(rows: dict[bytes, Row]) -> set[str]:
    """The ids of the decisions in force among these records."""
    decided = standing((record, row.known.evidence.rulings) for record, row in rows.items())
    return {one.decision for one in decided.merges} | {one.decision for one in decided.cuts}


def record_told(row: Row) -> dict[str, Any]:
    """A record as it is told (`hub.api.deciding_shapes.WhyRecord`)."""
    known = row.known
    return {
        "id": as_text(known.record),
        "source": known.source,
        "kind": known.kind,
        "key": known.key[1],
        "names": sorted({" ".join(filter(None, name)) for name in known.evidence.names}),
        "first_at": known.evidence.first_at,
        "activities": row.activities,
        "trusted": any(claim.trusted for claim in known.evidence.claims),
    }


def _reason(one: Reason, rows: dict[bytes, Row], identity: bytes) -> dict[str, Any]:
    inside = rows[identity].profile
    home = next((home for end in (one.one, one.other) if (home := rows[end].profile) != inside), None)
    return {
        "one": as_text(one.one),
        "other": as_text(one.other),
        "other_profile": as_text(home) if one.refusal and home else None,
        "by": one.by,
        "value": one.value,
        "refusal": one.refusal,
        "sentence": one.sentence,
    }


def decision_told(one: Made, live: set[str]) -> dict[str, Any]:
    """A decision as it is told (`hub.api.deciding_shapes.WhyDecision`); `live` are those in force."""
    said = orjson.loads(one.data)
    kept = {name: said.get(name) for name in ("by", "reason")}
    written = as_text(one.decision)
    return {"id": written, "type": one.type, "at": clock.text(one.at), **kept, "in_force": written in live}


def _operation(one: Operation) -> dict[str, Any]:
    return {
        "operation": one.number,
        "at": clock.text(one.at),
        "rules": one.rules,
        "cause": as_text(one.cause) if one.cause else None,
        "cause_type": one.cause_type,
        "moves": [
            {"record": as_text(record), "from": as_text(before) if before else None, "to": as_text(after)}
            for record, before, after in one.moves
        ],
    }
