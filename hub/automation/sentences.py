"""A rule or a segment as English that a manager can read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ValidationError

from schemas.actions import Settings, lasting
from schemas.conditions import AllOf, AnyOf, Condition, CountAsked, EventAsked, Not, ProfileAsked, SegmentAsked, written
from schemas.rules import (
    ActionStep,
    BranchStep,
    Exit,
    OnEnter,
    OnEvent,
    OnLeave,
    Rule,
    Segment,
    Step,
    Trigger,
    WaitStep,
)

Verbs = Mapping[str, type[BaseModel]]
HAPPENS = {
    "form.submitted": "a form is submitted",
    "contact.updated": "a contact is updated",
    "note.added": "a note is added",
    "call.logged": "a call is logged",
    "consent.given": "consent is given",
    "consent.withdrawn": "consent is withdrawn",
    "email.received": "a mail is received",
    "email.replied": "a mail is answered",
    "email.sent": "a mail is sent",
    "ticket.opened": "a ticket is opened",
    "ticket.commented": "a ticket is commented",
    "ticket.updated": "a ticket is updated",
    "ticket.solved": "a ticket is solved",
    "order.placed": "an order is placed",
    "order.updated": "an order is updated",
    "order.paid": "an order is paid",
    "order.cancelled": "an order is cancelled",
    "order.refunded": "an order is refunded",
    "cart.abandoned": "a cart is abandoned",
    "checkout.updated": "a checkout is updated",
    "subscription.cancelled": "a subscription is cancelled",
    "page.viewed": "a page is viewed",
    "product.viewed": "a product is viewed",
}
HAPPENED = {one: said.replace(" is ", " was ") for one, said in HAPPENS.items()}
NEVER = {("is", 0), ("at_most", 0), ("less_than", 1)}
OPERATORS = {
    "is": "is {}",
    "is_not": "is not {}",
    "in": "is {}",
    "not_in": "is none of {}",
    "contains": "contains {}",
    "starts_with": "starts with {}",
    "at_least": "is at least {}",
    "at_most": "is at most {}",
    "more_than": "is more than {}",
    "less_than": "is less than {}",
    "within": "lies within the last {}",
    "older_than": "lies at least {} back",
}
TIMES = {
    "is": "exactly {}",
    "is_not": "not exactly {}",
    "at_least": "at least {}",
    "at_most": "at most {}",
    "more_than": "more than {}",
    "less_than": "less than {}",
}


def sentence(made: Rule | Segment, verbs: Verbs) -> str:
    """What the rule does, or who is in the segment."""
    if isinstance(made, Segment):
        return f"In this segment is whoever fits: {condition(made.condition)}."
    when = f"When {_trigger(made.when)}"
    asks = f", if {condition(made.condition)}" if made.condition is not None else ""
    said = [f"{when}{asks}: {steps(made.steps, verbs)}."]
    if made.exits:
        said.append(f"The journey ends as soon as {_or(map(_exit, made.exits))}.")
    if made.again == "once":
        said.append("Once for each customer.")
    elif made.again != "always":
        said.append(f"Not again for the same customer within {lasting(made.again)}.")
    if made.mode == "trial":
        said.append("On trial: decisions are written down, nothing is done.")
    return " ".join(said)


def condition(tree: Condition, *, inside: bool = False) -> str:
    """A condition as the half sentence behind "if"."""
    match tree:
        case AllOf(parts=parts):
            return _joined(parts, "and", inside=inside)
        case AnyOf(parts=parts):
            return _joined(parts, "or", inside=inside)
        case Not(part=part):
            if isinstance(part, ProfileAsked) and (tag := _tag(part)):
                return f"they do not have the tag {tag}"
            return f"it is not so that {condition(part, inside=True)}"
        case SegmentAsked(segment=name, is_=is_):
            return f"they are {'' if is_ else 'not '}in the segment {name}"
        case CountAsked():
            return _counted(tree)
        case ProfileAsked(path=path):
            return _value(_of_profile(path), tree.operators, "they")
        case EventAsked(path=path):
            return _value(f"the event’s {path}", tree.operators, "the event")


def _joined(parts: Sequence[Condition], word: str, *, inside: bool) -> str:
    if len(parts) == 1:
        return condition(parts[0], inside=inside)
    said = f" {word} ".join(condition(part, inside=True) for part in parts)
    return f"({said})" if inside else said


def _counted(asked: CountAsked) -> str:
    types = _or(HAPPENED.get(one, f"{one} happened") for one in asked.types)
    when = f"in the last {lasting(asked.window)}" if asked.window else "before"
    said = " and ".join(
        "at no time" if (word, many) in NEVER else TIMES[word].format(_times(many)) for word, many in asked.operators
    )
    return f"{types} {said} {when}"


def _tag(asked: ProfileAsked) -> str | None:
    """The tag that is asked for, where nothing else is."""
    operators = list(asked.operators)
    return (
        written(operators[0][1]) if asked.path == "tags" and [word for word, _ in operators] == ["contains"] else None
    )


def _times(many: int) -> str:
    return {1: "once", 2: "twice"}.get(many, f"{many} times")


def _of_profile(path: str) -> str:
    if path == "activities":
        return "the number of their activities"
    return f"their {path.removeprefix('fields.')}"


def _value(what: str, operators: Iterable[tuple[str, Any]], who: str) -> str:
    said = []
    for word, wanted in operators:
        if word == "exists":
            name = what.removeprefix("their ").removeprefix("the event’s ")
            has = "have" if who == "they" else "has"
            said.append(f"{who} {has} {'a value' if wanted else 'no value'} for {name}")
        elif what == "their tags" and word == "contains":
            said.append(f"they have the tag {wanted}")
        else:
            shown = lasting(wanted) if word in {"within", "older_than"} else _wanted(word, wanted)
            said.append(f"{what} {OPERATORS[word].format(shown)}")
    return " and ".join(said)


def _wanted(word: str, wanted: Any) -> str:
    if not isinstance(wanted, tuple):
        return written(wanted)
    return ", ".join(map(written, wanted)) if word == "not_in" else _or(map(written, wanted))


def _or(several: Iterable[str]) -> str:
    *first, last = several
    return f"{', '.join(first)} or {last}" if first else last


def _trigger(trigger: Trigger | Exit) -> str:
    match trigger:
        case OnEnter(enters=name):
            return f"somebody enters the segment {name}"
        case OnLeave(leaves=name):
            return f"somebody leaves the segment {name}"
        case OnEvent(event=types):
            return _or(HAPPENS.get(one, f"{one} happens") for one in types)


def _exit(leaving: Exit) -> str:
    asks = f" (if {condition(leaving.condition)})" if leaving.condition is not None else ""
    return f"{_trigger(leaving)}{asks}"


def steps(several: Sequence[Step], verbs: Verbs) -> str:
    """Steps, one behind the other."""
    return "; then ".join(_step(one, verbs) for one in several)


def _step(step: Step, verbs: Verbs) -> str:
    match step:
        case ActionStep():
            return _action(step, verbs)
        case WaitStep():
            return _wait(step)
        case BranchStep(branch=branch):
            ways = f"if {condition(branch.condition)}: ({steps(branch.then, verbs)})"
            return f"{ways}, else: ({steps(branch.else_, verbs)})" if branch.else_ else ways
        case _:
            return "end"


def _wait(step: WaitStep) -> str:
    wait = step.wait
    if wait.for_:
        return f"wait {lasting(wait.for_)}"
    if wait.until:
        return f"wait until {wait.until} of the customer’s day"
    what = _or(HAPPENS.get(one, f"{one} happens") for one in wait.event or ())
    longest = f", {lasting(wait.timeout)} at the most" if wait.timeout else ""
    return f"wait until {what}{longest}{' (then the journey ends)' if wait.then == 'end' else ''}"


def _action(step: ActionStep, verbs: Verbs) -> str:
    """The verb's own words; its settings as they stand where it has none."""
    try:
        made = verbs[step.verb].model_validate(step.settings)
        if isinstance(made, Settings):
            return made.told()
    except (KeyError, NotImplementedError, ValidationError):
        pass
    said = ", ".join(f"{word}: {wanted}" for word, wanted in step.settings.items())
    return f"{step.verb.replace('_', ' ')}{f' ({said})' if said else ''}"
