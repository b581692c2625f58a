"""What one file cannot know of itself: whether its events, fields, segments and verbs exist; and whether it ends."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ValidationError

from hub.automation.files import Loaded
from hub.automation.problems import Place, Problem, found_by, meant, nearest
from hub.automation.walk import leaves, roots, steps_of
from schemas.conditions import CountAsked, EventAsked, ProfileAsked, SegmentAsked
from schemas.envelope import DEEDS
from schemas.events import EVENTS
from schemas.identifiers import Address, Contact
from schemas.rules import STEPS, ActionStep, BranchStep, EndStep, OnEvent, Rule, Segment, Step, WaitStep

Verbs = Mapping[str, type[BaseModel]]
ALMOST = 80
"""How alike a word that may be right has to be to a known one, of 100, to be taken for a slip of the pen."""
NO_TRIGGER = ("profile.", "action.", "source.", "segment.")
TYPES = (frozenset(EVENTS) | {"email.sent", "cart.abandoned"}) - DEEDS
"""Event types that a rule may name; other people's own types are fine as well."""
FIELDS = frozenset(Contact.model_fields) - {"id", "device", "objects", "tags"} | {
    *("first_seen", "last_seen", "orders", "tickets", "message"),
}
"""Fields that a profile often has; any other may be somebody's own."""
ADDRESS_PARTS = frozenset(Address.model_fields)
"""What is told within the field `address`, and nowhere else."""

Found = Iterator[tuple[Place, str]]


def check(files: Sequence[Loaded], verbs: Verbs, around: Iterable[Loaded] = ()) -> list[Problem]:
    """What is wrong with these files, by file and line; those `around` them are known and not checked."""
    everything = [*files, *around]
    segments = {one.value.name: one.value for one in everything if isinstance(one.value, Segment)}
    known = {one.value.name for one in everything if isinstance(one.value, Segment)} | _refused_segments(everything)
    problems = [problem for one in files for problem in one.problems]
    for one in files:
        if one.value is None:
            continue
        found = [*_references(one.value, known), *_actions(one.value, verbs), *_endings(one.value)]
        if isinstance(one.value, Segment):
            found += _cycle(one.value, segments)
        problems += [one.where.problem(place, reason) for place, reason in found]
        problems += [one.where.problem(place, reason, "warning") for place, reason in _slips(one.value)]
    problems += _namesakes(files)
    order = {one.where.file: number for number, one in enumerate(files)}
    return sorted(problems, key=lambda problem: (order[problem.file], problem.line))


def _refused_segments(files: Iterable[Loaded]) -> set[str]:
    """Segments whose own file is wrong: whoever names them is not to blame."""
    refused = (one.where for one in files if one.value is None and ("segment",) in one.where.lines)
    return {where.file.rpartition("/")[2].removesuffix(".yaml") for where in refused}


def _namesakes(files: Iterable[Loaded]) -> Iterator[Problem]:
    first: dict[tuple[type, str], str] = {}
    for one in files:
        if one.value is not None:
            before = first.setdefault((type(one.value), one.value.name), one.where.file)
            if before != one.where.file:
                yield one.where.problem((), f"{one.value.name} stands in {before} already")


def _types(made: Rule | Segment) -> Iterator[tuple[Place, str, bool]]:
    """Every event type that is named, and whether it is to set something off."""
    for root, tree in roots(made):
        for place, leaf in leaves(tree, root):
            if isinstance(leaf, CountAsked):
                yield from (((*place, "count"), one, False) for one in leaf.types)
    if isinstance(made, Segment):
        return
    triggers = [(("when",), made.when), *((("exits", number), one) for number, one in enumerate(made.exits))]
    for place, trigger in triggers:
        if isinstance(trigger, OnEvent):
            yield from (((*place, "event"), one, True) for one in trigger.event)
    for place, step in steps_of(made.steps):
        if isinstance(step, WaitStep):
            yield from (((*place, "wait", "event"), one, True) for one in step.wait.event or ())


def _references(made: Rule | Segment, segments: set[str]) -> Found:
    for place, name, sets_off in _types(made):
        if name.startswith("segment.") and sets_off:
            yield place, f"{name} is told by `enters: its-name` or `leaves: its-name`"
        elif name in DEEDS or name.startswith(NO_TRIGGER):
            yield place, f"{name} is made by the hub itself and {'sets nothing off' if sets_off else 'is not counted'}"
    for place, name in segments_asked(made):
        if name not in segments:
            yield place, f"no such segment: {name}{meant(name, segments)}"
    if isinstance(made, Rule) and not isinstance(made.when, OnEvent):
        trees = [(root, tree) for root, tree in roots(made) if root[0] != "exits"]
        for place, leaf in (found for root, tree in trees for found in leaves(tree, root)):
            if isinstance(leaf, EventAsked) and leaf.path not in {"type", "source"}:
                yield (*place, "event"), "who enters or leaves a segment brings no data: ask the profile or a count"


def segments_asked(made: Rule | Segment) -> Iterator[tuple[Place, str]]:
    """The segments that a file names, and where."""
    for root, tree in roots(made):
        yield from (
            ((*place, "segment"), leaf.segment) for place, leaf in leaves(tree, root) if isinstance(leaf, SegmentAsked)
        )
    if isinstance(made, Rule):
        for place, trigger in [(("when",), made.when), *((("exits", n), one) for n, one in enumerate(made.exits))]:
            for word in ("enters", "leaves"):
                if name := getattr(trigger, word, None):
                    yield (*place, word), name


