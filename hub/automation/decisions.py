"""Does a rule fire? One answer per rule and event, with the reason and every value that was seen. Pure."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from hub.automation.conditions import Outcome, Truth, evaluate
from hub.automation.view import View
from schemas.envelope import SEGMENT_ENTERED, SEGMENT_LEFT
from schemas.rules import OnEnter, OnEvent, OnLeave, Rule, span

MOST_HOPS = 8
"""Tools that an event may have passed before nothing is set off by it any more (design §4)."""
ENTERED, LEFT = SEGMENT_ENTERED, SEGMENT_LEFT


class Verdict(StrEnum):
    """What came out."""

    FIRED = "fired"
    TRIAL = "trial"
    NO = "no"
    ERROR = "error"
    TOO_OLD = "too_old"
    AGAIN = "again"
    LOOP = "loop"


class Occasion(NamedTuple):
    """The event as rules are set off by it; `subject` is the segment's name where it tells of one."""

    type: str
    at: datetime
    received_at: datetime
    subject: str | None = None
    hops: int = 0


UNSEEN = Outcome(Truth.TRUE)
"""Where no question was asked."""


class Decision(NamedTuple):
    """What a rule decided, why, and the values that it saw."""

    verdict: Verdict
    reason: str
    outcome: Outcome = UNSEEN

    @property
    def fires(self) -> bool:
        """Whether something is done."""
        return self.verdict is Verdict.FIRED


def sets_off(rule: Rule, occasion: Occasion) -> bool:
    """Whether the rule looks at such an event at all; what it does not look at is no decision."""
    return is_meant(rule.when, occasion)


def is_meant(when: OnEvent | OnEnter | OnLeave, occasion: Occasion) -> bool:
    """Whether a trigger, or what ends a journey, means this event."""
    match when:
        case OnEvent(event=types):
            return occasion.type in types
        case OnEnter(enters=name):
            return (occasion.type, occasion.subject) == (ENTERED, name)
        case OnLeave(leaves=name):
            return (occasion.type, occasion.subject) == (LEFT, name)


def decide(rule: Rule, occasion: Occasion, view: View, last_fired: datetime | None) -> Decision:
    """Whether the rule fires. `last_fired` is when it last did for this profile (None: never).

    An event is old by the time between it and its arrival, so a replay of a log fires nothing that it had not fired.
    """
    return refusal(rule, occasion) or judged(rule, occasion, evaluate(rule.condition, view), last_fired)


def refusal(rule: Rule, occasion: Occasion) -> Decision | None:
    """Why the rule does not fire, whatever its conditions say; None: they are to be asked."""
    if occasion.hops > MOST_HOPS:
        return Decision(Verdict.LOOP, f"the event has passed {occasion.hops} tools, more than {MOST_HOPS}")
    late = occasion.received_at - occasion.at
    if late > span(rule.max_age):
        return Decision(Verdict.TOO_OLD, f"it arrived {_days(late.total_seconds())} after it happened")
    return None


def judged(rule: Rule, occasion: Occasion, outcome: Outcome, last_fired: datetime | None) -> Decision:
    """Whether the rule fires, by what its conditions came to, which is known."""
    if outcome.truth is Truth.ERROR:
        reason = next((one.reason for one in outcome.seen if one.reason), "a question could not be answered")
        return Decision(Verdict.ERROR, str(reason), outcome)
    if not outcome.holds:
        return Decision(Verdict.NO, "the conditions do not hold", outcome)
    if last_fired is not None and _too_soon(rule, occasion.at, last_fired):
        return Decision(Verdict.AGAIN, f"it fired for this profile already, again: {rule.again}", outcome)
    if rule.mode == "trial":
        return Decision(Verdict.TRIAL, "on trial: it would have fired", outcome)
    return Decision(Verdict.FIRED, "the conditions hold", outcome)


def _too_soon(rule: Rule, at: datetime, last_fired: datetime) -> bool:
    if rule.again == "always":
        return False
    return rule.again == "once" or abs(at - last_fired) < span(rule.again)


def _days(seconds: float) -> str:
    return f"{seconds / 86_400:.1f} days" if seconds >= 86_400 else f"{seconds / 3600:.1f} hours"
