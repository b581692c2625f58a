"""Rules change: everybody once more, in the real PostgreSQL, and the people are those of today's rules."""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import AsyncIterator, Iterator, Sequence

import orjson
import pytest
import pytest_asyncio

from consumers.profiles import Profiles
from consumers.reviewing import Page, review
from hub.cache import LocalHints
from hub.identity import resolve
from hub.identity.evidence import Fact, Words
from hub.identity.ids import as_text
from hub.identity.strategies import Rules as Survivorship
from hub.storage.pool import Pool, transaction
from tests.support.crowd import a_crowd, decisions_among
from tests.support.line import (
    audit,
    batch_connections,
    cut,
    deadlocks,
    jitter,
    lines,
    until,
    untouched,
    versions,
    write,
)
from tests.support.memory import day, fact, record, whole
from tests.support.rules import Rules, RuleSet, today

pytestmark = pytest.mark.integration
X, Y = "x@firm.org", "y@firm.org"


STRICT, LOOSE = RuleSet(2, 2), RuleSet(30, 30)


@pytest.fixture
def rules(monkeypatch: pytest.MonkeyPatch) -> Iterator[Rules]:
    found = Rules(monkeypatch)
    yield found
    monkeypatch.undo()
    found.forget()


@pytest_asyncio.fixture
async def batch_pool(database_url: str) -> AsyncIterator[Pool]:
    async with batch_connections(database_url) as connections:
        yield connections


async def walk(pool: Pool, *, dry_run: bool = False, at_once: int = 7) -> list[Page]:
    return [page async for page in review(pool, dry_run=dry_run, at_once=at_once)]


def told(pages: Sequence[Page]) -> tuple[set[tuple[bytes, ...]], set[tuple[bytes, ...]], set[tuple[str, ...]]]:
    """Who takes in whom, who lets go whom, and which values change from what to what."""
    profiles = [one for page in pages for one in page.review.changes.profiles]
    return (
        {(one.person.profile, *one.absorbed) for one in profiles if one.absorbed},
        {(one.person.profile, *one.parts) for one in profiles if one.parts},
        {(*value, *states) for page in pages for value, states in page.review.values.items()},
    )


async def assert_todays_rules_hold(pool: Pool, facts: Sequence[Fact]) -> list[Page]:
    """A dry run that writes nothing, the run that does what was shown, the model's people, and nothing left to do."""
    before = await untouched(pool)
    shown = await walk(pool, dry_run=True)
    assert await untouched(pool) == before
    done = await walk(pool)
    assert told(done) == told(shown)
    assert await lines(pool) == whole(today(facts)).lines
    await audit(pool)
    after = await untouched(pool)
    assert not any(page.review for page in await walk(pool, at_once=200))
    assert await untouched(pool) == after
    return shown


CHANGES: dict[str, tuple[RuleSet, RuleSet, set[str]]] = {
    "caps raised": (STRICT, LOOSE, {"merges"}),
    "caps lowered": (LOOSE, STRICT, {"splits"}),
    "a value newly nobody's": (LOOSE, LOOSE._replace(blocked=("p1", "p2", "p3")), {"splits"}),
    "a shared value newly nobody's": (STRICT, STRICT._replace(blocked=("p1", "p2", "p3")), set()),
    "a value nobody's no more": (LOOSE._replace(blocked=("p1", "p2")), LOOSE._replace(free=("info",)), {"merges"}),
    "a value nobody's no more, but shared": (STRICT._replace(blocked=("p1", "p2")), STRICT, set()),
    "all at once": (STRICT._replace(blocked=("p1",)), LOOSE._replace(free=("info",), blocked=("p3",)), {"merges"}),
}


@pytest.mark.parametrize("decided", [False, True], ids=["", "with decisions"])
@pytest.mark.parametrize("change", CHANGES)
async def test_other_rules_come_to_the_people_that_they_would_have_made(
    batch_pool: Pool, rules: Rules, change: str, decided: bool
) -> None:
    before, after, happens = CHANGES[change]
    rules.are(before)
    chance = random.Random(change)
    facts = a_crowd(3, 160)
    if decided:
        facts += decisions_among(sorted({one.who.record for one in facts if one.who}), chance)
    for batch in cut(facts, chance, 20):
        await write(batch_pool, batch)
    assert await lines(batch_pool) == whole(facts).lines
    rules.are(after)
    merges, splits, values = told(await assert_todays_rules_hold(batch_pool, facts))
    assert values
    assert happens <= {what for what, found in (("merges", merges), ("splits", splits)) if found}