def _cycle(made: Segment, segments: Mapping[str, Segment]) -> Found:
    """A segment that is a part of itself."""
    for place, name in segments_asked(made):
        way = _way(name, made.name, segments)
        if way is not None:
            yield place, f"goes round in a circle: {' → '.join([made.name, *way])}"


def _way(start: str, goal: str, segments: Mapping[str, Segment]) -> list[str] | None:
    """How one segment leads to another, or None."""
    ways, seen = [[start]], {start}
    while ways:
        way = ways.pop()
        if way[-1] == goal:
            return way
        below = {name for _, name in segments_asked(segments[way[-1]])} if way[-1] in segments else set()
        ways += [[*way, name] for name in sorted(below - seen)]
        seen |= below
    return None


def _actions(made: Rule | Segment, verbs: Verbs) -> Found:
    for place, step in steps_of(made.steps) if isinstance(made, Rule) else ():
        if not isinstance(step, ActionStep):
            continue
        if step.verb not in verbs:
            yield (*place, step.verb), f"no such verb{meant(step.verb, [*verbs, *STEPS])}"
            continue
        try:
            verbs[step.verb].model_validate(step.settings)
        except ValidationError as error:
            for inner, reason in found_by(error, verbs[step.verb]):
                yield (*place, step.verb, *inner), reason


def _endings(made: Rule | Segment) -> Found:
    if isinstance(made, Rule):
        yield from _unreached(made.steps, ("steps",))
        for place, step in steps_of(made.steps):
            if isinstance(step, WaitStep) and step.wait.event and step.wait.timeout is None:
                yield (*place, "wait"), "never ends where the event does not come: give it a timeout, as `timeout: 7d`"


def _unreached(steps: Sequence[Step], place: Place) -> Found:
    """The first step that nobody comes to, of these and of their branches."""
    for number, step in enumerate(steps):
        if isinstance(step, BranchStep):
            yield from _unreached(step.branch.then, (*place, number, "branch", "then"))
            yield from _unreached(step.branch.else_, (*place, number, "branch", "else"))
        if _ends(step) and number + 1 < len(steps):
            yield (*place, number + 1), "is never reached: the step before it ends the journey"
            return


def _ends(step: Step) -> bool:
    if isinstance(step, BranchStep):
        return all(any(map(_ends, way)) for way in (step.branch.then, step.branch.else_))
    return isinstance(step, EndStep)


def _slips(made: Rule | Segment) -> Found:
    """Words that may be right, and look like a slip of the pen."""
    for place, name, _ in _types(made):
        if name not in TYPES and (near := nearest(name, TYPES, ALMOST)):
            yield place, f"{name} is no type that the hub knows; did you mean {near}?"
    triggers = made.when.event if isinstance(made, Rule) and isinstance(made.when, OnEvent) else ()
    for root, tree in roots(made):
        types = triggers
        if isinstance(made, Rule) and root[0] == "exits":
            exit_on = made.exits[int(root[1])]
            types = exit_on.event if isinstance(exit_on, OnEvent) else ()
        for place, leaf in leaves(tree, root):
            if isinstance(leaf, EventAsked):
                yield from _slip_in_event((*place, "event"), leaf.path, types)
            if isinstance(leaf, ProfileAsked) and leaf.path.startswith("fields."):
                name = leaf.path.removeprefix("fields.")
                if name in ADDRESS_PARTS - FIELDS:
                    yield (*place, "profile"), f"{name} is told within another field; did you mean fields.address?"
                elif name not in FIELDS and (near := nearest(name, FIELDS, ALMOST)):
                    yield (*place, "profile"), f"{name} is no field that profiles often have; did you mean {near}?"


def _slip_in_event(place: Place, path: str, types: Sequence[str]) -> Found:
    """A path that none of the types has, and that one of them almost has."""
    shapes = [EVENTS[name].model_json_schema() for name in types if name in EVENTS]
    if path in {"type", "source"} or len(shapes) < len(types):
        return
    near = [_almost(shape, shape, path.split(".")) for shape in shapes]
    if near and all(one != "" for one in near) and (found := next(filter(None, near), None)):
        yield place, f"{path} is in no schema of {', '.join(types)}; did you mean {found}?"


def _almost(document: Mapping[str, Any], schema: Mapping[str, Any], steps: Sequence[str]) -> str | None:
    """Empty: the path exists. A path: the one that may be meant. None: nothing is near it."""
    properties = _properties(document, schema)
    step, *rest = steps
    if not properties or not steps:
        return None
    chosen = step if step in properties else nearest(step, properties, ALMOST)
    if chosen is None:
        return None
    inner = _almost(document, properties[chosen], rest) if rest else ""
    if inner is None:
        return None if chosen == step else ".".join([chosen, *rest])
    return (
        ""
        if chosen == step and inner == ""
        else ".".join([chosen, *((inner or ".".join(rest)).split(".") if rest else [])])
    )


def _properties(document: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """The properties of an object, of the object in a list, of the one that is not null."""
    if "$ref" in schema:
        return _properties(document, document["$defs"][schema["$ref"].rpartition("/")[2]])
    for branch in schema.get("anyOf", [schema["items"]] if isinstance(schema.get("items"), dict) else []):
        if found := _properties(document, branch):
            return found
    properties: Mapping[str, Any] = schema.get("properties", {})
    return properties
