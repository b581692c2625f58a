"""Why these records are one person, and why others are not: the edges of `resolve`, in sentences. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from operator import itemgetter
from typing import NamedTuple

from hub.identity.clusters import TOGETHER, TWO_NAMES
from hub.identity.evidence import DEVICE, OBJECT, Known
from hub.identity.resolve import DECISION, Person, Step, claimers_of, may_join, resolve, same_full_name

_BY = {
    DECISION: "a person decided that they are one",
    OBJECT: "both name the same thing, {value}",
    "email": "both state the e-mail {value}",
    "mailbox": "their addresses reach one mailbox, {value}",
    "phone": "both state the phone {value}",
    DEVICE: "the device {value} is used by nobody else",
}


_ASKED = ("email", "mailbox", "phone")
TWO_FULL_NAMES, PASSED_ON = "two full names", "so long between the two that the number may have been passed on"


class Reason(NamedTuple):
    """An edge between two records, in words; `refusal` is None where it joined them."""

    one: bytes
    other: bytes
    by: str
    value: str
    refusal: str | None
    sentence: str


class Explanation(NamedTuple):
    """The people of a group, and every edge that joined two records or was refused, in the order of `resolve`."""

    people: list[Person]
    reasons: list[Reason]

    def of(self, person: Person) -> tuple[list[Reason], list[Reason]]:
        """Why this one's records are together; and why others, that something points to, are not among them."""
        inside = {known.record for known in person.records}
        joined = [one for one in self.reasons if one.refusal is None and one.one in inside]
        apart = [one for one in self.reasons if one.refusal and (one.one in inside) is not (one.other in inside)]
        return joined, apart


def explain(records: Sequence[Known]) -> Explanation:
    """The people behind these records, with reasons. As `resolve`, it marks claims that have turned shared."""
    steps: list[Step] = []
    people = resolve(records, steps)
    by_id = {known.record: known for known in records}
    told = [_reason(step, by_id) for step in steps if step.refusal != TOGETHER]
    return Explanation(people, [*told, *_untried(people)])


def _untried(people: Sequence[Person]) -> Iterator[Reason]:
    """What two trusted records of different people both state, and why it never was an edge: for a person to judge."""
    home = {known.record: one.profile for one in people for known in one.records}
    by_value = claimers_of(known for one in people for known in one.records)
    for (namespace, value), claims in sorted(by_value.items(), key=itemgetter(0)):
        if namespace in _ASKED:
            for one, other in combinations([one for one in claims if one[1].trusted], 2):
                apart = home[one[0].record] != home[other[0].record] and not may_join(namespace, one, other)
                if apart and (objection := _objection(namespace, one[0], other[0])):
                    text = f"{_BY[namespace].format(value=value)}, but: {objection}"
                    low, high = sorted((one[0].record, other[0].record))
                    yield Reason(low, high, namespace, value, objection, text)


def _objection(namespace: str, one: Known, other: Known) -> str | None:
    """Why the rule of this identifier does not join them; None where it says nothing of two people without names."""
    if namespace != "phone":
        return TWO_NAMES
    if not all(any(name.given and name.family for name in known.evidence.names) for known in (one, other)):
        return None
    return PASSED_ON if same_full_name(one, other) else TWO_FULL_NAMES


def _reason(step: Step, by_id: Mapping[bytes, Known]) -> Reason:
    edge = step.edge
    text = _BY[edge.namespace].format(value=edge.value)
    if edge.namespace in {"email", "mailbox"} and step.refusal is None:
        text += _names(by_id[edge.one], by_id[edge.other])
    if edge.namespace == "phone" and step.refusal is None:
        text += " under one full name"
    if edge.disputed:
        text += "; a decision gave it to one of them"
    if edge.superseded:
        text += "; one of them has another by now"
    if step.refusal:
        text += f", but: {step.refusal}"
    return Reason(edge.one, edge.other, edge.namespace, edge.value, step.refusal, text)


def _names(one: Known, other: Known) -> str:
    mine, its = (sorted({name.given for name in known.evidence.names}) for known in (one, other))
    if not mine or not its:
        return "; one of them gave no name"
    return f"; their names fit ({', '.join(sorted(('/'.join(mine), '/'.join(its))))})"
