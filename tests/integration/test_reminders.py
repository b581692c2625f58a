"""Reminders on a real PostgreSQL: a mail when they come due, once, to whose they are; and none for what is over."""

from __future__ import annotations

import asyncio

import pytest

from consumers.reminders import LEASE_SECONDS, Reminders, run_reminders
from hub import clock
from hub.cache import LocalHints
from hub.identity.evidence import Words
from hub.identity.ids import from_text
from hub.storage import mails, queues, tasks
from hub.storage.pool import Pool, transaction
from tests.support.duties import SETTINGS, added, listed, marked
from tests.support.line import until, write
from tests.support.memory import erased, fact, record
from tests.support.remarks import said_of

pytestmark = pytest.mark.integration
ANN = fact("shop", Words("a", "ann@customers.org", name="Ann Lee"))
PEOPLE = record(ANN)
TEAMS = {name: team.members for name, team in SETTINGS.teams.items()}
EVE = "eve@firm.example"


async def a_reminder(pool: Pool, due: str = "", **said: str) -> str:
    """A reminder that is due now, or then."""
    return await added(pool, PEOPLE, kind="reminder", due=due or clock.text(clock.now()), **said)


async def written(pool: Pool) -> list[tuple[str, str]]:
    """The mails that wait: to whom, with which subject."""
    return sorted(tuple(row) for row in await pool.fetch("SELECT recipient, subject FROM mail"))


async def all_told(pool: Pool) -> None:
    """Rounds until nothing is due."""
    while await Reminders(pool, TEAMS).turn():
        pass


async def test_a_reminder_that_comes_due_is_a_mail_about_the_customer(pool: Pool) -> None:
    await write(pool, [ANN])
    task = await a_reminder(pool, to=EVE)
    await a_reminder(pool, "9d", to=EVE)
    await added(pool, PEOPLE, "no reminder", to=EVE, due=clock.text(clock.now()))
    assert (await queues.waiting(pool))["timers"]["pending"] == 2
    await all_told(pool)
    assert await written(pool) == [(EVE, "Call")]
    body, about = (await pool.fetch("SELECT body, record_id FROM mail"))[0]
    assert body.startswith("Call\n\nname: Ann Lee\nemail: ann@customers.org\n")
    assert about == PEOPLE
    (one,) = [one for one in await listed(pool) if one["id"] == task]
    assert (one["reminded_for"], one["reminded_to"]) == (one["due"], [EVE])
    assert (await queues.waiting(pool))["timers"]["pending"] == 1


async def test_everybody_who_looks_writes_it_once(pool: Pool) -> None:
    await write(pool, [ANN])
    for number in range(40):
        await a_reminder(pool, to=f"p{number}@firm.example")
    async with asyncio.TaskGroup() as workers:
        for _ in range(4):
            workers.create_task(all_told(pool))
    assert await written(pool) == sorted((f"p{number}@firm.example", "Call") for number in range(40))
    await all_told(pool)
    assert len(await written(pool)) == 40


async def test_without_a_name_it_is_the_owner_s_then_and_without_one_the_team_s(pool: Pool) -> None:
    await write(pool, [ANN])
    await a_reminder(pool, team="sales")
    await all_told(pool)
    assert await written(pool) == [("ann@example.com", "Call"), ("bob@example.com", "Call")]
    await pool.execute("DELETE FROM mail")
    await write(pool, [said_of(PEOPLE, "owner", "joe@firm.example")])
    await a_reminder(pool, team="sales")
    await all_told(pool)
    assert await written(pool) == [("joe@firm.example", "Call")]


async def test_nobody_is_told_where_nobody_is_there_and_that_is_written_down(pool: Pool) -> None:
    await write(pool, [ANN])
    await a_reminder(pool)
    await all_told(pool)
    assert await written(pool) == []
    (one,) = await listed(pool)
    assert (one["reminded_for"], one["reminded_to"]) == (one["due"], [])


