"""Ways through a rule: its condition trees, their leaves, its steps; each with its place in the file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from hub.automation.problems import Place
from schemas.conditions import AllOf, AnyOf, Condition, CountAsked, EventAsked, Not, ProfileAsked, SegmentAsked
from schemas.rules import BranchStep, Rule, Segment, Step

Leaf = EventAsked | ProfileAsked | CountAsked | SegmentAsked


def parts(tree: Condition, place: Place) -> Iterator[tuple[Place, Condition]]:
    """The conditions right below this one."""
    match tree:
        case AllOf(parts=below):
            yield from (((*place, "all", number), one) for number, one in enumerate(below))
        case AnyOf(parts=below):
            yield from (((*place, "any", number), one) for number, one in enumerate(below))
        case Not(part=one):
            yield (*place, "not"), one
        case _:
            pass


def leaves(tree: Condition, place: Place = ()) -> Iterator[tuple[Place, Leaf]]:
    """The questions of a tree, in the order of the file."""
    if isinstance(tree, Leaf):
        yield place, tree
    for inner, one in parts(tree, place):
        yield from leaves(one, inner)


def depth(tree: Condition) -> int:
    """How many conditions lie within each other."""
    return 1 + max((depth(one) for _, one in parts(tree, ())), default=0)


def nodes(tree: Condition) -> int:
    """How many conditions there are, `all`, `any` and `not` among them."""
    return 1 + sum(nodes(one) for _, one in parts(tree, ()))


def steps_of(steps: Sequence[Step], place: Place = ("steps",)) -> Iterator[tuple[Place, Step]]:
    """Every step, those of branches behind their branch."""
    for number, step in enumerate(steps):
        here = (*place, number)
        yield here, step
        if isinstance(step, BranchStep):
            yield from steps_of(step.branch.then, (*here, "branch", "then"))
            yield from steps_of(step.branch.else_, (*here, "branch", "else"))


def roots(made: Rule | Segment) -> Iterator[tuple[Place, Any]]:
    """Every condition tree of a rule or segment."""
    if made.condition is not None:
        yield ("if",), made.condition
    if isinstance(made, Segment):
        return
    for number, one in enumerate(made.exits):
        if one.condition is not None:
            yield ("exits", number, "if"), one.condition
    for place, step in steps_of(made.steps):
        if isinstance(step, BranchStep):
            yield (*place, "branch", "if"), step.branch.condition