async def test_what_happened_is_told_and_kept_as_of_the_rules(batch_pool: Pool, rules: Rules) -> None:
    rules.are(LOOSE._replace(blocked=("x",)))
    shop, crm = fact("shop", Words("1", X), day(1)), fact("crm", Words("2", X), day(2))
    await write(batch_pool, [shop, crm])
    await batch_pool.execute("DELETE FROM outbox")
    one, other = record(shop), record(crm)
    rules.are(LOOSE)
    await assert_todays_rules_hold(batch_pool, [shop, crm])
    assert await versions(batch_pool) == {one: 2}
    messages = [
        message for row in await batch_pool.fetch("SELECT body FROM outbox") for message in orjson.loads(row["body"])
    ]
    assert {(topic, key, kind) for topic, key, kind, *_ in messages} == {
        ("activities", as_text(one), "profile.merged"),
        ("profiles", as_text(one), "profile.updated"),
        ("profiles", as_text(other), "profile.merged"),
    }
    (operation,) = await batch_pool.fetch("SELECT cause, rules, profiles FROM identity_op")
    assert tuple(operation) == (None, resolve.RULES, sorted([one, other]))
    rules.are(LOOSE._replace(blocked=("x",)))
    await assert_todays_rules_hold(batch_pool, [shop, crm])
    assert await versions(batch_pool) == {one: 3, other: 3}
    assert await batch_pool.fetch("SELECT FROM identifier") == []


async def test_what_is_not_asked_again_stays_shared(batch_pool: Pool, rules: Rules) -> None:
    """An ordinary batch under today's rules does not make a shared value link; the review does."""
    rules.are(RuleSet(2, 30))
    facts = [fact("shop", Words(f"c{number}", X), day(number + 1)) for number in range(3)]
    await write(batch_pool, facts)
    rules.are(LOOSE)
    more = [fact("crm", Words("9", X), day(9)), fact("web", Words(email=X), day(10))]
    await write(batch_pool, more)
    assert len(await lines(batch_pool)) == 5
    await assert_todays_rules_hold(batch_pool, [*facts, *more])
    assert len(await lines(batch_pool)) == 3


async def test_a_line_that_is_written_otherwise_today_is_a_new_version(batch_pool: Pool) -> None:
    facts = [fact("shop", Words("1", X), day(1)), fact("crm", Words("2", Y), day(2))]
    await write(batch_pool, facts)
    await batch_pool.execute("UPDATE profile SET line = '{\"activities\":1}' WHERE profile_id = $1", record(facts[0]))
    (page,) = [page for page in await assert_todays_rules_hold(batch_pool, facts) if page.review]
    assert [one.person.profile for one in page.review.changes.profiles] == [record(facts[0])]
    assert await versions(batch_pool) == {record(facts[0]): 2, record(facts[1]): 1}
    assert await batch_pool.fetch("SELECT FROM identity_op") == []


async def test_spellings_of_a_mailbox_meet_once_it_is_shared_no_more(batch_pool: Pool, rules: Rules) -> None:
    """The form is known by another spelling: it links by the mailbox of its key, though nobody trusts it."""
    rules.are(RuleSet(1, 30))
    facts = [
        fact("shop", Words("a", "a.nn@gmail.com"), day(1)),
        fact("crm", Words("b", "ann+crm@gmail.com"), day(2)),
        fact("web", Words(email="an.n@gmail.com"), day(3)),
    ]
    for one in facts:
        await write(batch_pool, [one])
    assert len(await lines(batch_pool)) == 3
    rules.are(LOOSE)
    await assert_todays_rules_hold(batch_pool, facts)
    assert len(await lines(batch_pool)) == 1


