"""A rule's steps as a program: one list of instructions, so that a waiting journey is a number in it. Pure.

A version of a rule never changes, so its program never does, and a journey goes on where it stood.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hub.automation.conditions import Outcome, Truth, evaluate
from hub.automation.problems import Place
from hub.automation.view import View
from schemas.conditions import Condition
from schemas.rules import BranchStep, EndStep, Rule, Step, Wait, WaitStep


@dataclass(frozen=True, slots=True)
class Act:
    """Do something. `step` is its place for people and in the ledger: `2`, or `3.then.1`."""

    step: str
    verb: str
    settings: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Pause:
    """Wait."""

    step: str
    wait: Wait


@dataclass(frozen=True, slots=True)
class Choice:
    """Go on where the condition holds, else at `otherwise`."""

    step: str
    condition: Condition
    place: Place
    otherwise: int = 0


@dataclass(frozen=True, slots=True)
class Go:
    """Go on at another instruction."""

    to: int


@dataclass(frozen=True, slots=True)
class Stop:
    """The end."""

    step: str


Instruction = Act | Pause | Choice | Go | Stop
Program = tuple[Instruction, ...]


@dataclass(frozen=True, slots=True)
class Ran:
    """What came of running: what is to be done, in order, and where the journey waits (None: it has ended).

    `chosen` holds what each branch saw; `error` the step whose branch could not be decided, which ends the journey.
    """

    acts: tuple[Act, ...]
    waits_at: int | None
    chosen: tuple[tuple[str, Outcome], ...] = ()
    error: str | None = None


def program(rule: Rule) -> Program:
    """The instructions of a rule's steps."""
    made: list[Instruction] = []
    _add(made, rule.steps, "", ("steps",))
    return tuple(made)


def _add(made: list[Instruction], steps: Sequence[Step], prefix: str, place: Place) -> None:
    for number, step in enumerate(steps):
        name, here = f"{prefix}{number + 1}", (*place, number)
        match step:
            case WaitStep(wait=wait):
                made.append(Pause(name, wait))
            case EndStep():
                made.append(Stop(name))
            case BranchStep():
                _add_branch(made, step, name, here)
            case _:
                made.append(Act(name, step.verb, step.settings))


def _add_branch(made: list[Instruction], step: BranchStep, name: str, place: Place) -> None:
    """The question, the one way with a jump behind the other, the other way."""
    asked = len(made)
    made.append(Choice(name, step.branch.condition, (*place, "branch", "if")))
    _add(made, step.branch.then, f"{name}.then.", (*place, "branch", "then"))
    jump = len(made)
    made.append(Go(0))
    made[asked] = Choice(name, step.branch.condition, (*place, "branch", "if"), otherwise=len(made))
    _add(made, step.branch.else_, f"{name}.else.", (*place, "branch", "else"))
    made[jump] = Go(len(made))


def run(steps: Program, start: int, view: View) -> Ran:
    """From an instruction on, until the journey waits or ends. Jumps go forward alone, so it always ends."""
    acts: list[Act] = []
    chosen: list[tuple[str, Outcome]] = []
    at = start
    while at < len(steps):
        match steps[at]:
            case Act() as act:
                acts.append(act)
            case Pause():
                return Ran(tuple(acts), at, tuple(chosen))
            case Stop():
                break
            case Go(to=to):
                at = to - 1
            case Choice() as choice:
                outcome = evaluate(choice.condition, view, choice.place)
                chosen.append((choice.step, outcome))
                if outcome.truth is Truth.ERROR:
                    return Ran(tuple(acts), None, tuple(chosen), choice.step)
                at = at if outcome.holds else choice.otherwise - 1
        at += 1
    return Ran(tuple(acts), None, tuple(chosen))