@pytest.mark.parametrize(
    ("event_type", "is_told"), [("task.done", False), ("task.dropped", False), ("task.waiting", True)]
)
async def test_what_is_over_reminds_nobody(pool: Pool, event_type: str, is_told: bool) -> None:
    await write(pool, [ANN])
    task = await a_reminder(pool, to=EVE)
    await marked(pool, task, event_type)
    await all_told(pool)
    assert bool(await written(pool)) is is_told
    await marked(pool, task, "task.reopened")
    assert (await queues.waiting(pool))["timers"]["pending"] == (0 if is_told else 1)
    await all_told(pool)
    assert len(await written(pool)) == 1, "who opens it again in time is reminded, and nobody twice"


async def test_one_that_is_put_off_comes_again_for_its_new_time(pool: Pool) -> None:
    await write(pool, [ANN])
    task = await a_reminder(pool, to=EVE)
    await all_told(pool)
    await marked(pool, task, "task.postponed", due="9d")
    await all_told(pool)
    assert len(await written(pool)) == 1
    await marked(pool, task, "task.postponed", due=clock.text(clock.now()))
    await all_told(pool)
    assert len(await written(pool)) == 2


async def test_what_happens_while_a_worker_holds_it_takes_it_out_of_its_hands(pool: Pool) -> None:
    await write(pool, [ANN])
    task = await a_reminder(pool, to=EVE)
    async with transaction(pool) as connection:
        held = await tasks.take(connection, LEASE_SECONDS)
    assert [one.id for one in held] == [from_text(task)]
    await marked(pool, task, "task.assigned", to="joe@firm.example")
    async with transaction(pool) as connection:
        assert await tasks.LEASES.hold(connection, held) == set()
        (again,) = await tasks.take(connection, LEASE_SECONDS)
        assert await tasks.LEASES.hold(connection, held) == set(), "also when somebody else holds it"
        assert await tasks.LEASES.hold(connection, [again]) == {again.id}
    await marked(pool, task, "task.done")
    await all_told(pool)
    assert await written(pool) == []


async def test_what_a_dead_worker_held_is_told_by_the_next(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    await write(pool, [ANN])
    await a_reminder(pool, to=EVE)
    real = mails.put

    async def killed(*words: object) -> None:
        await real(*words)  # type: ignore[arg-type] # whatever it is called with
        raise RuntimeError("killed")

    monkeypatch.setattr(mails, "put", killed)
    with pytest.raises(RuntimeError, match="killed"):
        await Reminders(pool, TEAMS).turn()
    monkeypatch.undo()
    assert await written(pool) == []
    assert await Reminders(pool, TEAMS).turn() == 0, "somebody may still be at it"
    await pool.execute("UPDATE task SET lease_until = clock_timestamp() - interval '1 second'")
    await all_told(pool)
    assert await written(pool) == [(EVE, "Call")]


async def test_old_ones_that_are_read_again_remind_nobody(pool: Pool) -> None:
    await write(pool, [ANN])
    await a_reminder(pool, "2020-01-01T00:00:00Z", to=EVE)
    await all_told(pool)
    assert await written(pool) == []
    assert (await queues.waiting(pool))["timers"]["pending"] == 0


async def test_who_is_erased_is_nobody_to_remind_of_and_their_mails_are_empty(pool: Pool) -> None:
    from consumers import slow_lane
    from consumers.profiles import Profiles

    await write(pool, [ANN])
    await a_reminder(pool, to=EVE)
    await all_told(pool)
    await a_reminder(pool, to=EVE)
    await write(pool, [erased([PEOPLE], at=clock.text(clock.now()))])
    while await slow_lane.once(pool, Profiles(LocalHints(), {})):
        pass
    await all_told(pool)
    assert await written(pool) == [("", "")]
    assert await pool.fetchval("SELECT count(*) FROM task") == 0


async def test_the_worker_runs_until_it_is_told_to_stop(pool: Pool) -> None:
    await write(pool, [ANN])
    stop, hints = asyncio.Event(), LocalHints()
    async with asyncio.TaskGroup() as running:
        running.create_task(run_reminders(Reminders(pool, TEAMS), hints, stop))
        await a_reminder(pool, to=EVE)

        async def is_told() -> bool:
            return bool(await written(pool))

        await until(is_told, "the reminder is told")
        stop.set()
        hints.wake("reminders")