async def test_fields_are_chosen_by_todays_survivorship(batch_pool: Pool) -> None:
    facts = [
        fact("shop", Words("1", X, company="Lee & Sons"), day(1)),
        fact("crm", Words("2", X, company="Lee"), day(2)),
        fact("desk", Words("3", Y, company="Fox"), day(2)),
    ]
    await write(batch_pool, facts)
    first = Survivorship(places={"company": {"shop": 2, "crm": 1}})
    before = await untouched(batch_pool)
    assert [page.review.changes.moved async for page in review(batch_pool, first, dry_run=True)] == [[]]
    assert await untouched(batch_pool) == before
    assert [bool(page.review) async for page in review(batch_pool, first)] == [True]
    assert [bool(page.review) async for page in review(batch_pool, first)] == [False]
    assert await versions(batch_pool) == {record(facts[0]): 2, record(facts[2]): 1}
    told = [orjson.loads(line) for line in await lines(batch_pool)]
    assert {one["fields"]["company"]["value"] for one in told} == {"Lee & Sons", "Fox"}
    await audit(batch_pool)


async def test_what_a_stranger_mentions_links_once_somebody_trusted_says_it(batch_pool: Pool, rules: Rules) -> None:
    phone = "+4930901820"
    rules.are(RuleSet(1, 30))
    facts = [
        *(fact(source, Words("1", phone=phone, name="Ann Lee"), day(3)) for source in ("shop", "crm")),
        fact("web", Words(email=X, phone=phone, name="Ann Lee"), day(1)),
    ]
    await write(batch_pool, facts)
    rules.are(LOOSE)
    await assert_todays_rules_hold(batch_pool, facts)
    assert len(await lines(batch_pool)) == 2
    facts.append(fact("web", Words(email=X, phone=phone, name="Ann Lee"), day(4), trusted=True))
    await write(batch_pool, facts[3:])
    assert await lines(batch_pool) == whole(facts).lines
    assert len(await lines(batch_pool)) == 1
    await audit(batch_pool)


async def test_who_counts_on_a_shared_value_is_waited_for(batch_pool: Pool, rules: Rules) -> None:
    """A batch that has read that a value is shared may commit after us: its record would stay alone for ever."""
    rules.are(RuleSet(2, 30))
    facts = [fact("shop", Words(f"c{number}", X), day(number + 1)) for number in range(3)]
    await write(batch_pool, facts)
    rules.are(LOOSE)
    late = fact("crm", Words("9", X), day(9))

    async def is_waiting() -> bool:
        found: bool = await batch_pool.fetchval(
            "SELECT EXISTS (SELECT FROM pg_locks JOIN pg_stat_activity USING (pid) "
            "WHERE NOT granted AND datname = current_database())"
        )
        return found or reviewing.done()

    async with transaction(batch_pool) as connection:
        await Profiles(LocalHints(), {}).write(connection, [late])
        reviewing = asyncio.get_running_loop().create_task(walk(batch_pool))
        await until(is_waiting, "the review waits for the batch")
    await reviewing
    assert await lines(batch_pool) == whole([*facts, late]).lines
    await audit(batch_pool)


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("change", ["caps raised", "caps lowered", "all at once"])
async def test_four_writers_write_while_everybody_is_looked_at(
    database_url: str, monkeypatch: pytest.MonkeyPatch, rules: Rules, change: str, seed: int
) -> None:
    before, after, _ = CHANGES[change]
    rules.are(before)
    chance = random.Random(f"{change} {seed}")
    early = a_crowd(40, 150)
    early += decisions_among(sorted({one.who.record for one in early if one.who}), chance)
    async with batch_connections(database_url) as pool:
        await write(pool, early)
        rules.are(after)
        jitter(monkeypatch, chance)
        late = a_crowd(41, 250)
        waiting = deque(cut([*late, *early[::9]], chance, 15))

        async def writer() -> None:
            while waiting:
                await write(pool, waiting.popleft(), tries=20)

        async def reviewer() -> None:
            await walk(pool, at_once=5)

        await asyncio.gather(reviewer(), *(writer() for _ in range(4)))
        assert await lines(pool) == whole(today([*early, *late])).lines
        await audit(pool)
        left = await walk(pool, dry_run=True)
        assert [(page.review.values, page.review.changes) for page in left if page.review] == []
    assert await deadlocks(database_url) == 0
