"""Why these records are one person, and why others are not: the edges of `resolve`, in sentences. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from hub.identity.clusters import TOGETHER
from hub.identity.evidence import DEVICE, OBJECT, Known
from hub.identity.resolve import DECISION, Person, Step, resolve

_BY = {
    DECISION: "a person decided that they are one",
    OBJECT: "both name the same thing, {value}",
    "email": "both state the e-mail {value}",
    "mailbox": "their addresses reach one mailbox, {value}",
    "phone": "both state the phone {value} under one full name",
    DEVICE: "the device {value} is used by nobody else",
}


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
    return Explanation(people, told)


def _reason(step: Step, by_id: Mapping[bytes, Known]) -> Reason:
    edge = step.edge
    text = _BY[edge.namespace].format(value=edge.value)
    if edge.namespace in {"email", "mailbox"} and step.refusal is None:
        text += _names(by_id[edge.one], by_id[edge.other])
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
    return f"; their names fit ({'/'.join(mine)}, {'/'.join(its)})"
