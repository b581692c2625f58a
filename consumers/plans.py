"""Claiming deliveries: what is due becomes requests with fixed bytes, stored before any of them leaves the house."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import structlog

from consumers.levels import News, news
from consumers.retries import Trouble
from consumers.tools import Tool
from hub import clock
from hub.destinations import Notice
from hub.identity.ids import as_text
from hub.identity.survivorship import versioned
from hub.storage import erasure, fired, told, tries
from hub.storage.leases import Lease
from hub.storage.pool import Connection, Pool, transaction
from hub.storage.told import Level, Truth
from hub.storage.tries import Ended, Rendered, Waiting
from schemas.envelope import ACTION_FIRED

LEASE_SECONDS = 8.0
"""How long a claim outlives the process that made it."""
DEED = "deed"
"""The kind of what a rule did; all others are levels."""
_log = structlog.get_logger("consumers.plans")


@dataclass(frozen=True, slots=True)
class Job:
    """One request that is to be made: its lease, its tool, its bytes, and the tries before it."""

    lease: Lease
    tool: Tool
    notice: Rendered
    trouble: Trouble

    @property
    def into(self) -> bytes | None:
        """The survivor, where the profile id was merged away."""
        return self.notice.lane if self.notice.kind == "merged" else None


@dataclass(slots=True)
class _Plan:
    """What becomes of the rows of one claim."""

    first: list[Rendered] = field(default_factory=list)
    again: list[Rendered] = field(default_factory=list)
    newer: list[Rendered] = field(default_factory=list)
    deeds: list[Rendered] = field(default_factory=list)
    lanes: dict[bytes, bytes] = field(default_factory=dict)
    ended: list[Ended] = field(default_factory=list)
    broken: dict[bytes, str] = field(default_factory=dict)


async def claim(pool: Pool, tools: Mapping[str, Tool], slots: Mapping[str, int]) -> list[Job]:
    """Take what is due, up to `slots` requests on the wire per destination; every body is committed when this returns.

    Nobody is erased meanwhile: a line that is read here must not be stored once it is gone. Raises Retry where
    PostgreSQL is away.
    """
    async with transaction(pool) as connection:
        await erasure.enter(connection)
        waiting = await tries.due(connection, slots)
        if not waiting:
            return []
        levels = [(one.destination, one.profile_id) for one in waiting if one.type != ACTION_FIRED]
        known = await told.truth(connection, levels)
        free = {one.id: one for one in waiting if _is_free(one, known)}
        leases = {lease.id: lease for lease in await tries.LEASES.take(connection, list(free), LEASE_SECONDS)}
        plan = _Plan()
        for row in (free[one] for one in leases):
            if row.type == ACTION_FIRED:
                _take_deed(plan, row)
            else:
                _try_to_decide(plan, tools[row.destination], row, known[row.destination, row.profile_id])
        await _write(connection, plan)
    jobs = [
        _job(tools, notice, free[notice.was], leases[notice.was].token)
        for notice in (*plan.first, *plan.again, *plan.deeds)
    ]
    return jobs + [_job(tools, notice, free[notice.was], tries.FIRST_TOKEN) for notice in plan.newer]


def _is_free(row: Waiting, known: Mapping[tuple[str, bytes], object]) -> bool:
    """A deed waits for nobody; a profile for sync, where that is at its row."""
    return row.type == ACTION_FIRED or (row.destination, row.profile_id) in known


def _take_deed(plan: _Plan, row: Waiting) -> None:
    """What a rule did is told as it was written down with the deed."""
    if row.body is None:
        plan.broken[row.id] = "its bytes are gone"
        return
    plan.deeds.append(
        Rendered(row.id, row.id, row.destination, row.profile_id, row.lane, row.type, row.version, DEED, row.body)
    )


def _try_to_decide(plan: _Plan, tool: Tool, row: Waiting, known: tuple[Level, Truth]) -> None:
    """One profile that cannot be rendered must not keep all others waiting."""
    try:
        _decide(plan, tool, row, known)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is this row's alone
        _log.exception("delivery_not_rendered", destination=tool.name, delivery_id=as_text(row.id))
        plan.broken[row.id] = f"could not be rendered: {type(error).__name__}: {error}"[:500]


def _decide(plan: _Plan, tool: Tool, row: Waiting, known: tuple[Level, Truth]) -> None:
    level, truth = known
    now = news(level, truth)
    if now is None:
        plan.ended.append(Ended(row.id, tool.name, row.profile_id, "nothing to tell: known already, or nobody is left"))
    elif now.lane != row.lane:
        plan.lanes[row.id] = now.lane
    elif not tool.destination.wants(tool.settings, now.type):
        into = now.lane if now.kind == "merged" else None
        reason = f"{now.type} is not among the events of this destination"
        plan.ended.append(Ended(row.id, tool.name, row.profile_id, reason, now.kind, now.version, into))
    elif row.body is None:
        plan.first.append(_rendered(tool, row, now, _render(tool, now, truth)))
    elif now.id == row.id:
        plan.again.append(_rendered(tool, row, now, row.body))
    else:
        plan.newer.append(_rendered(tool, row, now, _render(tool, now, truth)))


async def _write(connection: Connection, plan: _Plan) -> None:
    if plan.first:
        await tries.store_first(connection, plan.first)
    if plan.newer:
        await tries.fold(connection, plan.newer, LEASE_SECONDS)
    if begun := [one.id for one in plan.deeds]:
        await fired.begin(connection, begun)
    if plan.lanes:
        await tries.move(connection, plan.lanes)
    if plan.ended:
        await tries.end(connection, plan.ended)
    if plan.broken:
        await tries.bury(connection, plan.broken)


def _render(tool: Tool, now: News, truth: Truth) -> bytes:
    line = truth.line.encode() if truth.line else b'{"profile_id":"%s"}' % as_text(now.lane).encode()
    profile = versioned(line, now.version)
    return tool.destination.render(tool.settings, Notice(now.type, clock.text(clock.now()), profile, now.others))


def _rendered(tool: Tool, row: Waiting, now: News, body: bytes) -> Rendered:
    return Rendered(row.id, now.id, tool.name, row.profile_id, now.lane, now.type, now.version, now.kind, body)


def _job(tools: Mapping[str, Tool], notice: Rendered, row: Waiting, token: int) -> Job:
    attempts = row.attempts if notice.id == row.id else 0
    trouble = Trouble(notice.id, attempts, row.step, row.failing)
    return Job(Lease(notice.id, token), tools[notice.destination], notice, trouble)
