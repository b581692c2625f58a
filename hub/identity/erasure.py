"""People who are erased: which facts count no more, and as whom somebody comes back.

An erasure is an event like any other. It names records and identifiers by their ids, and what counts is a function of
the set: whatever happened to one of them by then never did, in whichever order the events arrive. Who comes back later
is somebody new: the record gets another id, so an old one never leads to the new person (identity.md §3.8). Pure.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import msgspec
import orjson

from hub.identity.decisions import Decision, Ruling
from hub.identity.evidence import MAILBOX, OBJECT, Fact, Who
from hub.identity.ids import as_text, from_text, hash_id, identifier_id

Until = Mapping[bytes, str]
"""Id of a record or of an identifier → the time (text) until which everything of it is erased, that moment included."""

_BY_WORD = frozenset({"email", MAILBOX, OBJECT})
"""Whoever states one of these means its owner. A number or a device may have passed through other hands: it erases
what is known by it alone."""
_NOTHING = b"null"


def again(record: bytes) -> bytes:
    """The record that somebody begins with who comes back after this one was erased."""
    return hash_id("again", as_text(record))


def at_first(record: bytes, until: Until) -> bytes:
    """The record that somebody was before they were erased and came back, as far as these erasures tell."""
    before = {again(key): key for key in until}
    while record in before:
        record = before[record]
    return record


def keys(fact: Fact) -> set[bytes]:
    """The ids by which an erasure may reach a fact."""
    if fact.who:
        return {fact.who.record, *(claim.identifier for claim in fact.who.claims)}
    if fact.remark:
        return {fact.remark.record}
    if fact.decision:
        return {*fact.decision.records, *(_kept(one) for side in fact.decision.keeps for one in side)}
    return set()


def living(fact: Fact, until: Until) -> Fact:
    """The fact as it counts: as it was said, of somebody who came back, without what was erased, or of nobody."""
    if fact.who:
        record = generation(fact.who.record, fact.at, until)
        if record is None or _is_named(fact, fact.who, until):
            return fact._replace(who=None, payload=_NOTHING, things=(), consents=())
        return fact if record == fact.who.record else fact._replace(who=fact.who._replace(record=record))
    if fact.remark and fact.remark.record in until:
        return fact._replace(remark=None, payload=_NOTHING)  # it names who was there before, whenever it was said
    if fact.decision and not until.keys().isdisjoint(keys(fact)):
        return fact._replace(decision=_without(fact.decision, until), payload=retold(fact.payload, until))
    return fact


def generation(record: bytes, at: str, until: Until) -> bytes | None:
    """As which record somebody speaks at this time; None where it is erased."""
    while (last := until.get(record)) is not None:
        if at <= last:
            return None
        record = again(record)
    return record


def _is_named(fact: Fact, who: Who, until: Until) -> bool:
    """Whether it states an erased identifier in a way that means its owner."""
    key = (who.key_namespace, who.key)
    return any(
        fact.at <= until.get(claim.identifier, "")
        and (claim.namespace in _BY_WORD or key == (claim.namespace, claim.value))
        and claim.links(trusted=fact.trusted, key=key)
        for claim in who.claims
    )


def _without(decision: Decision, until: Until) -> Decision:
    near, far = (tuple(one for one in side if one not in until) for side in decision.sides)
    mine, theirs = (tuple(one for one in side if _kept(one) not in until) for side in decision.keeps)
    return decision._replace(sides=(near, far), keeps=(mine, theirs))


def ruling_without(ruling: Ruling, until: Until) -> Ruling:
    """What a record keeps of a decision, without the identifiers that are erased."""
    return msgspec.structs.replace(ruling, keeps=tuple(one for one in ruling.keeps if _kept(one) not in until))


def retold(payload: bytes, until: Collection[bytes]) -> bytes:
    """A decision's data (JSON) without the records that are erased, and without words that may speak of them."""
    said: dict[str, Any] = orjson.loads(payload)
    left: dict[str, Any] = {name: said[name] for name in ("by", "withdraws") if name in said}
    if "records" in said:
        left["records"] = _others(said["records"], until)
    if "sides" in said:
        left["sides"] = [_others(side, until) for side in said["sides"]]
    return orjson.dumps(left, option=orjson.OPT_SORT_KEYS)


def _others(records: list[str], until: Collection[bytes]) -> list[str]:
    return [one for one in records if from_text(one) not in until]


def _kept(written: str) -> bytes:
    """The id of an identifier as decisions write it: `email:ann@example.com`."""
    namespace, _, value = written.partition(":")
    return identifier_id(namespace, value)
