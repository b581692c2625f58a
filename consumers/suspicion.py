"""What becomes of a pair of people who may be one: in the queue or not, and in which state. Pure.

A pair is a function of the two profiles, of the decisions in force between them, and of the fingerprint on which the
last one was made; so a replay of the topic ends in the same open pairs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import product
from typing import NamedTuple

import orjson

from hub.identity.clusters import CUT
from hub.identity.decisions import standing
from hub.identity.evidence import DEVICE, Known
from hub.identity.explanation import explain
from hub.identity.ids import from_text
from hub.identity.outcome import Row
from hub.identity.resolve import DECISION
from hub.identity.suspects import Traits, Weights, block_keys, fingerprint, score, traits_of
from hub.storage.suspects import BY_SCORE, CONFIRMED, OPEN, REFUSED, REJECTED, SUPERSEDED, Key, Pair, key_of


class Person(NamedTuple):
    """A profile for comparing."""

    traits: Traits
    keys: frozenset[str]


class Scene(NamedTuple):
    """What pairs are judged by.

    `people` holds everybody who lives, by profile id; `refused` the sentence of a rule that keeps two apart, `cuts` the
    newest decision in force that does, `merges` the records of decisions in force that join; `unwritten` are decisions
    that were made and are not written yet.
    """

    people: Mapping[bytes, Person]
    refused: Mapping[Key, str]
    cuts: Mapping[Key, bytes]
    merges: Mapping[bytes, frozenset[bytes]]
    unwritten: frozenset[bytes]
    weights: Weights


def person(records: Iterable[Known]) -> Person:
    """The traits and block keys of somebody with these records."""
    traits = traits_of(records)
    return Person(traits, frozenset(block_keys(traits)))


def judge(key: Key, row: Pair | None, scene: Scene) -> Pair | None:
    """The pair as it should be stored; None where it is nothing to look at."""
    if row and row.state in {CONFIRMED, REJECTED} and row.decision in scene.unwritten:
        return row
    if not scene.people.keys() >= set(key):
        return row and _over(row, scene)
    pair = _scored(key, scene)
    if pair is None:
        return _forgotten(row, scene) if row and row.decision else None
    return _settled(pair, row, scene.cuts.get(key))


def _scored(key: Key, scene: Scene) -> Pair | None:
    """The pair as nobody has decided about it; None where neither likeness nor a refusal speaks for it."""
    one, other = (scene.people[record] for record in key)
    scored = score(one.traits, other.traits, scene.weights)
    refusal = scene.refused.get(key)
    if refusal is None and (scored.band is None or one.keys.isdisjoint(other.keys)):
        return None
    return Pair(
        *key,
        source=BY_SCORE if refusal is None else REFUSED,
        band=scored.band,
        weight=scored.weight,
        probability=scored.probability,
        reasons=orjson.dumps([list(reason) for reason in scored.reasons]).decode(),
        refusal=refusal,
        fingerprint=fingerprint(one.traits, other.traits, scene.weights),
        weights=scene.weights.version,
        state=OPEN,
    )


def _settled(pair: Pair, row: Pair | None, cut: bytes | None) -> Pair:
    """With what was decided: kept apart, a pair is rejected as long as it shows what it showed then."""
    if cut is None:
        return pair._replace(decision=row.decision, decided_on=row.decided_on) if row else pair
    made_on = _decided_on(row, cut, pair.fingerprint)
    state = REJECTED if made_on == pair.fingerprint else OPEN
    return pair._replace(state=state, decision=cut, decided_on=made_on)


def _over(row: Pair, scene: Scene) -> Pair:
    """One of the two lives no more: a decision made them one, or something else did."""
    decision = next((one for one, records in scene.merges.items() if records.issuperset(row.key)), None)
    if decision is None:
        return row._replace(state=SUPERSEDED)
    return row._replace(state=CONFIRMED, decision=decision, decided_on=_decided_on(row, decision, row.fingerprint))


def _forgotten(row: Pair, scene: Scene) -> Pair:
    """Somebody decided about them once, and they are alike no longer."""
    return row._replace(state=REJECTED if row.key in scene.cuts else SUPERSEDED)


def _decided_on(row: Pair | None, decision: bytes, mark: str) -> str:
    """The fingerprint that a decision was made on: as it was noted, else what is there to be seen now."""
    return row.decided_on if row and row.decision == decision and row.decided_on else mark


def refusals(rows: Iterable[Row]) -> dict[Key, str]:
    """Profiles that a rule keeps apart though an identifier joins them: the first sentence of each pair.

    Only between trusted records, and only while the two are apart (identity-check.md §1, rule 12). Devices bridge
    nobody by nature, and what a decision keeps apart has been decided.
    """
    by_group: dict[bytes, list[Row]] = {}
    for row in rows:
        by_group.setdefault(row.group, []).append(row)
    found: dict[Key, str] = {}
    for members in by_group.values():
        if len({row.profile for row in members if row.profile}) > 1:
            _refused(members, found)
    return found


def _refused(members: Iterable[Row], found: dict[Key, str]) -> None:
    by_record = {row.known.record: row for row in members}
    for reason in explain([row.known for row in by_record.values()]).reasons:
        one, other = by_record[reason.one], by_record[reason.other]
        if reason.refusal is None or reason.refusal == CUT or reason.by in {DEVICE, DECISION}:
            continue
        if one.profile and other.profile and one.profile != other.profile and _trusted(one) and _trusted(other):
            found.setdefault(key_of(one.profile, other.profile), reason.sentence)


def _trusted(row: Row) -> bool:
    return any(claim.trusted for claim in row.known.evidence.claims)


class InForce(NamedTuple):
    """Decisions in force: the newest one that keeps two profiles apart, and the records that others join."""

    cuts: dict[Key, bytes]
    merges: dict[bytes, frozenset[bytes]]


def in_force(rows: Mapping[bytes, Row]) -> InForce:
    """The decisions in force among these records."""
    decided = standing((record, row.known.evidence.rulings) for record, row in rows.items())
    cuts: dict[Key, bytes] = {}
    for cut in decided.cuts:
        near, far = ({home for one in side if one in rows and (home := rows[one].profile)} for side in cut.sides)
        for one, other in product(near, far):
            if one != other:
                cuts.setdefault(key_of(one, other), from_text(cut.decision) or b"")
    return InForce(cuts, {from_text(one.decision) or b"": frozenset(one.records) for one in decided.merges})
