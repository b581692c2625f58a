"""What people and rules of the hub itself say of a record: its owner, its stage, its tags.

Each is a statement of the record that it was said of, so it goes where that record goes and comes back with it. A
person's word comes before a rule's, then the newest (design §2, "One writer of profiles").
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from hub.identity.decisions import Remark
from hub.identity.evidence import Evidence, Fact, Statement

OWNER, STAGE, TAG = "owner", "stage", "tag "
"""Fields of a remark; a tag's name stands behind it."""
ADDED, REMOVED = "added", "removed"


class Current(NamedTuple):
    """What holds now; None: nobody's, and no stage. `tags` are those that were added and not removed since."""

    owner: str | None
    stage: str | None
    tags: frozenset[str]


def learn_remark(evidence: Evidence, fact: Fact, remark: Remark) -> None:
    """Fold what was set into a record's evidence, in place; a note sets nothing."""
    if remark.field:
        said = Statement(remark.value, fact.at, fact.id, remark.by_person)
        known = evidence.set.get(remark.field)
        if known is None or said.rank > known.rank:
            evidence.set[remark.field] = said


def current(stated: Iterable[Mapping[str, Statement]], *, rules: bool = True) -> Current:
    """What all records of a person come to. Without `rules` it is what persons set.

    A record keeps a rule's word only where no person said anything, so whatever is left out hides nothing.
    """
    best: dict[str, Statement] = {}
    for said in stated:
        for field, one in said.items():
            if (rules or one.trusted) and (field not in best or one.rank > best[field].rank):
                best[field] = one
    owner, stage = best.get(OWNER), best.get(STAGE)
    tags = {field.removeprefix(TAG) for field, one in best.items() if field.startswith(TAG) and one.value == ADDED}
    return Current((owner and owner.value) or None, stage.value if stage else None, frozenset(tags))
