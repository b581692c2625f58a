"""The queue of suspected duplicates: which pairs wait, what a person needs to see of one, and deciding about it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import orjson

from hub import clock
from hub.api import deciding
from hub.api.deciding import Author, Draft
from hub.api.problems import Conflict, NotFound
from hub.api.side_by_side import called, side_by_side
from hub.api.why import decision_told, in_force
from hub.errors import Reject
from hub.identity.ids import as_text, from_text
from hub.storage import decisions, duplicates
from hub.storage.duplicates import Case, Mark
from hub.storage.lookup import Told
from hub.storage.pool import Pool
from hub.storage.suspects import CONFIRMED, OPEN, REJECTED, Key, key_of

SAME, DIFFERENT = "same", "different"
STATE = {SAME: CONFIRMED, DIFFERENT: REJECTED}
LIKENESS = "no rule joins them for certain, and likeness joins nobody"
_PAST = "there is nothing left to decide: they are one person by now, or no longer alike"
_MEANT = {CONFIRMED: "they are one person", REJECTED: "they are two people"}


def key(one: str, other: str) -> Key:
    """The pair of two record ids, in any order. Raises Reject where they are none."""
    ends = from_text(one), from_text(other)
    if ends[0] is None or ends[1] is None or ends[0] == ends[1]:
        raise Reject("a pair is two ids, written A~B", "pair")
    return key_of(ends[0], ends[1])


async def page(
    pool: Pool, *, state: str | None = OPEN, band: str | None = None, limit: int = 50, before: str | None = None
) -> dict[str, Any]:
    """A page of the queue, the surest first (`hub.api.duplicate_shapes.DuplicatePage`).

    Raises Reject for a `before` that is none, Retry.
    """
    found = await duplicates.page(pool, state, band, limit + 1, _mark(before) if before else None)
    shown = found[:limit]
    return {
        "duplicates": [_summary(case) for case in shown],
        "next": _cursor(shown[-1]) if len(found) > limit else None,
    }


async def whole(pool: Pool, of: Key) -> dict[str, Any]:
    """A pair with all that a person decides by (`hub.api.duplicate_shapes.Duplicate`). Raises NotFound, Retry."""
    case = await _case(pool, of)
    one, other = _line(case.one), _line(case.other)
    return {
        **_summary(case),
        "fields": side_by_side(one, other) if one and other else [],
        "before": await _before(pool, of),
        "same": await _were_they_one(pool, case),
    }


async def _were_they_one(pool: Pool, case: Case) -> dict[str, Any] | None:
    """What would become of whom; None where there is nothing to decide."""
    if case.pair.state != OPEN or not (case.one and case.other):
        return None
    with suppress(Conflict):
        return deciding.preview(await _draft(pool, case, SAME, Author("")))
    return None


async def proposed(pool: Pool, of: Key, verdict: str, author: Author) -> dict[str, Any]:
    """What would become of whom (`hub.api.deciding_shapes.Decided`). Raises Conflict, NotFound, Reject, Retry."""
    return deciding.preview(await _draft(pool, await _case(pool, of), verdict, author))


async def decide(
    pool: Pool, of: Key, verdict: str, author: Author, do: Callable[..., Awaitable[None]]
) -> dict[str, Any]:
    """The two are one person, or two people (`hub.api.deciding_shapes.Decided`).

    The pair is held until Kafka has the decision, so of two who decide at once the second one hears of the first. The
    same verdict on what has not changed since is the same event. Raises Conflict where the pair is not open, NotFound,
    Reject, Retry.
    """
    case = await _case(pool, of)
    try:
        draft = await _draft(pool, case, verdict, author)
    except Reject:
        await _wait(pool, of)
        raise
    shown = deciding.preview(draft)
    async with duplicates.held(pool, of) as (connection, now):
        if now is None or now.pair.fingerprint != case.pair.fingerprint:
            raise Conflict("one of the two has changed meanwhile: look again", "pair")
        _require_open(now)
        await do(*draft.deeds)
        await duplicates.decided(connection, of, STATE[verdict], draft.events[0], author.by)
    return shown | {"state": await deciding.waited(pool, draft.events)}


async def _wait(pool: Pool, of: Key) -> None:
    """Whoever decides at this moment is done first. Raises Conflict with what was decided."""
    async with duplicates.held(pool, of) as (_, now):
        if now:
            _require_open(now)


async def _case(pool: Pool, of: Key) -> Case:
    case = await duplicates.get(pool, of)
    if case is None:
        raise NotFound(f"there is no suspected pair {_id(of)}", "pair")
    return case


async def _draft(pool: Pool, case: Case, verdict: str, author: Author) -> Draft:
    _require_open(case)
    one, other = map(as_text, case.pair.key)
    if await deciding.living(pool, one) == await deciding.living(pool, other):
        raise Conflict(_PAST, "pair")
    # After an undo the same pair may be decided about again: that is another decision than the one before.
    last = f" after {as_text(case.pair.decision)}" if case.pair.decision else ""
    natural = f"duplicate {_id(case.pair.key)} {verdict} {case.pair.fingerprint}{last}"
    signed = Author(author.by, author.reason, natural)
    return await (deciding.merge if verdict == SAME else deciding.part)(pool, one, other, signed)


def _require_open(case: Case) -> None:
    """Raises Conflict with who decided what."""
    if case.pair.state in _MEANT:
        at = f" at {clock.text(case.decided_at)}" if case.decided_at else ""
        named = f" (decision {as_text(case.pair.decision)})" if case.pair.decision else ""
        by = case.decided_by or "somebody"
        raise Conflict(f"{by} decided{at} that {_MEANT[case.pair.state]}{named}", "pair")
    if case.pair.state != OPEN:
        raise Conflict(_PAST, "pair")


async def _before(pool: Pool, of: Key) -> list[dict[str, Any]]:
    """What was decided about the two of them before, newest first."""
    made = await decisions.made(pool, of)
    live = in_force((await decisions.scope(pool, of)).rows) if made else set()
    both = [one for one in made if all(as_text(record) in one.data for record in of)]
    return [decision_told(one, live) for one in both]


def _summary(case: Case) -> dict[str, Any]:
    pair = case.pair
    reasons = [dict(zip(("trait", "level", "sign"), one, strict=True)) for one in orjson.loads(pair.reasons)]
    decided = pair.decision and {
        "id": as_text(pair.decision),
        "by": case.decided_by,
        "at": clock.text(case.decided_at) if case.decided_at else None,
    }
    return {
        "id": _id(pair.key),
        "state": pair.state,
        "source": pair.source,
        "band": pair.band,
        "chance": f"{min(99, int(pair.probability * 100))} in 100" if pair.band else None,
        "one": _end(pair.one, case.one),
        "other": _end(pair.other, case.other),
        "reasons": reasons,
        "why": pair.refusal or LIKENESS,
        "since": clock.text(case.seen_at),
        "decision": decided,
    }


def _end(record: bytes, told: Told | None) -> dict[str, Any]:
    profile = as_text(told.profile) if told else None
    return {"record": as_text(record), "profile_id": profile, "name": called(_line(told))}


def _line(told: Told | None) -> dict[str, Any] | None:
    line: dict[str, Any] | None = orjson.loads(told.line) if told else None
    return line


def _id(of: Key) -> str:
    return "~".join(map(as_text, of))


def _cursor(case: Case) -> str:
    return f"{case.pair.probability!r}_{_id(case.pair.key)}"


def _mark(written: str) -> Mark:
    sure, _, ends = written.partition("_")
    one, other = (from_text(end) for end in (ends.partition("~")[0], ends.partition("~")[2]))
    try:
        probability = float(sure)
    except ValueError:
        probability = -1.0
    if one is None or other is None or not 0 <= probability <= 1:
        raise Reject("`before` is the `next` of a page", "before")
    return Mark(probability, one, other)
